import type { Params } from '../state/params.ts';
import type { NamedFile } from '../state/inputs.ts';
import type { NamedPair } from './table-protocol.ts';

/** What the sheet says about the model. */
export interface ModelFacts {
  readonly inputs: readonly string[];
  readonly functions: readonly string[];
  readonly outputs: readonly string[];
  /** Function -> function edges as (source, target), self edges included. */
  readonly edges: readonly (readonly [number, number])[];
  readonly layers: number;
  readonly norm: string;
}

export interface DataFacts {
  readonly samples: number;
}

/** Where a fit stands. */
export interface Progress {
  readonly samples: number;
  readonly total: number;
  /** Seconds spent fitting, pauses and live scores left out. */
  readonly seconds: number;
}

export interface FitOutcome {
  /** All samples were seen; else the fit was stopped and can go on from there. */
  readonly complete: boolean;
  readonly samples: number;
  readonly seconds: number;
  readonly backend: string;
  /** Where the model runs. */
  readonly provider: string;
  /** Adapter, threads, fallbacks: one sentence each. */
  readonly notes: readonly string[];
}

/** An edge table as Arrow IPC bytes, with the parameters that made it. */
export interface ScoredTable {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly seconds: number;
}

/** Magnitudes of one pair of nodes over the first samples: `[samples]` for each layer pair. */
export interface PairMagnitudes {
  readonly x: readonly Float32Array[];
  readonly y: readonly Float32Array[];
}

/** One repeat of a trial on the statistics held. The repeat is the seed; repeat 0 of 'permute' is the graph itself. */
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
  readonly rocAuc: number;
  readonly mrr: number;
  /** Rank of each positive or masked edge within its target, null where it has none. */
  readonly ranks: readonly (number | null)[];
}

/** The worker that owns model, data and inferer. Every method refuses with a code and one sentence. */
export interface FitApi {
  openModel(file: NamedFile, params: Params): Promise<ModelFacts>;
  openData(file: NamedFile, params: Params): Promise<DataFacts>;
  /** From the start, or on from where the last fit stopped. One at a time. */
  fit(params: Params, from: 'start' | 'here'): Promise<FitOutcome>;
  pause(): void;
  resume(): void;
  /** Ends the running fit after the batch in hand. */
  stop(): void;
  /** Scores of the samples seen, also while a fit is running. */
  evaluate(params: Params): Promise<ScoredTable>;
  /** Addresses on this site that the worker has fetched files from. */
  fetched(): string[];
  /** Scores by another graph. */
  trial(request: TrialRequest, params: Params): Promise<TrialOutcome>;
  /** x of the source against y of the target; the model runs for it once, not for each pair. */
  magnitudes(params: Params, source: number, target: number): Promise<PairMagnitudes>;
}
