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
  /** The graph to judge edges by; sizes as the model's own, which is the default. */
  readonly graph?: GsnnGraph | undefined;
  /** Norm over the channels of a node. Default 'l1'. */
  readonly reduction?: Reduction | undefined;
  /** Values before each block's norm (default), or the blocks' last activations. */
  readonly usePreNorm?: boolean | undefined;
  /** Default 'auto': webgpu on a hardware adapter, cpu on a software one or none. */
  readonly backend?: 'auto' | BackendName | undefined;
  /**
   * Of what is summed, and on WebGPU of channel regressions: 'exact' (default), as good as float64 sums, or 'fast', in float32 and
   * several times quicker: enough where conditioning sets and channels hardly depend on each other (docs/webgpu-engine.md,
   * "Precision"). On the CPU 'fast' is of plain correlations alone, as long as samples are kept: X^T Y in float32 over chunks of 64
   * samples, 1.5 to 1.8 times as quick (docs/method.md, "Sums in float32").
   */
  readonly precision?: Precision | undefined;
  /**
   * Keeps the magnitudes of the samples on the host, so that `evaluate` can tell how sure the scores are: columns
   * `corr_se`, `sign_stability` and, with permutations, `p_empirical`. true takes the defaults. Default false.
   */
  readonly uncertainty?: boolean | UncertaintyOptions | undefined;
  /**
   * Whether the channel values of the samples are kept on the host, which scores of channels are of: 8 P C bytes a sample.
   * 'auto' (default) keeps them while they take 1 GiB at most, and lets go of them after that; true or `maxBytes` refuses
   * samples beyond it; false keeps none.
   */
  readonly channels?: 'auto' | boolean | ChannelOptions | undefined;
}

export interface FitProgress {
  /** Batches done */
  readonly batch: number;
  /** Batches in all, where the loader knows */
  readonly batches?: number;
  /** Samples done in this fit */
  readonly samples: number;
}

/** Where checkpoints are kept. */
export interface CheckpointSink {
  /** The bytes that were written last; undefined where there are none. */
  read(): Promise<Uint8Array | undefined>;
  /** Puts bytes in the place of those before: whatever happens meanwhile, the one or the other are there, whole. */
  write(bytes: Uint8Array): Promise<void>;
}

/** How a fit is kept from being lost. */
export interface CheckpointOptions {
  readonly sink: CheckpointSink;
  /** Seconds from one checkpoint to the next; one more is written at the end. Default 60; 0 writes one after each batch. */
  readonly seconds?: number | undefined;
  /**
   * Goes on from the checkpoint that the sink holds, where it holds one: what comes of it is, to the bit, what a fit without an
   * interruption gives (on the CPU; docs/guide.md, "Checkpoints"). Default false: the sink's is written over.
   */
  readonly resume?: boolean | undefined;
  /** Called where the fit goes on from a checkpoint, with the samples and batches that it holds. */
  readonly onResume?: ((samples: number, batches: number) => void) | undefined;
}

