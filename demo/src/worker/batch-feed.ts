import type { Batch } from 'magnitude-edge';
import { nextTask, type Gate } from './clock.ts';

/**
 * One pass over the data, batch by batch, which can be paused, stopped and resumed. A batch counts as seen once
 * `counted` is called; a batch that was handed out and not counted comes again.
 */
export class BatchFeed {
  /** Milliseconds spent at the gate. */
  waited = 0;
  readonly #batches: AsyncIterator<Batch>;
  readonly #gate: Gate;
  #inHand: Batch | null = null;
  #toPass: number;

  /** @param from number of batches to skip */
  constructor(batches: AsyncIterable<Batch>, gate: Gate, from = 0) {
    this.#toPass = from;
    this.#batches = batches[Symbol.asyncIterator]();
    this.#gate = gate;
  }

  /** Skips batches: the first of those not seen yet are already in the statistics. */
  passOver(batches: number): void {
    this.#toPass = batches;
  }

  /** The batch in hand is in the statistics. */
  counted(): void {
    this.#inHand = null;
  }

  /** The batches not seen yet, while the gate is open; ends once `signal` is aborted. */
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
