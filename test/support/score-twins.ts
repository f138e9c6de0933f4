import {
  createCpuEngine,
  createWebGpuEngine,
  type Engine,
  type MagnitudeBatch,
  type Precision,
  type RaggedIndices,
  type ScoreRequest,
} from '../../src/statistics.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { largestDifference, normalNumbers } from './gpu-arrays.ts';

/** A WebGPU engine for magnitudes, on the test's device. */
export async function magnitudesEngine(
  gpu: GpuContext,
  nodes: number,
  pairs: number,
  precision?: Precision,
): Promise<Engine> {
  return createWebGpuEngine({ device: gpu.device, shape: { nodes, pairs, reduction: 'l1' }, precision });
}

/** Sources with common factors, so that they correlate; targets made of some of them. */
export function factorBatch(seed: number, size: number, nodes: number): MagnitudeBatch {
  const normal = normalNumbers(seed);
  const x = new Float32Array(size * nodes);
  const y = new Float32Array(size * nodes);
  for (let row = 0; row < size; row++) {
    const factors = Array.from({ length: 5 }, normal);
    for (let node = 0; node < nodes; node++) {
      x[row * nodes + node] = 5 + factors[node % 5]! + normal();
      y[row * nodes + node] = 2 + 0.3 * x[row * nodes + ((node * 7) % nodes)]! + normal();
    }
  }
  return { size, x: [x], y: [y] };
}

/** Largest difference of the GPU's aggregated partial scores from the float64 twin's; Infinity if only one is NaN. */
export async function againstTwin(
  gpu: GpuContext,
  batch: MagnitudeBatch,
  nodes: number,
  request: Partial<ScoreRequest> & { conditioningSets: RaggedIndices },
): Promise<number> {
  const shape = { nodes, pairs: 1, reduction: 'l1' as const };
  const twin = createCpuEngine(shape);
  const engine = await magnitudesEngine(gpu, nodes, 1);
  await engine.accumulateMagnitudes(batch);
  await twin.accumulateMagnitudes(batch);
  const full = { score: 'partial', layerAgg: 'mean', ridge: 1e-8, ...request } as const;
  const found = await engine.score(full);
  const expected = await twin.score(full);
  await engine.release();
  return largestDifference(found.aggregated, expected.aggregated);
}
