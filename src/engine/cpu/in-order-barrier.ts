interface Waiting {
  readonly go: () => void;
  readonly refuse: (cause: unknown) => void;
}

/** Orders the scores of each panel by layer pair, whichever worker they come from. */
export class InOrderBarrier {
  /** For each panel, the next layer pair to take */
  readonly #next: Uint32Array;
  readonly #waiting = new Map<string, Waiting>();
  #stopped: { readonly cause: unknown } | undefined;

  constructor(panels: number) {
    this.#next = new Uint32Array(panels);
  }

  /** The first reason for stopping; undefined before that. */
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

  /** Rejects all waiting calls. Only the first call counts. */
  stop(cause: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = { cause };
    for (const { refuse } of this.#waiting.values()) refuse(cause);
    this.#waiting.clear();
  }
}
