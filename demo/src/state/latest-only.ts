/**
 * Work that is asked for more often than it can be done: one run at a time, and after it one more if anything was asked
 * meanwhile. `isLatest` tells a run whether its answer is still wanted.
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
