import type { Table } from 'apache-arrow';
import type { ChannelOptions } from '../engine/channels/channel-settings.ts';
import type { BackendName, Precision, Reduction } from '../engine/engine.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { UncertaintyOptions } from '../resampling/uncertainty-settings.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { NamedEdge } from '../model/edge-mask.ts';
import type { ModelDiagnostics } from '../model/gsnn-model.ts';
import type { LossSettings } from '../model/loss-settings.ts';
import type { Correlation, EdgeScore, ScoreAggregation } from '../scoring/score-matrices.ts';
import type { Scores } from '../engine/scores/scores.ts';
import type { ScoreCoverage } from '../engine/scores/unscored.ts';
import type { EdgeTableOptions } from '../table/edge-table.ts';

/** How magnitudes are taken, and where their statistics are computed. */
export interface InfererOptions {
  /** The graph to judge edges by, of the same sizes as the model's own, which is the default. */
  readonly graph?: GsnnGraph | undefined;
  /** Norm over the channels of a node. Default 'l1'. */
  readonly reduction?: Reduction | undefined;
  /** Values before each block's norm (default), or the blocks' last activations. */
  readonly usePreNorm?: boolean | undefined;
  /** Default 'auto': webgpu on a hardware adapter; cpu on a software adapter or without one. */
  readonly backend?: 'auto' | BackendName | undefined;
  /**
   * Precision of sums, and on WebGPU of channel regressions: 'exact' (default), as good as float64 sums, or 'fast', in
   * float32 and several times as fast: enough if conditioning sets and channels hardly depend on each other
   * (docs/webgpu-engine.md, "Precision"). On the CPU 'fast' speeds up plain correlations only, as long as samples are
   * kept: X^T Y in float32 over chunks of 64 samples, 1.5 to 1.8 times as fast (docs/method.md, "Sums in float32").
   */
  readonly precision?: Precision | undefined;
  /**
   * Keeps the magnitudes of the samples on the host, so that `evaluate` can report the uncertainty of the scores:
   * columns `corr_se`, `sign_stability` and, with permutations, `p_empirical`. true uses the defaults. Default false.
   */
  readonly uncertainty?: boolean | UncertaintyOptions | undefined;
  /**
   * Whether the channel values of the samples are kept on the host, which channel scores need: 8 P C bytes per sample.
   * 'auto' (default) keeps up to 1 GiB, and drops them all beyond that; true or `maxBytes` refuses samples beyond the
   * limit; false keeps none.
   */
  readonly channels?: 'auto' | boolean | ChannelOptions | undefined;
}

export interface FitProgress {
  /** Batches done */
  readonly batch: number;
  /** Batches in total, if the loader knows */
  readonly batches?: number;
  /** Samples done in this fit */
  readonly samples: number;
}

/** Where checkpoints are kept. */
export interface CheckpointSink {
  /** The bytes written last; undefined if there are none. */
  read(): Promise<Uint8Array | undefined>;
  /** Replaces the bytes atomically: whatever happens meanwhile, either the old or the new ones are there, complete. */
  write(bytes: Uint8Array): Promise<void>;
}

/** How a fit saves its progress. */
export interface CheckpointOptions {
  readonly sink: CheckpointSink;
  /** Seconds between checkpoints; one more is written at the end. Default 60; 0 writes one after each batch. */
  readonly seconds?: number | undefined;
  /**
   * Resumes from the sink's checkpoint, if there is one. The result equals that of an uninterrupted fit bit for bit (on
   * the CPU; docs/guide.md, "Checkpoints"). Default false: the sink's checkpoint is overwritten.
   */
  readonly resume?: boolean | undefined;
  /** Called when the fit resumes from a checkpoint, with the samples and batches that it holds. */
  readonly onResume?: ((samples: number, batches: number) => void) | undefined;
}