/** How to accumulate. Loss settings that are left out are the model's; other ones build another training graph. */
export interface FitOptions extends LossSettings {
  /** Called after each batch. */
  readonly onProgress?: ((progress: FitProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default true; false goes on from the statistics held. */
  readonly reset?: boolean | undefined;
  /**
   * Edges to switch off in the model, from its `maskableEdges`. They also leave the graph that the statistics are judged
   * by: conditioning sets and `has_edge`. Default: none. Needs a model with an `edge_mask` input.
   */
  readonly maskedEdges?: Iterable<NamedEdge> | undefined;
  /** Writes what there is while the fit runs, and goes on from it. Default: none. Not with `reset: false`. */
  readonly checkpoint?: CheckpointOptions | undefined;
}

/** How to accumulate values that were computed elsewhere. */
export interface FitValuesOptions extends Omit<FitOptions, 'maskedEdges' | 'checkpoint'> {
  /** Whether the channel values of what comes as magnitudes follow by `addChannelValues`. Default false: they are let go. */
  readonly channelsLater?: boolean | undefined;
}

/** What is asked of the statistics. */
export interface ScoreOptions {
  /**
   * How the scores of the layer pairs become one. Default 'mean'; 'pooled' takes the observations of all layer pairs as those
   * of one, and has no scores of layer pairs.
   */
  readonly layerAgg?: ScoreAggregation | undefined;
  /** Default 'corr' */
  readonly score?: EdgeScore | undefined;
  /**
   * Of 'corr', 'partial' and 'regression': of the magnitudes, or of their ranks, for which the samples' channel values must be
   * kept (`channels`). Default 'pearson'; another one with 'channel' is refused.
   */
  readonly correlation?: Correlation | undefined;
  /** Ridge of 'regression' and 'channel', in variances of a magnitude or channel. Default 0.3 and 3. */
  readonly lambda?: number | undefined;
  /** Added to the variances of the conditioning sets, for 'partial'. Default 1e-8. */
  readonly ridge?: number | undefined;
  /**
   * Variances at or below this are none, also what parents leave of them, in place of limits relative to the magnitudes
   * (docs/method.md, "Constant nodes"). Default: none; 1e-12 gives the NaN of the Python reference.
   */
  readonly varianceFloor?: number | undefined;
  /**
   * Another graph of the same sizes to judge by: its parents are conditioned on, its edges are marked. No sample is
   * seen again. Default: the inferer's, without the edges that the fit masked.
   */
  readonly graph?: GsnnGraph | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Which blocks of channel scores are asked for; see `channelBlock`. */
export interface ChannelBlockOptions extends Pick<
  ScoreOptions,
  'lambda' | 'layerAgg' | 'varianceFloor' | 'signal'
> {
  /** Only the block of that layer pair. Default: all of them. */
  readonly layerPair?: number | undefined;
}

/** What is asked of the statistics, and which rows come back. */
export interface EvaluateOptions extends ScoreOptions {
  /** Leaves out i -> i. Default true. */
  readonly excludeSelf?: boolean | undefined;
  /** Only so many first rows; p and q are over all pairs all the same. */
  readonly top?: number | undefined;
  /** Only rows with q at or below this */
  readonly maxQ?: number | undefined;
  /** Only rows that are not edges of the graph */
  readonly candidatesOnly?: boolean | undefined;
  /** Whether the table has the columns of uncertainty. Default: whether the inferer was created with uncertainty. */
  readonly uncertainty?: boolean | undefined;
  /** Called after each of the scorings that uncertainty takes: one per group and permutation. */
  readonly onResample?: ((done: number, total: number) => void) | undefined;
}

/** How edges are taken in, one after the other. */
export interface SelectOptions extends ScoreOptions {
  /** Steps at most. Default 10. */
  readonly steps?: number | undefined;
  /** Edges of a step at most, each of another target. Default 1. */
  readonly perStep?: number | undefined;
  /** No edge of a lower score is taken in. Default 0. */
  readonly stopAt?: number | undefined;
  /** Called after each step, with the edges taken in so far */
  readonly onStep?: ((step: number, edges: number) => void) | undefined;
}

/** Scores of a fit, wherever they are, that know what their table says. */
export interface EdgeScores extends Scores {
  /**
   * The table that `evaluate` gives for these scores; they are not computed again.
   * @throws MagnitudeEdgeError `invalid-argument`, `released`
   */
  table(options?: EdgeTableOptions): Promise<Table>;
  /**
   * How many pairs have a score, and why the others have none: what the schema metadata of {@link EdgeScores.table}
   * records.
   * @throws MagnitudeEdgeError `released`, `device-lost`
   */
  coverage(options?: Pick<EdgeTableOptions, 'excludeSelf' | 'signal'>): Promise<ScoreCoverage>;
}

/** As {@link EvaluateOptions}, and how many rows come at a time. */
export interface EvaluateBatchesOptions extends EvaluateOptions {
  /** Rows of a batch at most. Default 65,536 */
  readonly rowsPerBatch?: number | undefined;
}

/** What runs where, for people. */
export interface InfererDiagnostics {
  readonly backend: BackendName;
  /** How the engine's products come about, see EngineDiagnostics */
  readonly plan?: 'sums' | 'magnitudes' | undefined;
  readonly model: ModelDiagnostics;
  /** Workers of the CPU backend, as far as they have been started; 0 for one thread, undefined on WebGPU */
  readonly workers?: number | undefined;
  /** What the engine finds worth telling */
  readonly notes: readonly string[];
  /** What works worse than it was meant to, and why: a sentence each, to be shown wherever results are */
  readonly warnings: readonly string[];
  /** What was looked for and not taken, and why: a sentence each */
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
