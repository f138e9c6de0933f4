import { MagnitudeEdgeError } from '../errors.ts';
import { sumsBytes } from '../statistics/cpu-accumulator.ts';

/**
 * Runs work. If an allocation fails, throws an error that says how much memory was needed.
 *
 * @throws `out-of-memory`
 */
export async function withOutOfMemoryError<T>(
  { nodes, pairs }: { readonly nodes: number; readonly pairs: number },
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // JavaScript engines throw a RangeError if an array cannot be allocated.
    if (!(cause instanceof RangeError)) throw cause;
    const bytes = sumsBytes(nodes, pairs);
    const scores = 8 * nodes ** 2;
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `There is not enough memory for statistics of ${nodes} function nodes and ${pairs} layer pairs: the sums take ${bytes} bytes and a matrix of scores ${scores}.`,
      { details: { nodes, pairs, bytes, scores }, cause },
    );
  }
}
