/**
 * As `Promise.all`, but waits for all of the work to end. When it throws (the first rejection in order), none of the
 * work is still running.
 */
export async function allSettledOrThrow<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
