import { MagnitudeEdgeError } from '../errors.ts';
import { buffersOf, type AnswerMessage, type CallMessage, type WorkerError } from './cpu-protocol.ts';
import { LocalSums } from './cpu-sums.ts';
import { connectToParent } from './worker-thread.ts';

/** The program of a worker: {@link LocalSums} of some of the layer pairs, called by messages. */
let sums: LocalSums | undefined;
let scoring: AbortController | undefined;

const post = connectToParent((data) => void answer(data as CallMessage));

async function answer(call: CallMessage): Promise<void> {
  let message: AnswerMessage;
  try {
    message = { id: call.id, result: await run(call) };
  } catch (error) {
    message = { id: call.id, error: describe(error) };
  }
  post(message, [...buffersOf(message)]);
}

/** Batches, resets and merges are done when this returns, so that calls take effect in the order they came. */
function run(call: CallMessage): unknown {
  if (call.name === 'open') {
    sums = new LocalSums(call.argument);
    return sums.products;
  }
  if (sums === undefined) throw new TypeError('A worker must be opened first.');
  switch (call.name) {
    case 'addChannels':
      sums.addChannels(call.argument);
      return undefined;
    case 'addMagnitudes':
      sums.addMagnitudes(call.argument);
      return undefined;
    case 'scores':
      scoring = new AbortController();
      return sums.scores({ ...call.argument, signal: scoring.signal });
    case 'statistics':
      return sums.statistics();
    case 'merge':
      sums.merge(call.argument);
      return undefined;
    case 'reset':
      sums.reset();
      return undefined;
    case 'abort':
      scoring?.abort();
      return undefined;
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
