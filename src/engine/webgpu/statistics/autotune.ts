import { createStorage, storageFrom, type BufferView } from '../../../gpu/buffer.ts';
import { describeAdapter, type GpuContext } from '../../../gpu/device.ts';
import { alive, created, scoped } from '../../../gpu/error-scope.ts';
import { Recorder } from '../../../gpu/recorder.ts';
import type { Configuration } from './configurations.ts';
import { GpuRowStore } from './gpu-row-store.ts';
import type { Precision } from './statistics-kernels.ts';
import { layoutOf } from './layout.ts';
import { GpuMatmul, TILES } from './gpu-matmul.ts';

/** A configuration and the milliseconds that it took for the trial problem. */
export interface Trial {
  readonly configuration: Configuration;
  readonly milliseconds: number;
}

/** The trial: X^T Y of so many nodes and samples; large enough to fill a GPU, a few milliseconds for a small one. */
const TRIAL = {
  hardware: { nodes: 1024, samples: 512 },
  software: { nodes: 64, samples: 64 },
} as const;

/** Timed runs of each configuration, after one that warms it up; the quickest counts. */
const RUNS = 3;

/** Trials of this process, by adapter and precision: one round serves all engines on the adapter. */
const trials = new Map<string, Promise<readonly Trial[]>>();

/**
 * Times configurations, once per process, adapter and precision.
 *
 * @param candidates of one precision, that the device can run
 * @returns quickest first
 * @throws `gpu-validation`, `out-of-memory`, `device-lost`
 */
export function timeConfigurations(
  context: GpuContext,
  precision: Precision,
  candidates: readonly Configuration[],
): Promise<readonly Trial[]> {
  const key = JSON.stringify([
    describeAdapter(context.adapterInfo),
    precision,
    candidates.map(({ name }) => name),
  ]);
  let round = trials.get(key);
  if (round === undefined) {
    round = run(context, candidates);
    trials.set(key, round);
    round.catch(() => trials.delete(key));
  }
  return round;
}

async function run(context: GpuContext, candidates: readonly Configuration[]): Promise<Trial[]> {
  const { nodes, samples } = TRIAL[context.software ? 'software' : 'hardware'];
  const layout = layoutOf(context, nodes, 1);
  const rows = new GpuRowStore(context, layout);
  const none = Uint32Array.of(NEVER, NEVER, NEVER);
  const refusal = await created(context, 'a trial', () => storageFrom(context, 'no refusal', none));
  const sums = await created(context, 'a trial', () =>
    createStorage(context, 'sums of a trial', 8 * layout.stride ** 2),
  );
  // Of zeros: no GPU multiplies them quicker than others.
  const placed = scoped(context, 'a trial', () => {
    rows.place(samples, 0);
  });
  await placed.settled;
  rows.close();
  try {
    const found: Trial[] = [];
    for (const configuration of candidates) {
      const products = await GpuMatmul.create(context, layout, configuration, refusal);
      try {
        const milliseconds = await time(context, products, rows, sums);
        found.push({ configuration, milliseconds });
      } finally {
        products.destroy();
      }
    }
    return found.sort((a, b) => a.milliseconds - b.milliseconds);
  } finally {
    for (const part of [rows, refusal, sums]) part.destroy();
  }
}

/** What a record of refusals holds while there is none. */
const NEVER = 0xffff_ffff;

/** Wall time of the quickest run: the runs are long beside what a submit costs, and no device feature is needed. */
async function time(
  context: GpuContext,
  products: GpuMatmul,
  kept: GpuRowStore,
  sums: BufferView,
): Promise<number> {
  const range = kept.ranges[0]!;
  const rows = { row: 0, rows: products.layout.stride };
  const { queue } = context.device;
  let quickest = Infinity;
  for (let k = 0; k <= RUNS; k++) {
    const recorder = new Recorder(context);
    products.recordProducts(recorder, range, { sums, left: 'y', rows, tiles: TILES.all });
    await alive(context, queue.onSubmittedWorkDone());
    const start = performance.now();
    const submitted = recorder.submit('a trial');
    await alive(context, queue.onSubmittedWorkDone());
    const taken = performance.now() - start;
    await submitted;
    // The first run pays for what the driver puts off.
    if (k > 0) quickest = Math.min(quickest, taken);
  }
  return quickest;
}
