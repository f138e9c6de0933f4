/** How long a page may stay without answering, in milliseconds. */
const SLICE_MS = 50;

/** See {@link createPacer}. */
export type Pacer = () => Promise<void> | undefined;

/**
 * Lets long work share its thread: `await pacer()` between pieces of work returns at once until 50 ms have gone by,
 * and then lets the event loop turn. Throws the signal's reason once it is aborted.
 */
export function createPacer(signal?: AbortSignal): Pacer {
  let deadline = performance.now() + SLICE_MS;
  return () => {
    signal?.throwIfAborted();
    if (performance.now() < deadline) return undefined;
    return nextTurn().then(() => {
      deadline = performance.now() + SLICE_MS;
      signal?.throwIfAborted();
    });
  };
}

/** A turn of the event loop, by message rather than by timer: pages hold nested timers back for four milliseconds. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
