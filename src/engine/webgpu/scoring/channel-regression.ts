import type { BufferPool } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { readBack } from '../../../gpu/readback.ts';
import { workgroups } from '../../../gpu/recorder.ts';
import { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import { targetPanels, widestPanel } from '../../../scoring/channel/block-norms.ts';
import { ridgeOf, type PartNorms } from '../../../scoring/channel/regression.ts';
import type { RowOrder } from '../../../scoring/channel/rows.ts';
import { hasSums, productsOfSums } from '../../../scoring/channel/sums.ts';
import { systemGram } from '../../../scoring/channel/system-gram.ts';
import type { ChannelSystem } from '../../../scoring/channel/system.ts';
import { systemSize, type RidgeForm } from '../../../scoring/channel/ridge-form.ts';
import { mixedBlocks } from '../../../statistics/mixed-blocks.ts';
import { createYielder, runYielding, type Yielder } from '../../../statistics/yielder.ts';
import type { Precision } from '../statistics/statistics-kernels.ts';
import { doubleSingle } from './block.ts';
import { ChannelDevice, type DeviceMatrix } from './channel-device.ts';
import { inverseElements, invertOnDevice } from './channel-inverse.ts';
import { WORKGROUP } from './channel-kernels.ts';
import { orderedU, uploadF, uploadU } from './channel-operands.ts';

/** Target columns whose coefficients are held at a time. */
const PANEL_COLUMNS = 1024;

/**
 * Largest condition number for factors in float32. The trace of a system is at most K + its ridge, so
 * `(K + lambda) / lambda` bounds the condition number: up to 2^14, one Newton step makes X accurate to float32.
 */
const MOST_CONDITION = 2 ** 14;

/** Why a device cannot do a regression; undefined if it can. */
export function whyUnsuitable(
  { device: { limits } }: GpuContext,
  system: ChannelSystem,
  form: RidgeForm,
): string | undefined {
  const { observations: n, sources, targets, nodes, lambda } = system;
  const [k, m] = [sources.channels.length, targets.channels.length];
  const condition = (k + lambda) / lambda;
  if (condition > MOST_CONDITION) {
    return `with lambda ${lambda}, systems of ${k} channels have a condition number of up to ${condition.toPrecision(2)}, too large for float32`;
  }
  const rows = hasSums(system) ? 0 : n * Math.max(k, m, system.channels);
  const coefficients = k * widestPanel(targets.starts, PANEL_COLUMNS);
  const needed = 4 * Math.max(rows, inverseElements(systemSize(system, form)), coefficients, nodes ** 2);
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return needed > most
    ? `they need a GPU buffer of ${needed} bytes, but this device allows ${most}`
    : undefined;
}

/** Options of {@link regressOnDevice}. */
export interface DeviceRegression {
  readonly form: RidgeForm;
  /** See `invertOnDevice` */
  readonly precision: Precision;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A whole regression on a GPU, by either way (dual or primal): the sums of its system in float32, accumulated over rows
 * in extended precision, the inverse, and blocks of B by panels of targets, of which only norms are read back. Twins:
 * `dual`, `primal`.
 *
 * @param orders as in `partNorms`
 * @returns norms for each order, row-major `[nodes, nodes]`, as from the twins
 * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the signal's reason
 */
export async function regressOnDevice(
  context: GpuContext,
  system: ChannelSystem,
  orders: readonly RowOrder[],
  { form, precision, signal }: DeviceRegression,
): Promise<PartNorms[]> {
  const { nodes, sources, targets } = system;
  if (sources.channels.length === 0 || targets.channels.length === 0) {
    return orders.map(() => new Float32Array(nodes ** 2).fill(NaN));
  }
  const device = await ChannelDevice.create(context, new SubmitThrottle(context, signal));
  const yielder = createYielder(signal);
  return device.withBuffers(async (pool) => {
    const solver = hasSums(system)
      ? await ofSums(device, pool, system, precision, yielder)
      : await ofRows(device, pool, system, form, precision);
    const results: PartNorms[] = [];
    for (const order of orders) results.push(await norms(device, system, solver, order, yielder));
    return results;
  });
}

/** Computes panels of n B. */
interface Solver {
  /** Prepares what all panels for one order of the rows of U have in common. */
  open(pool: BufferPool, order: RowOrder): Promise<void>;
  /** Writes the coefficients of target columns `first .. end` to `out`. */
  solve(columns: readonly [first: number, end: number], out: DeviceMatrix): Promise<void>;
}

async function ofRows(
  device: ChannelDevice,
  pool: BufferPool,
  system: ChannelSystem,
  form: RidgeForm,
  precision: Precision,
): Promise<Solver> {
  const { observations: n, sources, targets } = system;
  const [k, m] = [sources.channels.length, targets.channels.length];
  const f: DeviceMatrix = { buffer: await uploadF(device, pool, system), stride: k };
  const u = await uploadU(device, pool, system);
  const size = systemSize(system, form);
  const inverse = await device.withBuffers(async (own) => {
    const sums = device.createBuffer(own, 'sums of a system', 2 * size ** 2);
    await device.run('the sums of a system', (recorder) => {
      const product = { a: f, b: f, out: { buffer: sums, stride: size }, symmetric: true, extended: true };
      if (form === 'dual') device.multiply(recorder, { ...product, sizes: [k, n, n], transposed: true });
      else device.multiply(recorder, { ...product, sizes: [n, k, k] });
    });
    return invertOnDevice(device, pool, sums, ridgeOf(system, form), precision);
  });
  const x: DeviceMatrix = { buffer: inverse, stride: size };
  const left = form === 'dual' ? await timesF(device, pool, x, f, [n, n, k]) : f;
  let ordered = u;
  return {
    async open(own, order) {
      ordered = order === undefined ? u : await orderedU(device, own, system, u, order);
    },
    async solve([first, end], out) {
      const b = { buffer: ordered, first, stride: m };
      const sizes = [n, k, end - first] as const;
      if (form === 'dual') {
        await device.run('coefficients', (recorder) => {
          device.multiply(recorder, { a: left, b, out, sizes });
        });
        return;
      }
      await device.withBuffers(async (own) => {
        const products = { buffer: device.createBuffer(own, "F'U", k * out.stride), stride: out.stride };
        await device.run('coefficients', (recorder) => {
          device.multiply(recorder, { a: left, b, out: products, sizes });
          device.multiply(recorder, { a: x, b: products, out, sizes: [k, k, end - first] });
        });
      });
    },
  };
}

async function timesF(
  device: ChannelDevice,
  pool: BufferPool,
  a: DeviceMatrix,
  b: DeviceMatrix,
  sizes: readonly [number, number, number],
): Promise<DeviceMatrix> {
  const out = {
    buffer: device.createBuffer(pool, 'the inverse times F', sizes[1] * sizes[2]),
    stride: sizes[2],
  };
  await device.run('the product of an inverse with channel values', (recorder) => {
    device.multiply(recorder, { a, b, out, sizes });
  });
  return out;
}

async function ofSums(
  device: ChannelDevice,
  pool: BufferPool,
  system: ChannelSystem,
  precision: Precision,
  yielder: Yielder,
): Promise<Solver> {
  const size = system.sources.channels.length;
  const gram = await runYielding(systemGram(mixedBlocks(), system, 'primal', [0, size]), yielder);
  const words = new Float32Array(2 * size ** 2);
  for (let i = 0; i < size; i++) {
    for (let j = i; j < size; j++) {
      const sum = doubleSingle(gram.values[i * gram.stride + j]!);
      words.set(sum, 2 * (i * size + j));
      words.set(sum, 2 * (j * size + i));
    }
  }
  const inverse = await device.withBuffers(async (own) =>
    invertOnDevice(
      device,
      pool,
      device.copy(own, 'sums of a system', words),
      ridgeOf(system, 'primal'),
      precision,
    ),
  );
  const stride = widestPanel(system.targets.starts, PANEL_COLUMNS);
  const values = new Float32Array(size * stride);
  const products = device.createBuffer(pool, "F'U", size * stride);
  return {
    open: (_, order) => {
      if (order !== undefined) throw new TypeError('Sums have no rows to reorder.');
      return Promise.resolve();
    },
    async solve(columns, out) {
      productsOfSums(system, columns, { values, stride });
      device.context.device.queue.writeBuffer(products.buffer, 0, values);
      const sizes = [size, size, columns[1] - columns[0]] as const;
      const [a, b] = [
        { buffer: inverse, stride: size },
        { buffer: products, stride },
      ];
      await device.run('coefficients', (recorder) => {
        device.multiply(recorder, { a, b, out, sizes });
      });
    },
  };
}

async function norms(
  device: ChannelDevice,
  system: ChannelSystem,
  solver: Solver,
  order: RowOrder,
  yielder: Yielder,
): Promise<PartNorms> {
  const { observations: n, sources, targets, nodes } = system;
  return device.withBuffers(async (held) => {
    await solver.open(held, order);
    const norms = device.copy(held, 'norms', new Float32Array(nodes * nodes).fill(NaN));
    const source_starts = device.copy(held, 'source starts', Uint32Array.from(sources.starts));
    const target_starts = device.copy(held, 'target starts', Uint32Array.from(targets.starts));
    const stride = widestPanel(targets.starts, PANEL_COLUMNS);
    const coefficients = device.createBuffer(held, 'coefficients', sources.channels.length * stride);
    for (const [first, end] of targetPanels(targets.starts, [0, nodes], PANEL_COLUMNS)) {
      await solver.solve([targets.starts[first]!, targets.starts[end]!], { buffer: coefficients, stride });
      await device.run('the norms of coefficients', (recorder) => {
        recorder.dispatch(
          device.kernels.norms,
          { sources: nodes, targets: end - first, first_target: first, nodes, stride, factor: 1 / n ** 2 },
          { source_starts, target_starts, coefficients, norms },
          workgroups(Math.ceil((nodes * (end - first)) / WORKGROUP)),
        );
      });
      await yielder();
    }
    const [bytes] = await readBack(device.context, [norms]);
    return new Float32Array(bytes!);
  });
}
