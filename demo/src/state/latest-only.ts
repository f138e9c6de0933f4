/**
 * For work that is requested more often than it can be done: one run at a time, and one more afterwards if it was
 * requested meanwhile. `isLatest` tells a run whether its answer is still wanted.
 */
export function latestOnly(
  work: (isLatest: () => boolean) => Promise<void>,
  onError: (error: unknown) => void,
): () => void {
  let asked = 0;
  let busy = false;
  const run = async () => {
    busy = true;
    let done = 0;
    while (done !== asked) {
      const turn = asked;
      try {
        await work(() => asked === turn);
      } catch (error) {
        onError(error);
      }
      done = turn;
    }
    busy = false;
  };
  return () => {
    asked++;
    if (!busy) void run();
  };
}