/** How to accumulate. Omitted loss settings are the model's; other ones build another training graph. */
export interface FitOptions extends LossSettings {
  /** Called after each batch. */
  readonly onProgress?: ((progress: FitProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default true; false adds to the statistics held. */
  readonly reset?: boolean | undefined;
  /**
   * Edges to switch off in the model, from its `maskableEdges`. They are also removed from the graph that edges are
   * judged by: conditioning sets and `has_edge`. Default: none. Needs a model with an `edge_mask` input.
   */
  readonly maskedEdges?: Iterable<NamedEdge> | undefined;
  /** Writes checkpoints during the fit, and can resume from one. Default: none. Not with `reset: false`. */
  readonly checkpoint?: CheckpointOptions | undefined;
}

/** How to accumulate values computed elsewhere. */
export interface FitValuesOptions extends Omit<FitOptions, 'maskedEdges' | 'checkpoint'> {
  /**
   * Whether `addChannelValues` will supply the channel values of samples passed as magnitudes. Default false: channel
   * values are dropped.
   */
  readonly channelsLater?: boolean | undefined;
}

/** Which scores to compute. */
export interface ScoreOptions {
  /**
   * How the scores of the layer pairs are combined. Default 'mean'; 'pooled' treats the observations of all layer pairs
   * as those of one, and has no scores per layer pair.
   */
  readonly layerAgg?: ScoreAggregation | undefined;
  /** Default 'corr' */
  readonly score?: EdgeScore | undefined;
  /**
   * For 'corr', 'partial' and 'regression': correlations of the magnitudes, or of their ranks, for which the samples'
   * channel values must be kept (`channels`). Default 'pearson'; 'channel' accepts no other.
   */
  readonly correlation?: Correlation | undefined;
  /** Ridge of 'regression' and 'channel', in units of the variance of a magnitude or channel. Default 0.3 and 3. */
  readonly lambda?: number | undefined;
  /** Added to the variances of the conditioning sets, for 'partial'. Default 1e-8. */
  readonly ridge?: number | undefined;
  /**
   * Variances at or below this count as none, also those left given the parents; replaces the limits relative to the
   * magnitudes (docs/method.md, "Constant nodes"). Default: none; 1e-12 reproduces the NaN of the Python reference.
   */
  readonly varianceFloor?: number | undefined;
  /**
   * Another graph of the same sizes to judge edges by: its parents are conditioned on, its edges are marked. Samples
   * are not needed again. Default: the inferer's, without the edges that the fit masked.
   */
  readonly graph?: GsnnGraph | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which blocks of channel scores to compute; see `channelBlock`. */
export interface ChannelBlockOptions extends Pick<
  ScoreOptions,
  'lambda' | 'layerAgg' | 'varianceFloor' | 'signal'
> {
  /** Only the block of this layer pair. Default: all of them. */
  readonly layerPair?: number | undefined;
}

/** Which scores to compute, and which rows to return. */
export interface EvaluateOptions extends ScoreOptions {
  /** Excludes i -> i. Default true. */
  readonly excludeSelf?: boolean | undefined;
  /** Only this many of the first rows; p and q still cover all pairs. */
  readonly top?: number | undefined;
  /** Only rows with q at or below this */
  readonly maxQ?: number | undefined;
  /** Only rows that are not edges of the graph */
  readonly candidatesOnly?: boolean | undefined;
  /** Whether the table has the columns of uncertainty. Default: whether the inferer was created with uncertainty. */
  readonly uncertainty?: boolean | undefined;
  /** Called after each scoring for uncertainty: one per group and permutation. */
  readonly onResample?: ((done: number, total: number) => void) | undefined;
}

/** How edges are selected, one after the other. */
export interface SelectOptions extends ScoreOptions {
  /** Maximum number of steps. Default 10. */
  readonly steps?: number | undefined;
  /** Maximum number of edges per step, each with another target. Default 1. */
  readonly perStep?: number | undefined;
  /** Edges with a lower score are not selected. Default 0. */
  readonly stopAt?: number | undefined;
  /** Called after each step, with the number of edges selected so far */
  readonly onStep?: ((step: number, edges: number) => void) | undefined;
}

/** Scores of a fit, wherever they are, with their table. */
export interface EdgeScores extends Scores {
  /**
   * The table that `evaluate` returns for these scores; they are not computed again.
   * @throws MagnitudeEdgeError `invalid-argument`, `released`
   */
  table(options?: EdgeTableOptions): Promise<Table>;
  /**
   * How many pairs have a score, and why the others have none, as recorded in the schema metadata of
   * {@link EdgeScores.table}.
   * @throws MagnitudeEdgeError `released`, `device-lost`
   */
  coverage(options?: Pick<EdgeTableOptions, 'excludeSelf' | 'signal'>): Promise<ScoreCoverage>;
}

/** As {@link EvaluateOptions}, with the number of rows per batch. */
export interface EvaluateBatchesOptions extends EvaluateOptions {
  /** Maximum number of rows per batch. Default 65,536 */
  readonly rowsPerBatch?: number | undefined;
}

/** What runs where, for people to read. */
export interface InfererDiagnostics {
  readonly backend: BackendName;
  /** How the engine forms products, see EngineDiagnostics */
  readonly plan?: 'sums' | 'magnitudes' | undefined;
  readonly model: ModelDiagnostics;
  /** Workers of the CPU backend started so far; 0 for one thread, undefined on WebGPU */
  readonly workers?: number | undefined;
  /** Facts about the engine */
  readonly notes: readonly string[];
  /** What works worse than intended, and why: one sentence each, to be shown with the results */
  readonly warnings: readonly string[];
  /** Why other backends were not used: one sentence each */
  readonly fallbacks: readonly string[];
}

/** @throws `invalid-argument` */
export function checkLayerPair(layerPair: number | undefined, pairs: number): void {
  if (layerPair === undefined || (Number.isInteger(layerPair) && layerPair >= 0 && layerPair < pairs)) return;
  throw new MagnitudeEdgeError(
    'invalid-argument',
    `layerPair must be a whole number from 0 to ${pairs - 1} and is ${layerPair}.`,
    { details: { option: 'layerPair', found: layerPair } },
  );
}
