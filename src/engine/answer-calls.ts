import { MagnitudeEdgeError } from '../errors.ts';
import { buffersOf, type AnswerMessage, type WorkerError } from './cpu/worker-protocol.ts';
import { connectToParent } from './worker-thread.ts';

/** Worker side: answers calls in the order they arrive, and posts back the errors they throw. */
export function answerCalls(run: (call: unknown) => unknown): void {
  const post = connectToParent((data) => {
    const { id } = data as { readonly id: number };
    let message: AnswerMessage;
    try {
      message = { id, result: run(data) };
    } catch (error) {
      message = { id, error: describeError(error) };
    }
    post(message, [...buffersOf(message)]);
  });
}

/** An error in the form that is posted to another thread. */
export function describeError(error: unknown): WorkerError {
  if (error instanceof MagnitudeEdgeError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  // JavaScript engines throw a RangeError if an array cannot be allocated.
  const code = error instanceof RangeError ? 'out-of-memory' : 'runtime';
  return { code, message: `A worker of the CPU backend failed: ${String(error)}.`, details: {} };
}
