import type { ErrorCode, ErrorDetails } from '../../errors.ts';
import type { FloatArray } from '../../ranking/order.ts';
import type { LayerAggregation, ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import type { BucketOrder, PartitionedRows, SortedPlaces } from '../../ranking/partitioned-rows.ts';
import type { TargetRange } from '../../scoring/target-panels.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import type { HostChannelBatch, PlanInForce, SumsShape } from './cpu-sums.ts';
import type { MagnitudeBatch } from '../engine.ts';

/** What comes back of a batch. */
export interface Added {
  readonly inForce: PlanInForce;
  /** Its arrays, which are of no more use to the worker; none of those that were transferable */
  readonly spent: readonly Float32Array[];
}

/** What a worker that keeps sums is asked, and what it answers with; arrays of both ways change hands, unless their memory is shared. */
export interface WorkerCalls {
  /** Comes first: the layer pairs of this worker, counted from 0. Answers with how it works. */
  open: { argument: SumsShape; result: string };
  addChannels: { argument: HostChannelBatch; result: Added };
  addMagnitudes: { argument: MagnitudeBatch; result: Added };
  /** Rows `first .. end` of ScoreThreads.pValues, which need not have to do with what the worker keeps; `out` comes back */
  pValues: {
    argument: {
      readonly scores: FloatArray;
      readonly roots: Float64Array;
      readonly first: number;
      readonly end: number;
      readonly out: Float64Array;
    };
    result: Float64Array;
  };
  /** Buckets `first .. end` of ScoreThreads.sortBuckets */
  sortBuckets: {
    argument: {
      readonly partitioned: PartitionedRows<FloatArray>;
      readonly first: number;
      readonly end: number;
      readonly out: SortedPlaces;
    };
    result: undefined;
  };
  /** Some arrays of ScoreThreads.reorder */
  reorder: {
    argument: { readonly arrays: readonly FloatArray[]; readonly order: BucketOrder };
    result: readonly FloatArray[];
  };
  /** Elements `first .. end` of ScoreThreads.aggregate */
  aggregate: {
    argument: {
      readonly perPair: readonly FloatArray[];
      readonly layerAgg: LayerAggregation;
      readonly first: number;
      readonly end: number;
      readonly out: Float64Array;
    };
    result: undefined;
  };
  /** Takes a snapshot, and keeps it under a number */
  snapshot: { argument: number; result: undefined };
  dropSnapshot: { argument: number; result: undefined };
  /** Gets ready to form the panels of a request, until `closePanels` */
  openPanels: {
    argument: { readonly snapshot: number; readonly request: Omit<TargetsRequest, 'signal'> };
    result: undefined;
  };
  /** Fills the beginning of `out`, which comes back, with the scores of a panel; see PanelScorer */
  panel: {
    argument: { readonly pair: number; readonly panel: TargetRange; readonly out: Float64Array };
    result: Float64Array;
  };
  /** Answers with the flags of the nodes in all that was scored, see PanelScorer */
  closePanels: { argument: undefined; result: Uint8Array | undefined };
  /** See CpuSnapshot.scoresAt */
  scoresAt: {
    argument: {
      readonly snapshot: number;
      readonly request: Omit<ScoreRequest, 'signal'>;
      readonly pairIndices: Uint32Array;
    };
    result: Float64Array[];
  };
  statistics: { argument: undefined; result: SufficientStatistics };
  merge: { argument: SufficientStatistics; result: PlanInForce };
  reset: { argument: undefined; result: PlanInForce };
  /** Stops `openPanels`, `panel` and `scoresAt` that were called before it, out of turn */
  abort: { argument: undefined; result: undefined };
}
/** Calls by name: what each takes, and what it answers with. */
export type CallTable<Names extends string = string> = Record<Names, { argument: unknown; result: unknown }>;

/** One call on its way to a worker. */
export type AnyCall<Calls extends CallTable<Extract<keyof Calls, string>>> = {
  [Name in Extract<keyof Calls, string>]: {
    readonly id: number;
    readonly name: Name;
    readonly argument: Calls[Name]['argument'];
  };
}[Extract<keyof Calls, string>];

export type CallMessage = AnyCall<WorkerCalls>;

/** The answer to the call of that number. */
export type AnswerMessage =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: WorkerError };

/** An error as it crosses to another thread, which classes do not. */
export interface WorkerError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The buffers of all typed arrays in a message, each once: what is transferred instead of copied. */
export function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) buffersOf(part, found);
  }
  return found;
}
