import { MagnitudeEdgeError } from '../errors.ts';

/** Counts the samples that an engine holds, even if it refuses a batch that was already counted. */
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

  /** Counts a batch that the engine has accepted. */
  add(size: number): void {
    this.#sizes.push(size);
  }

  /** Counts the samples of merged statistics. */
  addMerged(samples: number): void {
    this.#merged += samples;
  }

  clear(): void {
    this.#merged = 0;
    this.#sizes = [];
  }

  /** Uncounts the refused batch and all later ones. */
  discardFrom(batch: number): void {
    this.#sizes = this.#sizes.slice(0, batch);
  }
}

/** Number of the batch that an engine refused for a non-finite value of the model, counted since the last reset. */
export function refusedBatch(error: unknown): number | undefined {
  if (!(error instanceof MagnitudeEdgeError) || error.code !== 'non-finite') return undefined;
  const { batch, quantity } = error.details;
  return quantity !== undefined && typeof batch === 'number' ? batch : undefined;
}

/**
 * An engine's refusal in the model's terms: nodes by name, batches as their loader counts them.
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
