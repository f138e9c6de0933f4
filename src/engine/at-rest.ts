/**
 * What all of some work gives, as `Promise.all`, but once all of it has come to rest: when it fails, nothing is at work any
 * more on what it was handed.
 */
export async function atRest<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
