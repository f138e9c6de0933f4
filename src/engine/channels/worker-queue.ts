interface Waiting<W> {
  readonly order: number;
  readonly start: (worker: W) => void;
  readonly refuse: (reason: unknown) => void;
}

/** Gives each free worker one piece of the pending work, lowest order first. */
export class WorkerQueue<W> {
  readonly #free: W[];
  #waiting: Waiting<W>[] = [];
  #failure: { readonly reason: unknown } | undefined;

  constructor(workers: readonly W[]) {
    this.#free = [...workers];
  }

  /**
   * Runs work as soon as a worker is free and nothing of lower order is pending. After a failure, work that has not
   * started is rejected for the same reason.
   */
  async run<R>(order: number, work: (worker: W) => Promise<R>): Promise<R> {
    const worker = await this.#next(order);
    try {
      return await work(worker);
    } catch (reason) {
      this.#failure ??= { reason };
      for (const { refuse } of this.#waiting) refuse(reason);
      this.#waiting = [];
      throw reason;
    } finally {
      this.#giveBack(worker);
    }
  }

  #next(order: number): Promise<W> {
    return new Promise((start, refuse) => {
      if (this.#failure !== undefined) throw this.#failure.reason;
      const worker = this.#free.pop();
      if (worker !== undefined) start(worker);
      else this.#waiting.push({ order, start, refuse });
    });
  }

  #giveBack(worker: W): void {
    const first = this.#waiting.reduce<Waiting<W> | undefined>(
      (least, one) => (least === undefined || one.order < least.order ? one : least),
      undefined,
    );
    if (first === undefined) {
      this.#free.push(worker);
      return;
    }
    this.#waiting = this.#waiting.filter((one) => one !== first);
    first.start(worker);
  }
}
