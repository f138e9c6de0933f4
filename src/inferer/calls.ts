import { MagnitudeEdgeError } from '../errors.ts';

/** Calls to one object: one at a time that changes it, any number that read it, and an end that awaits them all. */
export class Calls {
  /** The call that changes the object */
  #claim: { readonly call: string; readonly ended: Promise<void> } | undefined;
  readonly #reading = new Set<Promise<unknown>>();
  #ended = false;

  /** Runs a call that changes the object. @throws `busy` during another such call, `released` after the end */
  async claimed<T>(call: string, work: () => Promise<T>): Promise<T> {
    this.assertIdle(call);
    let end: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.#claim = { call, ended };
    try {
      return await work();
    } finally {
      this.#claim = undefined;
      end!();
    }
  }

  /** Runs a call that reads the object. @throws `released` after the end */
  async reading<T>(work: () => Promise<T>): Promise<T> {
    this.#assertUsable();
    const done = work();
    this.#reading.add(done);
    try {
      return await done;
    } finally {
      this.#reading.delete(done);
    }
  }

  /** @throws as {@link Calls.claimed} */
  assertIdle(call: string): void {
    this.#assertUsable();
    if (!this.#claim) return;
    const running = this.#claim.call === 'fit' ? 'a fit' : this.#claim.call;
    throw new MagnitudeEdgeError(
      'busy',
      `${call} cannot run while ${running} is running on the same inferer.`,
    );
  }

  /** Rejects calls from now on. Resolves when all earlier calls have ended. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#claim?.ended;
    await Promise.allSettled(this.#reading);
  }

  #assertUsable(): void {
    if (!this.#ended) return;
    throw new MagnitudeEdgeError('released', 'The inferer has been released and cannot be used any more.');
  }
}
