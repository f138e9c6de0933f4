/** Runs one piece of work after the other, in the order in which they are handed in, whatever becomes of them. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** What the work gives or throws, once all that was handed in before it has ended and then it itself. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.then(ignore, ignore);
    return done;
  }

  /** Waits until all that has been handed in so far has ended. Does not reject. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

function ignore(): void {
  // What work refuses is told to whoever handed it in; the next one goes on.
}
