import { MagnitudeEdgeError } from '../errors.ts';
import { pValuesOf } from '../scores/p-values.ts';
import { buffersOf, type AnswerMessage, type CallMessage, type WorkerError } from './cpu-protocol.ts';
import { LocalSums } from './cpu-sums.ts';
import { connectToParent } from './worker-thread.ts';

/** The program of a worker: {@link LocalSums} of some of the layer pairs, called by messages. */
let sums: LocalSums | undefined;
let scoring: AbortController | undefined;

let lastCall: Promise<void> = Promise.resolve();

const post = connectToParent((data) => {
  const call = data as CallMessage;
  if (call.name === 'abort') {
    scoring?.abort();
    void answer(call, () => undefined);
    return;
  }
  // One after the other, in the order they came, however long each takes.
  lastCall = lastCall.then(() => answer(call, () => run(call)));
});

async function answer(call: CallMessage, work: () => unknown): Promise<void> {
  let message: AnswerMessage;
  try {
    message = { id: call.id, result: await work() };
  } catch (error) {
    message = { id: call.id, error: describe(error) };
  }
  post(message, [...buffersOf(message)]);
}

async function run(call: Exclude<CallMessage, { name: 'abort' }>): Promise<unknown> {
  if (call.name === 'open') {
    sums = new LocalSums(call.argument);
    return sums.products;
  }
  if (sums === undefined) throw new TypeError('A worker must be opened first.');
  switch (call.name) {
    case 'addChannels':
      await sums.addChannels(call.argument);
      return sums.inForce;
    case 'addMagnitudes':
      await sums.addMagnitudes(call.argument);
      return sums.inForce;
    case 'scores':
      scoring = new AbortController();
      return sums.scores({ ...call.argument, signal: scoring.signal });
    case 'pValues':
      return pValuesOf(call.argument, () => undefined);
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

function describe(error: unknown): WorkerError {
  if (error instanceof MagnitudeEdgeError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  // What engines throw for an array that finds no room.
  const code = error instanceof RangeError ? 'out-of-memory' : 'runtime';
  return { code, message: `A worker of the CPU backend failed: ${String(error)}.`, details: {} };
}
