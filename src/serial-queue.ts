/** Runs work one piece after the other, in the order of the calls, whether earlier pieces succeed or fail. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the work once all earlier work has ended. Resolves or rejects as the work does. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.then(ignore, ignore);
    return done;
  }

  /** Waits until all work queued so far has ended. Does not reject. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

function ignore(): void {
  // The caller of `run` gets the error; the queue continues.
}
