import { BufferPool, createStorage, storageFrom, type OwnedBuffer } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { compileKernel, type KernelOf } from '../../../gpu/kernel.ts';
import { readBack } from '../../../gpu/readback.ts';
import { Recorder, workgroups } from '../../../gpu/recorder.ts';
import type { MixedBlocks } from '../../../statistics/mixed-blocks.ts';
import { targetPanels, widestPanel } from '../../../scoring/channel/block-norms.ts';
import type { PartNorms } from '../../../scoring/channel/regression.ts';
import {
  invertRidge,
  newSystem,
  symmetricSingles,
  systemBytes,
} from '../../../scoring/channel/ridge-inverse.ts';
import { ObservationRows, type RowOrder } from '../../../scoring/channel/rows.ts';
import type { ChannelSystem } from '../../../scoring/channel/system.ts';
import { blockNormsKernel, PRODUCT_TILE, productsKernel, WORKGROUP } from './channel-kernels.ts';

type Singles = Float32Array<ArrayBuffer>;

/** Target columns whose coefficients are there at a time. */
const PANEL_COLUMNS = 1024;

/** Bytes of the largest buffer that a regression needs on the device. */
export function largestBinding({ observations: n, sources, targets, nodes }: ChannelSystem): number {
  const k = sources.channels.length;
  const wide = widestPanel(targets.starts, PANEL_COLUMNS);
  return 4 * Math.max(n * k, 2 * n * n, k * wide, nodes ** 2);
}

/**
 * The whole of a regression by its dual, `B = F' (FF'/n + lambda I)^-1 U/n`, on a GPU: FF' in float32 with extended sums, its
 * product with F, and blocks of B by panels of targets, of which only norms come back. The n x n system is inverted in float64
 * on the host: it is read back once. Twin: `dual`.
 *
 * @param yielder is called between pieces of work on the host
 * @returns for each order, row-major `[nodes, nodes]`, as those of `dual`
 * @throws `gpu-validation`, `out-of-memory`, `device-lost`; what `yielder` throws
 */
export async function dualOnGpu(
  context: GpuContext,
  memory: MixedBlocks,
  system: ChannelSystem,
  orders: readonly RowOrder[],
  yielder: () => Promise<void> | undefined,
): Promise<PartNorms[]> {
  const pool = new BufferPool();
  try {
    const run = await GpuRun.create(context, pool, system);
    const inverse = await invertOnHost(memory, system, await run.gram(), yielder);
    await run.multiply(inverse);
    const results: PartNorms[] = [];
    for (const order of orders) results.push(await run.norms(order, yielder));
    return results;
  } finally {
    pool.destroy();
  }
}

/** The inverse of the system over n, in float32. @param sums high and low words of FF', on and above the diagonal */
async function invertOnHost(
  memory: MixedBlocks,
  { observations: n, lambda }: ChannelSystem,
  sums: Float32Array,
  yielder: () => Promise<void> | undefined,
): Promise<Singles> {
  memory.clear(systemBytes(memory, n));
  const matrix = newSystem(memory, n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      const at = 2 * (i * n + j);
      matrix.values[i * matrix.stride + j] = sums[at]! + sums[at + 1]!;
    }
  }
  const steps = invertRidge(memory, matrix, n, n, lambda);
  while (steps.next().done !== true) await yielder();
  return symmetricSingles(matrix, n, 1 / n);
}

/** What one regression has on the device. */
class GpuRun {
  readonly #context: GpuContext;
  readonly #pool: BufferPool;
  readonly #system: ChannelSystem;
  readonly #rows: ObservationRows;
  readonly #exact: KernelOf<typeof productsKernel>;
  readonly #single: KernelOf<typeof productsKernel>;
  readonly #normsKernel: KernelOf<typeof blockNormsKernel>;
  /** F */
  readonly #f: OwnedBuffer;
  /** The inverse times F, once it is there */
  #product: OwnedBuffer | undefined;

  private constructor(
    context: GpuContext,
    pool: BufferPool,
    system: ChannelSystem,
    rows: ObservationRows,
    kernels: {
      exact: KernelOf<typeof productsKernel>;
      single: KernelOf<typeof productsKernel>;
      norms: KernelOf<typeof blockNormsKernel>;
    },
    f: OwnedBuffer,
  ) {
    this.#context = context;
    this.#pool = pool;
    this.#system = system;
    this.#rows = rows;
    this.#exact = kernels.exact;
    this.#single = kernels.single;
    this.#normsKernel = kernels.norms;
    this.#f = f;
  }

  static async create(context: GpuContext, pool: BufferPool, system: ChannelSystem): Promise<GpuRun> {
    const kernels = {
      exact: await compileKernel(context, productsKernel, { WORDS: 2 }),
      single: await compileKernel(context, productsKernel, { WORDS: 1 }),
      norms: await compileKernel(context, blockNormsKernel, { WORKGROUP }),
    };
    const rows = new ObservationRows(system);
    const n = system.observations;
    const stride = system.sources.channels.length;
    const values = new Float32Array(n * stride);
    rows.standardized([0, n], { values, stride });
    const f = pool.keep(await created(context, 'F', () => storageFrom(context, 'F', values)));
    return new GpuRun(context, pool, system, rows, kernels, f);
  }

