import { Gate } from './clock.ts';

/** Runs work on the model one piece after another; `stop` ends all of it, queued work included. */
export class Turns {
  /** Holds back batches of the work under way. */
  readonly gate = new Gate();
  #last: Promise<unknown> = Promise.resolve();
  readonly #stopping = new Set<AbortController>();

  /** Queues work that {@link Turns.stop} can end from now on, even while it waits. */
  stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#stopping.add(controller);
    this.gate.open();
    return this.inTurn(() => work(controller.signal)).finally(() => this.#stopping.delete(controller));
  }

  /** Runs work after all that was requested before. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  stop(): void {
    for (const controller of this.#stopping) controller.abort();
    this.gate.open();
  }
}
