/**
 * `magnitude-edge/statistics`: accumulators and scores alone, for magnitudes computed elsewhere: any two sets of
 * non-negative values per sample, one to correlate with the other given some of the first.
 *
 * ```ts
 * import { conditioningSets, createEngine } from 'magnitude-edge/statistics';
 *
 * const { engine, release } = await createEngine({ nodes: 3, pairs: 1 });
 * for (const { size, x, y } of batches) {
 *   // x, y: Float32Array, row-major [size, 3]
 *   await engine.accumulateMagnitudes({ size, x: [x], y: [y] });
 * }
 * const { aggregated } = await engine.score({
 *   score: 'partial',
 *   layerAgg: 'mean',
 *   ridge: 1e-8,
 *   conditioningSets: conditioningSets([[0, 1], [1, 2]], 3), // edges 0 -> 1 and 1 -> 2
 * });
 * aggregated[0 * 3 + 2]; // partial correlation of x[0] and y[2] given x[1]
 * await release();
 * ```
 *
 * Channel scores of any two sets of values per node, here of three nodes with two channels each:
 *
 * ```ts
 * import { scoreSavedChannels } from 'magnitude-edge/statistics';
 *
 * // x, u: Float32Array, row-major [nodes, channels, samples]
 * const saved = { samples, most: 2, counts: Int32Array.of(2, 2, 2), pairs: [{ x, u }] };
 * const scores = await scoreSavedChannels(saved, { layerAgg: 'mean', lambda: 3 });
 * (await scores.aggregate())[0 * 3 + 2]; // channel score of x of node 0 and u of node 2
 * scores.release();
 * ```
 *
 * @module
 */
import { createEngine as chooseEngine, type EngineChoice } from './engine/create.ts';
import type { BackendName, EngineShape, Precision } from './engine/engine.ts';
import { MagnitudeEdgeError } from './errors.ts';

export { createCpuEngine, type CpuEngineOptions } from './engine/cpu/cpu-engine.ts';
export { scoreSavedChannels } from './engine/channels/score-saved.ts';
export type { EngineChoice } from './engine/create.ts';
export type {
  BackendName,
  ChannelBatch,
  ChannelValues,
  Engine,
  EngineDiagnostics,
  EngineShape,
  MagnitudeBatch,
  Reduction,
} from './engine/engine.ts';
export { SampleStore, type RowPairing } from './resampling/sample-store.ts';
export { resampleScores, type ResampleRun } from './resampling/resample.ts';
export type { TileMemory } from './engine/webgpu/statistics/configurations.ts';
export type { Precision } from './engine/webgpu/statistics/statistics-kernels.ts';
export { createWebGpuEngine } from './engine/webgpu/webgpu-engine.ts';
export { MagnitudeEdgeError, type ErrorCode, type ErrorDetails } from './errors.ts';
export type { ChannelAggregation, ChannelRequest } from './scoring/channel/request.ts';
export { conditioningSets, type FunctionEdges } from './scoring/conditioning-sets.ts';
export { NODE_FLAG } from './scoring/node-flags.ts';
export { jackknifeScores, type JackknifeScores } from './resampling/jackknife.ts';
export type { ResampledScores, ResamplePlan } from './resampling/resampled-scores.ts';
export { rocAuc } from './ranking/roc.ts';
export { scoreStatistics } from './scoring/score-statistics.ts';
export {
  scoreCoverage,
  type CoverageRequest,
  type ScoreCoverage,
  type UnscoredPairs,
} from './engine/scores/unscored.ts';
export type { MagnitudeRequest } from './scoring/magnitude-request.ts';
export { magnitudeScores } from './engine/scores/magnitude-scores.ts';
export type { LayerAggregation, Score, ScoreMatrices, ScoreRequest } from './scoring/score-matrices.ts';
export type { ScoreBuffers, ScorePanel, ScoreReader, Scores } from './engine/scores/scores.ts';
export type { ScoreTests } from './scoring/score-matrices.ts';
export { benjaminiHochberg, fisherPValue } from './scoring/significance.ts';
export { sortedOrder, type Direction, type FloatArray } from './ranking/order.ts';
export { covariances, type PairCovariances } from './statistics/covariances.ts';
export { mergeStatistics, shiftPivot } from './statistics/merge.ts';
export { raggedFromLists, type RaggedIndices } from './statistics/ragged.ts';
export type { SavedChannels, SavedChannelSums, SavedChannelValues } from './statistics/saved-channels.ts';
export type { PairStatistics, SufficientStatistics } from './statistics/sufficient-statistics.ts';
export { version } from './version.ts';

/** Options of {@link createEngine}. */
export interface EngineOptions extends Omit<EngineShape, 'reduction'> {
  /** Norm over channels, for batches of channel values. Default 'l1'. */
  readonly reduction?: EngineShape['reduction'];
  /** Default 'auto': webgpu on a hardware adapter; cpu on a software adapter or without one. */
  readonly backend?: 'auto' | BackendName;
  /** The device to run on, borrowed; if absent, one is requested. */
  readonly device?: GPUDevice | undefined;
  /**
   * How products are summed: 'exact' (default) as in float64, or 'fast' in float32. 'fast' is several times as fast on
   * WebGPU; on the CPU it speeds up plain correlations only, 1.5 to 1.8 times.
   */
  readonly precision?: Precision | undefined;
}

/**
 * Makes an engine. The caller must call `release` on the result, which frees the engine and any device it requested.
 *
 * @throws `invalid-argument` for sizes that are not whole numbers of at least 1 or an unknown precision; `no-adapter` if
 * 'webgpu' is requested and not available
 */
export async function createEngine(options: EngineOptions): Promise<EngineChoice> {
  const { reduction = 'l1', backend = 'auto', device, precision, ...sizes } = options;
  for (const name of ['nodes', 'pairs'] as const) {
    if (Number.isInteger(sizes[name]) && sizes[name] >= 1) continue;
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `${name} must be a whole number of at least 1 and is ${sizes[name]}.`,
      { details: { option: name, found: sizes[name] } },
    );
  }
  return chooseEngine(backend, { ...sizes, reduction }, { device, precision });
}
