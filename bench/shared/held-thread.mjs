/* global setInterval, clearInterval */
/**
 * Measures the longest time that the calling thread, of Node or of a page, does not return to its event loop.
 * @returns {{ stop(): number }} `stop` ends it and returns the longest time, in milliseconds
 */
export function watchThread() {
  let [held, last] = [0, performance.now()];
  const look = () => {
    const now = performance.now();
    held = Math.max(held, now - last);
    last = now;
  };
  const clock = setInterval(look, 4);
  return {
    stop() {
      clearInterval(clock);
      return held;
    },
  };
}
