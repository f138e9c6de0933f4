import { Gate } from './clock.ts';

/** Work that runs the model, one after the other; `stop` ends all of it, also what still waits. */
export class Turns {
  /** Holds back batches of the work under way. */
  readonly gate = new Gate();
  #last: Promise<unknown> = Promise.resolve();
  readonly #stopping = new Set<AbortController>();

  /** Work that {@link Turns.stop} reaches from now on, even while it waits. */
  stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#stopping.add(controller);
    this.gate.open();
    return this.inTurn(() => work(controller.signal)).finally(() => this.#stopping.delete(controller));
  }

  /** After what was asked for before. */
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
