import { MagnitudeEdgeError } from '../errors.ts';
import { buffersOf, type AnswerMessage, type WorkerError } from './cpu/worker-protocol.ts';
import { connectToParent } from './worker-thread.ts';

/** A worker's own side: answers calls in the order they come, and says what they fail with. */
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

/** An error as it crosses to another thread. */
export function describeError(error: unknown): WorkerError {
  if (error instanceof MagnitudeEdgeError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  // What engines throw for an array that finds no room.
  const code = error instanceof RangeError ? 'out-of-memory' : 'runtime';
  return { code, message: `A worker of the CPU backend failed: ${String(error)}.`, details: {} };
}
