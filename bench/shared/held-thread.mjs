/* global setInterval, clearInterval */
/**
 * Watches for how long the calling thread, of Node or of a page, does not come back to its event loop.
 * @returns {{ stop(): number }} `stop` ends it and gives the longest time, in milliseconds
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
