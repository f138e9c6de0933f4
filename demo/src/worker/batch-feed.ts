import type { Batch } from 'magnitude-edge';
import { nextTask, type Gate } from './clock.ts';

/**
 * One pass over the data, a batch at a time: it can be paused, stopped, and gone on with where it was. A batch counts as
 * seen when `counted` says so; one that was handed out and not counted comes again.
 */
export class BatchFeed {
  /** Milliseconds spent at the gate. */
  waited = 0;
  readonly #batches: AsyncIterator<Batch>;
  readonly #gate: Gate;
  #inHand: Batch | null = null;
  #toPass: number;

  /** @param from batches to pass over */
  constructor(batches: AsyncIterable<Batch>, gate: Gate, from = 0) {
    this.#toPass = from;
    this.#batches = batches[Symbol.asyncIterator]();
    this.#gate = gate;
  }

  /** Of the batches not seen yet, the first ones are in the statistics already. */
  passOver(batches: number): void {
    this.#toPass = batches;
  }

  /** The batch in hand is in the statistics. */
  counted(): void {
    this.#inHand = null;
  }

  /** The batches not seen yet, while the gate is open; none once `signal` is aborted. */
  async *handOut(signal: AbortSignal): AsyncGenerator<Batch> {
    for (;;) {
      const arrived = performance.now();
      await this.#gate.passed();
      this.waited += performance.now() - arrived;
      await nextTask();
      if (signal.aborted) return;
      this.#inHand ??= await this.#next();
      if (!this.#inHand) return;
      yield this.#inHand;
    }
  }

  async #next(): Promise<Batch | null> {
    for (; this.#toPass > 0; this.#toPass--) await this.#batches.next();
    const next = await this.#batches.next();
    return next.done ? null : next.value;
  }
}
