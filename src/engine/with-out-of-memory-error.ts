import { MagnitudeEdgeError } from '../errors.ts';
import { sumsBytes } from '../statistics/cpu-accumulator.ts';

/**
 * Runs work and says what found no room, where it fails for that.
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
    // What engines throw for an array that finds no room.
    if (!(cause instanceof RangeError)) throw cause;
    const bytes = sumsBytes(nodes, pairs);
    const scores = 8 * nodes ** 2;
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `Statistics of ${nodes} function nodes and ${pairs} layer pairs, of which the sums take ${bytes} bytes and a matrix of scores ${scores}, found no room.`,
      { details: { nodes, pairs, bytes, scores }, cause },
    );
  }
}
