import type { ScoreMatrices, ScoreRequest } from '../scoring/score-matrices.ts';
import type { Scores } from './scores/scores.ts';
import type { Reduction } from '../statistics/channel-norms.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';

export type { Reduction };
export type BackendName = 'webgpu' | 'cpu';

/**
 * How products are summed. `fast`: in float32 over short chunks of rows; on the CPU for plain correlations only.
 * `exact`: as in float64; WebGPU splits values into digits whose products and sums are integers that float32 holds
 * exactly, at eight multiplications for one.
 */
export type Precision = 'fast' | 'exact';

/** Channel values of one layer, row-major `[batch, channels]`: on the host, or on the engine's own GPU device. */
export type ChannelValues = Float32Array | GPUBuffer;

/** Activations and gradients of one batch: the layers whose magnitudes are correlated. Owned by the caller. */
export interface ChannelBatch {
  /** B, samples in the batch */
  readonly size: number;
  /** P entries: activations of block p */
  readonly activations: readonly ChannelValues[];
  /** P entries: gradients of the loss with respect to the values of block p + 1 */
  readonly gradients: readonly ChannelValues[];
  /**
   * Whether the arrays may be transferred to workers: no two share memory, and nobody reads them afterwards. Default:
   * workers get copies.
   */
  readonly transferable?: boolean | undefined;
}

/** One batch of magnitudes computed elsewhere: P entries each, row-major `[batch, nodes]`. */
export interface MagnitudeBatch {
  /** B, samples in the batch */
  readonly size: number;
  readonly x: readonly Float32Array[];
  readonly y: readonly Float32Array[];
  /** As in {@link ChannelBatch} */
  readonly transferable?: boolean | undefined;
}

/** What an engine is made for; fixed for its lifetime. */
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

/** What runs where, for people to read. */
export interface EngineDiagnostics {
  readonly backend: BackendName;
  /**
   * How products are formed: 'magnitudes' keeps magnitudes and forms products when scores or statistics are requested;
   * 'sums' adds products to the sums as batches come. Absent if an engine has one way only.
   */
  readonly plan?: 'sums' | 'magnitudes' | undefined;
  /** Whether no sums are held because they would take too much memory: products are formed anew for every request. */
  readonly tiled?: boolean | undefined;
  /** Workers that share the sums, as far as they have started; 0 if the calling thread does the work. */
  readonly workers?: number | undefined;
  /** Adapter description, workers, tiles, and other facts about the engine. */
  readonly notes: readonly string[];
  /** What works worse than intended, and why: one sentence each, to be shown with the results. */
  readonly warnings: readonly string[];
}

/**
 * The one narrow interface between the method and what computes it: it accumulates magnitudes and sums batch by batch,
 * and computes scores from the sums. The WebGPU engine and the CPU engine are twins and are tested against each other.
 *
 * A batch with a value that is not finite is refused with code `non-finite` (details: batch, quantity, layer, node).
 * Neither it nor any later batch is counted; the statistics of earlier batches remain. An engine that works ahead may
 * throw that error from a later `accumulate` or from `flush`.
 */
export interface Engine {
  readonly shape: EngineShape;
  readonly diagnostics: EngineDiagnostics;
  /** Starts preparing for the first batch without waiting: call it when a batch is about to come. */
  prepare?(): void;
  /** Resolves when the owner of the batch's values may release them. Calls must not overlap. */
  accumulate(batch: ChannelBatch): Promise<void>;
  /** As {@link Engine.accumulate}, for magnitudes that have been computed already. */
  accumulateMagnitudes(batch: MagnitudeBatch): Promise<void>;
  /** Waits for all pending work. Resolves to n, the samples held; rejects as described above. */
  flush(): Promise<number>;
  /** Scores of all ordered pairs from the statistics held, as arrays on the host. */
  score(request: ScoreRequest): Promise<ScoreMatrices>;
  /** The same scores, left where they were computed: on the GPU for WebGPU. Owned by the caller until `release`. */
  scores(request: ScoreRequest): Promise<Scores>;
  /** A copy of the statistics on the host, owned by the caller. */
  statistics(): Promise<SufficientStatistics>;
  /** Adds statistics over other samples, as if this engine had seen them. */
  merge(statistics: SufficientStatistics): Promise<void>;
  /** Forgets all samples and any refusal. Earlier requests still see the samples they were made for. */
  reset(): void;
  /** Frees what the engine owns (never a borrowed device). Idempotent. */
  release(): Promise<void>;
}
