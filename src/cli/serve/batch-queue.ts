/**
 * Batches on their way from a pipe to a fit: a list that waits. So many are held at most, so that a host that is faster
 * than the model fills no memory and a slower one is worked ahead of.
 */
export class BatchQueue<T> implements AsyncIterable<T> {
  readonly #room: number;
  readonly #waiting: T[] = [];
  #ended = false;
  #changed: Promise<void>;
  #tellChange: () => void = () => undefined;

  /** @param room batches that wait at most */
  constructor(room: number) {
    this.#room = room;
    this.#changed = this.#nextChange();
  }

  /** Resolves as soon as there is room for another one, or nobody takes any more. */
  async push(batch: T): Promise<void> {
    this.#waiting.push(batch);
    this.#wake();
    while (this.#waiting.length >= this.#room && !this.#ended) await this.#changed;
  }

  /** No more come, and none is waited for. */
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
