interface Waiting {
  readonly go: () => void;
  readonly refuse: (cause: unknown) => void;
}

/** Has the scores of each panel taken in the order of the layer pairs, from whichever worker they come. */
export class InOrderBarrier {
  /** The layer pair that each panel is to be taken from next */
  readonly #next: Uint32Array;
  readonly #waiting = new Map<string, Waiting>();
  #stopped: { readonly cause: unknown } | undefined;

  constructor(panels: number) {
    this.#next = new Uint32Array(panels);
  }

  /** Why there are no more turns, the first reason; undefined while there are. */
  get stopped(): { readonly cause: unknown } | undefined {
    return this.#stopped;
  }

  /** Waits until all layer pairs before this one are done. @throws the reason of {@link InOrderBarrier.stop} */
  of(pair: number, panel: number): Promise<void> {
    return new Promise((go, refuse) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- an abort may have any reason
      if (this.#stopped !== undefined) refuse(this.#stopped.cause);
      else if (this.#next[panel] === pair) go();
      else this.#waiting.set(`${pair} ${panel}`, { go, refuse });
    });
  }

  done(pair: number, panel: number): void {
    this.#next[panel] = pair + 1;
    const next = `${pair + 1} ${panel}`;
    this.#waiting.get(next)?.go();
    this.#waiting.delete(next);
  }

  /** Ends all waiting. Only the first call counts. */
  stop(cause: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { cause };
    for (const { refuse } of this.#waiting.values()) refuse(cause);
    this.#waiting.clear();
  }
}
