import {
  checkMagnitudeRequest,
  isEngineRequest,
  type MagnitudeRequest,
} from '../scoring/magnitude-request.ts';
import { magnitudeScores } from './scores/magnitude-scores.ts';
import type { Scores } from './scores/scores.ts';
import { createYielder, runYielding } from '../statistics/yielder.ts';
import { averageRanks, type MagnitudeRows } from '../statistics/ranks.ts';
import { createCpuEngine } from './cpu/cpu-engine.ts';
import type { Engine, EngineShape, MagnitudeBatch } from './engine.ts';
import { withOutOfMemoryError } from './with-out-of-memory-error.ts';

/**
 * Scores of the samples that an engine holds: computed by the engine, or on the calling thread from its statistics. A
 * request for ranks needs an engine that holds ranks.
 *
 * @throws as `Engine.scores` and `magnitudeScores`
 */
export async function scoreMagnitudes(engine: Engine, request: MagnitudeRequest): Promise<Scores> {
  if (isEngineRequest(request)) return engine.scores(request);
  return withOutOfMemoryError(engine.shape, async () => magnitudeScores(await engine.statistics(), request));
}

/** Magnitudes of all samples, P entries each. */
export interface AllMagnitudes {
  /** n */
  readonly size: number;
  readonly x: readonly MagnitudeRows[];
  readonly y: readonly MagnitudeRows[];
}

/** Samples per batch of ranks. */
const BATCH_ROWS = 256;

/** The ranks of magnitudes, in batches. Yields nothing until all are ranked. */
export async function* rankedBatches(
  { size, x, y }: AllMagnitudes,
  nodes: number,
  signal?: AbortSignal,
): AsyncGenerator<MagnitudeBatch, void, undefined> {
  const yielder = createYielder(signal);
  const ranked: [Float32Array, Float32Array][] = [];
  for (const [p, values] of x.entries()) {
    ranked.push([
      await runYielding(averageRanks(values, nodes), yielder),
      await runYielding(averageRanks(y[p]!, nodes), yielder),
    ]);
  }
  for (let first = 0; first < size; first += BATCH_ROWS) {
    const end = Math.min(first + BATCH_ROWS, size);
    const rows = (values: Float32Array): Float32Array => values.slice(first * nodes, end * nodes);
    yield { size: end - first, x: ranked.map(([own]) => rows(own)), y: ranked.map(([, own]) => rows(own)) };
    await yielder();
  }
}

/**
 * Scores of the ranks of magnitudes (method.md, "Spearman's correlations"), on the CPU.
 *
 * @throws as {@link scoreMagnitudes}
 */
export async function scoreRanks(
  magnitudes: AllMagnitudes,
  { nodes, pairs, reduction }: EngineShape,
  request: MagnitudeRequest,
): Promise<Scores> {
  checkMagnitudeRequest(request, nodes, magnitudes.size);
  const shape = { nodes, pairs, reduction };
  const engine = createCpuEngine(shape);
  try {
    for await (const batch of rankedBatches(magnitudes, nodes, request.signal)) {
      await engine.accumulateMagnitudes(batch);
    }
    return await withOutOfMemoryError(shape, async () => magnitudeScores(await engine.statistics(), request));
  } finally {
    await engine.release();
  }
}
