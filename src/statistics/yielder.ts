import { nodeProcess } from '../node-process.ts';

/** How long a page may stay without answering, in milliseconds. */
const SLICE_MS = 50;

/** See {@link createYielder}. */
export type Yielder = () => Promise<void> | undefined;

/**
 * Lets long work share its thread: `await pacer()` between pieces of work returns at once until 50 ms have gone by,
 * and then lets the event loop turn. Throws the signal's reason once it is aborted.
 */
export function createYielder(signal?: AbortSignal): Yielder {
  // Not `performance`, which Node loads when it is first asked for, in milliseconds. This clock may be set anew meanwhile.
  let start = Date.now();
  return () => {
    signal?.throwIfAborted();
    const gone = Date.now() - start;
    if (gone >= 0 && gone < SLICE_MS) return undefined;
    return nextTurn().then(() => {
      start = Date.now();
      signal?.throwIfAborted();
    });
  };
}

/** Work that yields between its pieces, done by the yielder of the thread it runs on. */
export async function runYielding<T>(work: Generator<undefined, T, undefined>, yielder: Yielder): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    await yielder();
  }
}

/** The same work without a pause. */
export function runToEnd<T>(work: Generator<undefined, T, undefined>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/**
 * A turn of the event loop, by message rather than by timer: pages hold nested timers back for four milliseconds. Not in Node,
 * where a message like those of pages comes with all of `fetch`, which each thread takes 30 ms to load.
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
