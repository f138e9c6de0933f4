import { MagnitudeEdgeError } from '../../errors.ts';
import type { NonFiniteFlag } from './statistics/non-finite-flag.ts';

/** Batches that may be under way before the engine waits for the GPU to have looked at them. */
const BATCHES_AHEAD = 4;

/**
 * The batches that a WebGPU engine has taken in since its last reset. Commands run ahead of what is known of them: a
 * batch counts once the GPU has been asked, and found its values finite. After a refused one no more are taken in; after
 * a failure of the GPU the sums cannot be trusted either.
 */
export class BatchTracker {
  readonly #record: NonFiniteFlag;
  readonly #nodes: number;
  #batches = 0;
  #samples = 0;
  /** Batches whose values the GPU has yet to be asked about */
  #unconfirmed: { batch: number; size: number }[] = [];
  /** What the GPU has to say of commands since the last check */
  #submits: Promise<void>[] = [];
  /** The check under way; it does not reject */
  #check: Promise<void> | undefined;
  #refusal: MagnitudeEdgeError | undefined;
  #failure: Error | undefined;

  /** @param record where the kernels note the first batch that is not finite; empty */
  constructor(record: NonFiniteFlag, nodes: number) {
    this.#record = record;
    this.#nodes = nodes;
  }

  /** Batches taken in, refused ones with them */
  get batches(): number {
    return this.#batches;
  }

  /** Samples known to be counted */
  get samples(): number {
    return this.#samples;
  }

  /** Counts a batch as taken in, and gives its number. */
  begin(size: number): number {
    const batch = this.#batches++;
    this.#unconfirmed.push({ batch, size });
    return batch;
  }

  /** Samples came with merged statistics: so many are held now. */
  holds(samples: number): void {
    this.#samples = samples;
  }

  /** Keeps what the GPU may yet find wrong with commands for the next check. */
  watch(submit: Promise<void>): void {
    // Rejections are seen to by the check; until then they are nobody's.
    submit.catch(ignore);
    this.#submits.push(submit);
  }

  /** Starts to ask the GPU about the batches taken in, and waits where too many are under way. */
  async keepUp(): Promise<void> {
    // A batch costs a look of its own only where the GPU answers faster than batches come.
    this.#check ??= this.#ask();
    if (this.#unconfirmed.length > BATCHES_AHEAD) await this.confirmed();
  }

  /** Waits until every batch taken in has been looked at. Does not reject. */
  async confirmed(): Promise<void> {
    while (this.#unconfirmed.length > 0 && this.#refusal === undefined && this.#failure === undefined) {
      await (this.#check ??= this.#ask());
    }
    await this.#check;
  }

  /** @throws why no more batches are taken in: `non-finite`, or what failed */
  assertOpen(): void {
    const error = this.#failure ?? this.#refusal;
    if (error !== undefined) throw error;
  }

  /**
   * Runs what must not go wrong, unless something has: where it does, the sums cannot be trusted any more.
   *
   * @param signal whose abort puts the work off, which is nothing wrong
   * @throws what went wrong; the signal's reason
   */
  async orFail(work: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    try {
      if (this.#failure === undefined) await work();
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      this.#failure ??= asError(error);
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Asks the GPU whether the batches taken in so far were finite, and counts those that were. */
  async #ask(): Promise<void> {
    const end = this.#batches;
    try {
      const [found] = await Promise.all([this.#record.read(this.#nodes), ...this.#submits.splice(0)]);
      // The record may tell of a batch taken in since: all before the first refused one were finite.
      const counted = found?.batch ?? end;
      while (this.#unconfirmed.length > 0 && this.#unconfirmed[0]!.batch < counted) {
        this.#samples += this.#unconfirmed.shift()!.size;
      }
      this.#refusal ??= found?.error;
    } catch (error) {
      this.#failure ??= asError(error);
    }
    this.#check = undefined;
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new MagnitudeEdgeError('gpu-validation', String(cause), { cause });
}

function ignore(): void {
  // Awaited again by the check.
}
