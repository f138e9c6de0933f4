import type { ScoreMatrices, ScoreRequest } from '../scoring/score-matrices.ts';
import type { Scores } from './scores/scores.ts';
import type { Reduction } from '../statistics/channel-norms.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';

export type { Reduction };
export type BackendName = 'webgpu' | 'cpu';

/**
 * How products are summed. `fast`: float32 over short chunks of rows; on the CPU those of plain correlations alone. `exact`: as in float64, on WebGPU of
 * digits whose products and sums are integers that float32 holds exactly, at eight multiplications for one.
 */
export type Precision = 'fast' | 'exact';

/** Channel values of one layer, row-major `[batch, channels]`: on the host, or on the engine's own GPU device. */
export type ChannelValues = Float32Array | GPUBuffer;

/** What one batch leaves behind in the model: the layers whose magnitudes are correlated. Owned by the caller. */
export interface ChannelBatch {
  /** B, samples in the batch */
  readonly size: number;
  /** P entries: activations of block p */
  readonly activations: readonly ChannelValues[];
  /** P entries: gradients of the loss with respect to the values of block p + 1 */
  readonly gradients: readonly ChannelValues[];
  /**
   * Whether the arrays, no two of them over the same memory, may be transferred to workers: nobody reads them afterwards.
   * Default: workers get copies.
   */
  readonly transferable?: boolean | undefined;
}

/** One batch of magnitudes, for values that come from elsewhere: P entries each, row-major `[batch, nodes]`. */
export interface MagnitudeBatch {
  /** B, samples in the batch */
  readonly size: number;
  readonly x: readonly Float32Array[];
  readonly y: readonly Float32Array[];
  /** As of {@link ChannelBatch} */
  readonly transferable?: boolean | undefined;
}

/** What an engine is made for; fixed over its life. */
export interface EngineShape {
  /** N, function nodes */
  readonly nodes: number;
  /** P, adjacent layer pairs */
  readonly pairs: number;
  /** Channels of each function node: ragged lists of channel indices, N lists. Absent: magnitudes only. */
  readonly channelGroups?: RaggedIndices | undefined;
  /** C, channels of a layer */
  readonly channels?: number | undefined;
  readonly reduction: Reduction;
}

/** Facts that a person may want to know about what runs where. */
export interface EngineDiagnostics {
  readonly backend: BackendName;
  /**
   * How products come about: from magnitudes that are kept, when scores or statistics are asked for, or added to the
   * sums as batches come. Absent where an engine has one way only.
   */
  readonly plan?: 'sums' | 'magnitudes' | undefined;
  /** Whether no sums are held, because they would take too much room: products are formed anew for every request. */
  readonly tiled?: boolean | undefined;
  /** Workers that the sums are spread over, as far as they have been started; 0 where the calling thread does the work. */
  readonly workers?: number | undefined;
  /** Adapter description, workers, tiles: whatever the engine finds worth telling. */
  readonly notes: readonly string[];
  /** What works worse than it was meant to, and why: a sentence each, to be shown wherever results are. */
  readonly warnings: readonly string[];
}

/**
 * The one narrow interface between the method and what computes it: magnitudes and sums as batches come, scores from
 * the sums. The WebGPU engine and the CPU engine are twins and are tested against each other.
 *
 * A batch with a value that is not finite is refused with code `non-finite` (details: batch, quantity, layer, node), and
 * neither it nor a later batch is counted; the statistics of earlier batches stay. An engine that works ahead may
 * throw that error from a later `accumulate` or from `flush`.
 */
export interface Engine {
  readonly shape: EngineShape;
  readonly diagnostics: EngineDiagnostics;
  /** Starts what the first batch would wait for, and does not wait for it: a batch is about to come. */
  prepare?(): void;
  /** Resolves when the batch's values may be released by their owner. Calls must not overlap. */
  accumulate(batch: ChannelBatch): Promise<void>;
  /** As {@link Engine.accumulate}, for magnitudes that are there already. */
  accumulateMagnitudes(batch: MagnitudeBatch): Promise<void>;
  /** Waits for all work handed in. Resolves to n, the samples held; rejects as described above. */
  flush(): Promise<number>;
  /** Scores of all ordered pairs from the statistics held, as arrays on the host. */
  score(request: ScoreRequest): Promise<ScoreMatrices>;
  /** The same scores where they were computed: the GPU's stay there. Owned by the caller, until `release`. */
  scores(request: ScoreRequest): Promise<Scores>;
  /** A copy of the statistics on the host, owned by the caller. */
  statistics(): Promise<SufficientStatistics>;
  /** Adds statistics over other samples, as if this engine had seen them. */
  merge(statistics: SufficientStatistics): Promise<void>;
  /** Forgets all samples, and any refusal. What was asked for before is told of the samples that it was asked of. */
  reset(): void;
  /** Frees what the engine owns (never a borrowed device). Idempotent. */
  release(): Promise<void>;
}
