/**
 * What all of some work gives, as `Promise.all`, but only once all of it has ended: when it throws (the first reason in
 * order), nothing works any more on what it was handed.
 */
export async function allSettledOrThrow<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