  /** FF' as high and low words `[n, n]`, of which the upper triangle is there. */
  async gram(): Promise<Float32Array> {
    const { observations: n, sources } = this.#system;
    const k = sources.channels.length;
    const row = new Float32Array(k);
    const transposed = new Float32Array(k * n);
    for (let r = 0; r < n; r++) {
      this.#rows.standardized([r, r + 1], { values: row, stride: k });
      for (let c = 0; c < k; c++) transposed[c * n + r] = row[c]!;
    }
    const context = this.#context;
    const a = await created(context, "F'", () => storageFrom(context, "F'", transposed));
    const sums = await this.#room("FF'", 2 * n * n);
    try {
      const recorder = new Recorder(context);
      this.#multiply(recorder, this.#exact, { a, b: a, sums }, [k, n, n], true);
      await recorder.submit('the Gram matrix of channel values');
      const [bytes] = await readBack(context, [sums]);
      return new Float32Array(bytes!);
    } finally {
      a.destroy();
      sums.destroy();
    }
  }

  /** The product of a symmetric matrix `[n, n]` with F. */
  async multiply(inverse: Singles): Promise<void> {
    const { observations: n, sources } = this.#system;
    const k = sources.channels.length;
    const context = this.#context;
    const a = await created(context, 'inverse', () => storageFrom(context, 'inverse', inverse));
    try {
      const sums = this.#pool.keep(await this.#room('inverse times F', n * k));
      const recorder = new Recorder(context);
      this.#multiply(recorder, this.#single, { a, b: this.#f, sums }, [n, n, k], false);
      await recorder.submit('the product of an inverse with channel values');
      this.#product = sums;
    } finally {
      a.destroy();
    }
  }

  async norms(order: RowOrder, yielder: () => Promise<void> | undefined): Promise<PartNorms> {
    const { observations: n, sources, targets, nodes } = this.#system;
    const context = this.#context;
    const stride = widestPanel(targets.starts, PANEL_COLUMNS);
    const none = new Float32Array(nodes * nodes).fill(NaN);
    const held = new BufferPool();
    const list = async (label: string, data: Singles | Uint32Array<ArrayBuffer>): Promise<OwnedBuffer> =>
      held.keep(await created(context, label, () => storageFrom(context, label, data)));
    try {
      const norms = await list('norms', none);
      const source_starts = await list('source starts', Uint32Array.from(sources.starts));
      const target_starts = await list('target starts', Uint32Array.from(targets.starts));
      const coefficients = held.keep(await this.#room('coefficients', sources.channels.length * stride));
      const values = new Float32Array(n * stride);
      const u = held.keep(await this.#room('U', n * stride));
      for (const [first, end] of targetPanels(targets.starts, [0, nodes], PANEL_COLUMNS)) {
        const columns = [targets.starts[first]!, targets.starts[end]!] as const;
        this.#rows.scaledTargets([0, n], columns, order, { values, stride });
        context.device.queue.writeBuffer(u.buffer, u.offset, values);
        const recorder = new Recorder(context);
        const sizes = [n, sources.channels.length, columns[1] - columns[0]] as const;
        const operands = { a: this.#product!, b: u, sums: coefficients };
        this.#multiply(recorder, this.#single, operands, sizes, false, stride);
        recorder.dispatch(
          this.#normsKernel,
          { sources: nodes, targets: end - first, first_target: first, nodes, stride },
          { source_starts, target_starts, coefficients, norms },
          workgroups(Math.ceil((nodes * (end - first)) / WORKGROUP)),
        );
        await recorder.submit('the norms of coefficients');
        await yielder();
      }
      const [bytes] = await readBack(context, [norms]);
      return new Float32Array(bytes!);
    } finally {
      held.destroy();
    }
  }

  #room(label: string, elements: number): Promise<OwnedBuffer> {
    return created(this.#context, label, () => createStorage(this.#context, label, 4 * elements));
  }

  /** @param sizes rows of both operands, columns of A and of B @param wide from one row of B and of the sums to the next */
  #multiply(
    recorder: Recorder,
    kernel: KernelOf<typeof productsKernel>,
    operands: Readonly<Record<'a' | 'b' | 'sums', OwnedBuffer>>,
    [depth, rows, columns]: readonly [number, number, number],
    upper: boolean,
    wide = columns,
  ): void {
    recorder.dispatch(
      kernel,
      {
        depth,
        rows,
        columns,
        a_stride: rows,
        b_stride: wide,
        out_stride: wide,
        upper: upper ? 1 : 0,
        zero: 0,
      },
      operands,
      [Math.ceil(columns / PRODUCT_TILE), Math.ceil(rows / PRODUCT_TILE), 1],
      (2 * depth * rows * columns) / (upper ? 2 : 1),
    );
  }
}
