import type { ChannelBlock } from 'magnitude-edge';
import type { View } from '../heatmap/painter.ts';
import type { DataFacts, ModelFacts, Placement } from '../results/facts.ts';
import type { FitSource, FitProvenance } from '../results/provenance.ts';
import type { Params } from '../state/params.ts';
import type { NamedFile } from '../state/inputs.ts';
import type { Refusal } from './rpc.ts';
import type { NamedPair } from './table-protocol.ts';

/** Where a fit stands. */
export interface Progress {
  /** The number that the page gave the fit. */
  readonly run: number;
  readonly samples: number;
  readonly total: number;
  /** Seconds spent fitting, pauses left out. */
  readonly seconds: number;
}

/** Where a fit from the start is kept from being lost: a file of the page's private file system. */
export interface CheckpointAt {
  readonly file: string;
  /** Goes on from what the file holds. */
  readonly resumes: boolean;
}

/** Where a fit would go on after a reload. */
export type CheckpointWritten = Pick<Progress, 'run' | 'samples'>;

export interface FitOutcome {
  /** All samples were seen, but for those left out; else the fit was stopped or failed, and can go on from there. */
  readonly complete: boolean;
  readonly samples: number;
  readonly seconds: number;
  /** Samples of batches that were refused, once the fit has gone on without them. */
  readonly leftOut: number;
  /** Why the fit ended before its samples did, unless it was stopped. */
  readonly failure: FitFailure | null;
  /** What the statistics are of; null where a fit could not begin. */
  readonly source: FitSource | null;
}

/** What ended a fit: the samples before it count. */
export interface FitFailure extends Refusal {
  /** The batch at fault would be refused again: going on leaves it out. Else it comes again. */
  readonly leavesBatchOut: boolean;
}

/** How far a repeat of a trial has come, 0 to 1. */
export interface RepeatProgress {
  readonly run: number;
  readonly share: number;
}

/** How many scorings of a resampling are through. */
export interface ResampleProgress {
  readonly turn: number;
  readonly done: number;
  readonly total: number;
}

/** How much of the runtime has come, in bytes; `total` is 0 where it is not known. */
export interface Download {
  readonly loaded: number;
  readonly total: number;
}

/** What the worker says unasked. */
export interface FitEvents {
  /** Null once it is there. */
  download(value: Download | null): void;
  progress(value: Progress): void;
  placement(value: Placement): void;
  /** What was seen so far is on the disk. */
  checkpoint(value: CheckpointWritten): void;
  repeat(value: RepeatProgress): void;
  resample(value: ResampleProgress): void;
}

/** An edge table as Arrow IPC bytes, with all that it was computed from. */
export interface ScoredTable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly provenance: FitProvenance;
  /** The number of the scores of all pairs that lie on a GPU, where the heatmap can be drawn from them; else null. */
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
  /** x of other nodes, in the order asked for: for each layer pair, one after the other. Null where only the pair is known. */
  readonly others: readonly (readonly Float32Array[])[] | null;
}

/**
 * One repeat of a trial; its number is the seed. 'permute' judges the statistics held by another graph, repeat 0 by the
 * graph itself. 'mask' switches edges off in the model and fits again; where the model cannot, edges leave only the graph
 * that judges.
 */
export type TrialRequest =
  | { readonly kind: 'permute'; readonly repeat: number; readonly positives: readonly NamedPair[] }
  | {
      readonly kind: 'mask';
      readonly repeat: number;
      readonly share: number;
      /** This edge and no other. */
      readonly edge: readonly [number, number] | null;
    };

export interface TrialOutcome {
  /** What the edges were taken out of; null where none were. */
  readonly maskedIn: 'model' | 'graph' | null;
  readonly rocAuc: number;
  readonly mrr: number;
  /** The positives or masked edges. */
  readonly pairs: readonly NamedPair[];
  /** Rank of each of them within its target, null where it has none. */
  readonly ranks: readonly (number | null)[];
}

/** The worker that owns model, data and inferer. Every method refuses with a code and one sentence. */
export interface FitApi {
  openModel(file: NamedFile, params: Params): Promise<ModelFacts>;
  openData(file: NamedFile, params: Params): Promise<DataFacts>;
  /**
   * From the start, or on from where the last fit stopped or failed. `run` comes back with its progress, and with all
   * scores of a fit from the start. Rejects where it cannot begin; then nothing is fitted any more. From the start it can
   * have checkpoints, and go on from one.
   */
  fit(params: Params, from: 'start' | 'here', run: number, at?: CheckpointAt | null): Promise<FitOutcome>;
  pause(): void;
  resume(): void;
  /**
   * Ends the opening, fit or trial that was asked for last, and what scatters are read from. A batch in the model at that
   * time is not counted and comes again; of a file that was being opened nothing stays.
   */
  stop(): void;
  /** Resolves once all that was asked for before has ended. */
  rest(): Promise<void>;
  /** Scores of the samples seen, also while a fit is running. Whoever asked before is refused if still waiting. */
  evaluate(params: Params): Promise<ScoredTable>;
  /** The same scores with what resampling says of them. Needs a fit that keeps its samples; `turn` comes back. */
  resample(params: Params, turn: number): Promise<ScoredTable>;
  /**
   * Partial scores of the samples seen, as Arrow IPC bytes, by the model's graph or one in which an edge has changed: it is there
   * where it was not, or gone where it was. They are not put on show.
   */
  partialScores(params: Params, changed: readonly [number, number] | null): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the scoring under way, which rejects; the samples seen stay. */
  stopScoring(): void;
  /** Addresses on this site that the worker has fetched files from. */
  fetched(): string[];
  /** One repeat of a trial; rejects when it is stopped. */
  trial(request: TrialRequest, params: Params, run: number): Promise<TrialOutcome>;
  /** x of the source, and of others, against y of the target; the model runs for it once, not for each pair. */
  magnitudes(
    params: Params,
    source: number,
    target: number,
    others: readonly number[],
  ): Promise<PairMagnitudes>;
  /**
   * The block behind a channel score in one layer pair; of pooled scores the only one. The one asked for before is given up
   * if it is still being worked out.
   */
  channelBlock(params: Params, source: number, target: number, layerPair: number): Promise<ChannelBlock>;
  /** The heatmap is drawn on this canvas from now on. */
  attachHeatmap(canvas: OffscreenCanvas): void;
  /** Lays out the scores of that number; the answer is their largest |score|, null where they do not lie on a GPU (any more). */
  layHeatmap(scores: number, order: Uint32Array): Promise<{ readonly extent: number } | null>;
  /** Draws; false where nothing can be drawn. */
  drawHeatmap(view: View): Promise<boolean>;
  heatmapPicture(view: View): Promise<Pixels | null>;
}
