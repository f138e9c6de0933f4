import { nodeProcess } from '../node-process.ts';

/** How long a page may stay unresponsive, in milliseconds. */
const SLICE_MS = 50;

/** See {@link createYielder}. */
export type Yielder = () => Promise<void> | undefined;

/**
 * Lets long work share its thread: `await yielder()` between pieces of work returns at once until 50 ms have passed,
 * and then yields to the event loop. Throws the signal's reason once it is aborted.
 */
export function createYielder(signal?: AbortSignal): Yielder {
  // Not `performance`, which takes Node milliseconds to load on first use. This clock may be set back meanwhile.
  let start = Date.now();
  return () => {
    signal?.throwIfAborted();
    const elapsed = Date.now() - start;
    if (elapsed >= 0 && elapsed < SLICE_MS) return undefined;
    return nextTurn().then(() => {
      start = Date.now();
      signal?.throwIfAborted();
    });
  };
}

/** Runs work that yields between its pieces, with the yielder of its thread. */
export async function runYielding<T>(work: Generator<undefined, T, undefined>, yielder: Yielder): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await yielder();
  }
}

/** Runs the same work without a pause. */
export function runToEnd<T>(work: Generator<undefined, T, undefined>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/**
 * A turn of the event loop, by message rather than by timer: pages delay nested timers by four milliseconds. Not in
 * Node, where a page-style MessageChannel comes with all of `fetch`, which takes each thread 30 ms to load.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (nodeProcess() !== undefined) {
      setImmediate(resolve);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
