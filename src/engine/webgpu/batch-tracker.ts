import { MagnitudeEdgeError } from '../../errors.ts';
import type { NonFiniteFlag } from './statistics/non-finite-flag.ts';

/** Batches in flight before the engine waits for the GPU to check them. */
const BATCHES_AHEAD = 4;

/**
 * The batches that a WebGPU engine has received since its last reset. Commands are submitted before earlier batches are
 * checked: a batch counts once a readback shows that its values are finite. After a refused batch no more are accepted;
 * after a failure of the GPU the sums cannot be trusted either.
 */
export class BatchTracker {
  readonly #record: NonFiniteFlag;
  readonly #nodes: number;
  #batches = 0;
  #samples = 0;
  /** Batches whose check is pending */
  #unconfirmed: { batch: number; size: number }[] = [];
  /** Outcome of the commands submitted since the last check */
  #submits: Promise<void>[] = [];
  /** The check in progress; never rejects */
  #check: Promise<void> | undefined;
  #refusal: MagnitudeEdgeError | undefined;
  #failure: Error | undefined;

  /** @param record where the kernels record the first non-finite batch; empty */
  constructor(record: NonFiniteFlag, nodes: number) {
    this.#record = record;
    this.#nodes = nodes;
  }

  /** Batches received, refused ones included */
  get batches(): number {
    return this.#batches;
  }

  /** Samples known to be counted */
  get samples(): number {
    return this.#samples;
  }

  /** Registers a batch and returns its number. */
  begin(size: number): number {
    const batch = this.#batches++;
    this.#unconfirmed.push({ batch, size });
    return batch;
  }

  /** Sets the number of samples counted, after statistics were merged. */
  holds(samples: number): void {
    this.#samples = samples;
  }

  /** Leaves errors of submitted commands to the next check. */
  watch(submit: Promise<void>): void {
    // The check handles rejections; until then they must not count as unhandled.
    submit.catch(ignore);
    this.#submits.push(submit);
  }

  /** Starts a check of the batches received, and waits if too many are in flight. */
  async keepUp(): Promise<void> {
    // One check covers several batches unless the GPU answers faster than batches arrive.
    this.#check ??= this.#ask();
    if (this.#unconfirmed.length > BATCHES_AHEAD) await this.confirmed();
  }

  /** Waits until every batch received has been checked. Never rejects. */
  async confirmed(): Promise<void> {
    while (this.#unconfirmed.length > 0 && this.#refusal === undefined && this.#failure === undefined) {
      await (this.#check ??= this.#ask());
    }
    await this.#check;
  }

  /** @throws why no more batches are accepted: `non-finite`, or what failed */
  assertOpen(): void {
    const error = this.#failure ?? this.#refusal;
    if (error !== undefined) throw error;
  }

  /**
   * Runs work on the sums unless an earlier failure has invalidated them; if it fails, it invalidates them.
   *
   * @param signal an abort by it only defers the work and is no failure
   * @throws the failure; the signal's reason
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

  /** Reads from the GPU whether the batches received so far were finite, and counts those that were. */
  async #ask(): Promise<void> {
    const end = this.#batches;
    try {
      const [found] = await Promise.all([this.#record.read(this.#nodes), ...this.#submits.splice(0)]);
      // The record may name a batch received since: all before the first refused one were finite.
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
