import { MagnitudeEdgeError } from '../errors.ts';

/** Counts the samples that an engine holds, also after it has refused a batch that it had already taken in. */
export class SampleCounter {
  #merged = 0;
  #sizes: number[] = [];

  /** n */
  get samples(): number {
    return this.#sizes.reduce((sum, size) => sum + size, this.#merged);
  }

  /** Batches since the last reset: the engine's own numbering. */
  get batches(): number {
    return this.#sizes.length;
  }

  /** A batch that the engine took in. */
  add(size: number): void {
    this.#sizes.push(size);
  }

  /** Samples that came with merged statistics. */
  addMerged(samples: number): void {
    this.#merged += samples;
  }

  clear(): void {
    this.#merged = 0;
    this.#sizes = [];
  }

  /** Takes back the batches that an engine's refusal does not count. */
  takeBackFrom(batch: number): void {
    this.#sizes = this.#sizes.slice(0, batch);
  }
}

/** An engine's refusal of a value that the model gave: which batch, counted since the last reset. */
export function refusedBatch(error: unknown): number | undefined {
  if (!(error instanceof MagnitudeEdgeError) || error.code !== 'non-finite') return undefined;
  const { batch, quantity } = error.details;
  return quantity !== undefined && typeof batch === 'number' ? batch : undefined;
}

/**
 * An engine's refusal in the words of the model: nodes by name, batches as their loader counts them.
 * @param firstBatch the engine's number of the loader's first batch
 */
export function refusalInModelTerms(
  error: MagnitudeEdgeError,
  functionNames: readonly string[],
  firstBatch: number,
): MagnitudeEdgeError {
  const { quantity, layer, node } = error.details;
  const batch = Number(error.details.batch) - firstBatch;
  const name = functionNames[Number(node)] ?? 'none';
  return new MagnitudeEdgeError(
    'non-finite',
    `Batch ${batch}: the ${String(quantity)} of block ${String(layer)} at function node '${name}' came out of the model as NaN or infinite; the statistics of earlier batches are unchanged.`,
    {
      details: { batch, quantity: String(quantity), layer: Number(layer), node: name },
      cause: error,
    },
  );
}
