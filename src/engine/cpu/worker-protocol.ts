import type { ErrorCode, ErrorDetails } from '../../errors.ts';
import type { FloatArray } from '../../ranking/order.ts';
import type { LayerAggregation, ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import type { BucketOrder, PartitionedRows, SortedPlaces } from '../../ranking/partitioned-rows.ts';
import type { TargetRange } from '../../scoring/target-panels.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import type { HostChannelBatch, PlanInForce, SumsShape } from './cpu-sums.ts';
import type { MagnitudeBatch } from '../engine.ts';

/** Answer to a batch. */
export interface Added {
  readonly inForce: PlanInForce;
  /** The batch's arrays, which the worker no longer needs; empty if they were transferable */
  readonly spent: readonly Float32Array[];
}

/**
 * Calls to a worker that keeps sums, and their results. Arrays are transferred both ways, unless their memory is
 * shared.
 */
export interface WorkerCalls {
  /** First call: the layer pairs of this worker, counted from 0. Returns a description of the arithmetic. */
  open: { argument: SumsShape; result: string };
  addChannels: { argument: HostChannelBatch; result: Added };
  addMagnitudes: { argument: MagnitudeBatch; result: Added };
  /** Rows `first .. end` of ScoreThreads.pValues, which are independent of the worker's sums; returns `out` */
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
  /** Takes a snapshot and keeps it under a number */
  snapshot: { argument: number; result: undefined };
  dropSnapshot: { argument: number; result: undefined };
  /** Prepares to form the panels of a request, until `closePanels` */
  openPanels: {
    argument: { readonly snapshot: number; readonly request: Omit<TargetsRequest, 'signal'> };
    result: undefined;
  };
  /** Fills the beginning of `out` with the scores of a panel and returns it; see PanelScorer */
  panel: {
    argument: { readonly pair: number; readonly panel: TargetRange; readonly out: Float64Array };
    result: Float64Array;
  };
  /** Returns the flags of the nodes in everything scored, see PanelScorer */
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
  /** Stops earlier calls of `openPanels`, `panel` and `scoresAt`; bypasses the queue */
  abort: { argument: undefined; result: undefined };
}
/** Calls by name: argument and result of each. */
export type CallTable<Names extends string = string> = Record<Names, { argument: unknown; result: unknown }>;

/** One call as posted to a worker. */
export type AnyCall<Calls extends CallTable<Extract<keyof Calls, string>>> = {
  [Name in Extract<keyof Calls, string>]: {
    readonly id: number;
    readonly name: Name;
    readonly argument: Calls[Name]['argument'];
  };
}[Extract<keyof Calls, string>];

export type CallMessage = AnyCall<WorkerCalls>;

/** The answer to the call with that number. */
export type AnswerMessage =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: WorkerError };

/** An error as posted to another thread, which loses its class. */
export interface WorkerError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The buffers of all typed arrays in a message, each once, to be transferred instead of copied. */
export function buffersOf(value: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  } else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) buffersOf(part, found);
  }
  return found;
}
