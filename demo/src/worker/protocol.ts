import type { ChannelBlock } from 'magnitude-edge';
import type { View } from '../heatmap/painter.ts';
import type { DataFacts, ModelFacts, Placement } from '../results/facts.ts';
import type { FitSource, FitProvenance } from '../results/provenance.ts';
import type { Params } from '../results/params.ts';
import type { NamedFile } from '../state/inputs.ts';
import type { Refusal } from './rpc.ts';
import type { NamedPair } from './table-protocol.ts';

/** Progress of a fit. */
export interface Progress {
  /** The number that the page assigned to the fit. */
  readonly run: number;
  readonly samples: number;
  readonly total: number;
  /** Seconds spent fitting, without pauses. */
  readonly seconds: number;
}

/** Where a fit from the start saves its checkpoints: a file of the page's private file system. */
export interface CheckpointAt {
  readonly file: string;
  /** Whether to resume from what the file holds. */
  readonly resumes: boolean;
}

/** Where a fit would resume after a reload. */
export type CheckpointWritten = Pick<Progress, 'run' | 'samples'>;

export interface FitOutcome {
  /** Whether all samples were seen, except those left out; if not, the fit was stopped or failed, and can resume. */
  readonly complete: boolean;
  readonly samples: number;
  readonly seconds: number;
  /** Samples of refused batches, once the fit has continued without them. */
  readonly leftOut: number;
  /** Why the fit ended early, unless it was stopped. */
  readonly failure: FitFailure | null;
  /** What the statistics are of; null if a fit could not begin. */
  readonly source: FitSource | null;
}

/** What ended a fit: the samples before it count. */
export interface FitFailure extends Refusal {
  /** The batch at fault would be refused again, so resuming leaves it out. Otherwise it comes again. */
  readonly leavesBatchOut: boolean;
}

/** Progress of a repeat of a trial, 0 to 1. */
export interface RepeatProgress {
  readonly run: number;
  readonly share: number;
}

/** Number of scorings of a resampling that are done. */
export interface ResampleProgress {
  readonly turn: number;
  readonly done: number;
  readonly total: number;
}

/** Download progress of the runtime in bytes; `total` is 0 if it is not known. */
export interface Download {
  readonly loaded: number;
  readonly total: number;
}

/** Events that the worker sends. */
export interface FitEvents {
  /** Null once it is complete. */
  download(value: Download | null): void;
  progress(value: Progress): void;
  placement(value: Placement): void;
  /** The samples seen so far are on the disk. */
  checkpoint(value: CheckpointWritten): void;
  repeat(value: RepeatProgress): void;
  resample(value: ResampleProgress): void;
}

/** An edge table as Arrow IPC bytes, with its provenance. */
export interface ScoredTable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly provenance: FitProvenance;
  /** The number of the complete scores on a GPU, if the heatmap can be drawn from them; else null. */
  readonly onGpu: number | null;
}

/** An image, row-major, four bytes a pixel. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** Magnitudes of one pair of nodes over the first samples: `[samples]` for each layer pair. */
export interface PairMagnitudes {
  readonly x: readonly Float32Array[];
  readonly y: readonly Float32Array[];
  /**
   * x of other nodes, in the order requested: for each layer pair, one after the other. Null if only the pair is
   * available.
   */
  readonly others: readonly (readonly Float32Array[])[] | null;
}

/**
 * One repeat of a trial; its number is the seed. 'permute' judges the statistics held by another graph, repeat 0 by the
 * model's own. 'mask' switches edges off in the model and fits again; if the model cannot do that, the edges are
 * removed only from the judging graph.
 */
export type TrialRequest =
  | { readonly kind: 'permute'; readonly repeat: number; readonly positives: readonly NamedPair[] }
  | {
      readonly kind: 'mask';
      readonly repeat: number;
      readonly share: number;
      /** This edge alone. */
      readonly edge: readonly [number, number] | null;
    };

export interface TrialOutcome {
  /** What the edges were removed from; null if none were. */
  readonly maskedIn: 'model' | 'graph' | null;
  readonly rocAuc: number;
  readonly mrr: number;
  /** The positives or masked edges. */
  readonly pairs: readonly NamedPair[];
  /** Rank of each of them within its target; null if it has none. */
  readonly ranks: readonly (number | null)[];
}

/** The worker that owns model, data and inferer. Every method rejects with a code and one sentence. */
export interface FitApi {
  openModel(file: NamedFile, params: Params): Promise<ModelFacts>;
  openData(file: NamedFile, params: Params): Promise<DataFacts>;
  /**
   * Fits from the start, or resumes where the last fit stopped or failed. `run` is passed back with its progress, and
   * with all scores of a fit from the start. Rejects if it cannot begin; then no fit is left. From the start it can
   * have checkpoints, and resume from one.
   */
  fit(params: Params, from: 'start' | 'here', run: number, at?: CheckpointAt | null): Promise<FitOutcome>;
  pause(): void;
  resume(): void;
  /**
   * Ends the opening, fit or trial requested last, and the sampling for scatters. A batch in the model at that time is
   * not counted and comes again; nothing remains of a file that was being opened.
   */
  stop(): void;
  /** Resolves once all earlier requests have ended. */
  rest(): Promise<void>;
  /** Scores of the samples seen, also during a fit. An earlier request that is still pending is refused. */
  evaluate(params: Params): Promise<ScoredTable>;
  /**
   * The same scores with their uncertainty from resampling. Needs a fit that keeps its samples; `turn` is passed back.
   */
  resample(params: Params, turn: number): Promise<ScoredTable>;
  /**
   * Partial scores of the samples seen, as Arrow IPC bytes, for the model's graph or one in which an edge has changed:
   * added if it was absent, removed if it was present. They are not shown.
   */
  partialScores(params: Params, changed: readonly [number, number] | null): Promise<Uint8Array<ArrayBuffer>>;
  /** Aborts the scoring under way, which rejects; the samples seen stay. */
  stopScoring(): void;
  /** Addresses on this site that the worker has fetched files from. */
  fetched(): string[];
  /** One repeat of a trial; rejects if it is stopped. */
  trial(request: TrialRequest, params: Params, run: number): Promise<TrialOutcome>;
  /** x of the source, and of others, and y of the target; the model runs once for all pairs. */
  magnitudes(
    params: Params,
    source: number,
    target: number,
    others: readonly number[],
  ): Promise<PairMagnitudes>;
  /**
   * The block behind a channel score in one layer pair; pooled scores have only one. An earlier request that is still
   * under way is aborted.
   */
  channelBlock(params: Params, source: number, target: number, layerPair: number): Promise<ChannelBlock>;
  /** Draws the heatmap on this canvas from now on. */
  attachHeatmap(canvas: OffscreenCanvas): void;
  /** Lays out the scores of that number. Returns their largest |score|; null if they are not on a GPU, or no longer. */
  layHeatmap(scores: number, order: Uint32Array): Promise<{ readonly extent: number } | null>;
  /** Draws; false if nothing can be drawn. */
  drawHeatmap(view: View): Promise<boolean>;
  heatmapPicture(view: View): Promise<Pixels | null>;
}
