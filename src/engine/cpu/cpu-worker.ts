import { aggregatePairs } from '../../scoring/aggregate.ts';
import { pValuesOfRows } from '../../ranking/p-values.ts';
import type { PanelScorer } from '../../scoring/panel-scorer.ts';
import { reorder, sortBuckets } from '../../ranking/partitioned-rows.ts';
import { SerialQueue } from '../../serial-queue.ts';
import { discard } from '../../statistics/discard.ts';
import { nextTurn, runToEnd } from '../../statistics/yielder.ts';
import { describeError } from '../answer-calls.ts';
import { buffersOf, type Added, type AnswerMessage, type CallMessage } from './worker-protocol.ts';
import type { LocalSnapshot } from './local-snapshot.ts';
import { LocalSums } from './cpu-sums.ts';
import { withOutOfMemoryError } from '../with-out-of-memory-error.ts';
import { connectToParent } from '../worker-thread.ts';

/** Program of a worker: {@link LocalSums} of some of the layer pairs, called by messages. */
let sums: LocalSums | undefined;
let shape = { nodes: 0, pairs: 0 };
const snapshots = new Map<number, LocalSnapshot>();
let panels: PanelScorer | undefined;
let scoring: AbortController | undefined;
/** Number of the last call to abort: scoring requested before it does not start. */
let aborted = -1;

/** Calls in the order they came, however long each takes */
const queue = new SerialQueue();
/** Calls received and not yet answered */
let unanswered = 0;

const post = connectToParent((data) => {
  const call = data as CallMessage;
  if (call.name === 'abort') {
    aborted = call.id;
    scoring?.abort();
    void answer(call, () => undefined);
    return;
  }
  unanswered++;
  void queue.run(async () => {
    await answer(call, () => run(call));
    unanswered--;
    workAhead();
  });
});

/** Forms products tile by tile, as long as rows are pending and no call is. */
function workAhead(): void {
  if (unanswered > 0 || panels !== undefined) return;
  void nextTurn().then(() =>
    queue.run(async () => {
      // The call that needs the products will report that memory ran out.
      if (unanswered === 0 && (await sums?.formAhead().catch(() => false))) workAhead();
    }),
  );
}

async function answer(call: CallMessage, work: () => unknown): Promise<void> {
  let message: AnswerMessage;
  try {
    message = { id: call.id, result: await work() };
  } catch (error) {
    message = { id: call.id, error: describeError(error) };
  }
  post(message, [...buffersOf(message)]);
}

async function run(call: Exclude<CallMessage, { name: 'abort' }>): Promise<unknown> {
  if (call.name === 'open') {
    shape = call.argument;
    sums = new LocalSums(call.argument);
    return sums.arithmetic;
  }
  if (sums === undefined) throw new TypeError('A worker must be opened first.');
  switch (call.name) {
    case 'addChannels': {
      const { activations, gradients, transferable } = call.argument;
      await sums.addChannels(call.argument);
      return added(sums, [...activations, ...gradients], transferable);
    }
    case 'addMagnitudes': {
      const { x, y, transferable } = call.argument;
      await sums.addMagnitudes(call.argument);
      return added(sums, [...x, ...y], transferable);
    }
    case 'snapshot':
      snapshots.set(call.argument, sums.snapshot());
      return undefined;
    case 'dropSnapshot':
      snapshots.delete(call.argument);
      return undefined;
    case 'openPanels': {
      const { snapshot, request } = call.argument;
      panels = await snapshots.get(snapshot)!.scorer({ ...request, signal: begin(call.id) });
      return undefined;
    }
    case 'panel': {
      const { pair, panel, out } = call.argument;
      if (panels === undefined) throw new TypeError('No panels are open.');
      const scorer = panels;
      await withOutOfMemoryError(shape, () => scorer.score(pair, panel, out));
      return out;
    }
    case 'scoresAt': {
      const { snapshot, request, pairIndices } = call.argument;
      return snapshots.get(snapshot)!.scoresAt({ ...request, signal: begin(call.id) }, pairIndices);
    }
    case 'closePanels': {
      const nodeFlags = panels?.nodeFlags;
      panels?.release();
      panels = undefined;
      return nodeFlags;
    }
    case 'pValues': {
      const { scores, roots, first, end, out } = call.argument;
      runToEnd(pValuesOfRows(scores, roots, out, first, end));
      return out;
    }
    case 'sortBuckets': {
      const { partitioned, first, end, out } = call.argument;
      runToEnd(sortBuckets(partitioned, first, end, out));
      return undefined;
    }
    case 'reorder': {
      const { arrays, order } = call.argument;
      return runToEnd(reorder(arrays, order));
    }
    case 'aggregate': {
      const { perPair, layerAgg, first, end, out } = call.argument;
      aggregatePairs(perPair, layerAgg, first, end, out);
      return undefined;
    }
    case 'statistics':
      return sums.statistics();
    case 'merge':
      await sums.merge(call.argument);
      return sums.inForce;
    case 'reset':
      sums.reset();
      return sums.inForce;
  }
}

/** Returns copies for reuse. Transferred arrays have no owner any more, so their memory is freed. */
function added({ inForce }: LocalSums, arrays: readonly Float32Array[], transferred = false): Added {
  if (!transferred) return { inForce, spent: arrays };
  discard(...arrays);
  return { inForce, spent: [] };
}

/** The signal of scoring requested by the call with this number. */
function begin(id: number): AbortSignal {
  scoring = new AbortController();
  if (id < aborted) scoring.abort();
  return scoring.signal;
}
