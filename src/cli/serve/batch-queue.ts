/**
 * A bounded queue of batches between a pipe and a fit. The bound keeps a host that is faster than the model from
 * filling memory, and batches arrive while the model runs.
 */
export class BatchQueue<T> implements AsyncIterable<T> {
  readonly #capacity: number;
  readonly #waiting: T[] = [];
  #ended = false;
  #changed: Promise<void>;
  #tellChange: () => void = () => undefined;

  /** @param capacity most batches held */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#changed = this.#nextChange();
  }

  /** Resolves once there is space for another batch, or the queue has ended. */
  async push(batch: T): Promise<void> {
    this.#waiting.push(batch);
    this.#wake();
    while (this.#waiting.length >= this.#capacity && !this.#ended) await this.#changed;
  }

  /** Ends the queue: no batches follow, and pending `push` calls resolve. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const batch = this.#waiting.shift();
      if (batch === undefined) {
        if (this.#ended) return;
        await this.#changed;
      } else {
        this.#wake();
        yield batch;
      }
    }
  }

  #wake(): void {
    this.#tellChange();
    this.#changed = this.#nextChange();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#tellChange = resolve;
    });
  }
}
