/** Hands out names that nothing has yet. */
export class FreshNames {
  readonly #taken: Set<string>;
  readonly #suffixes = new Map<string, number>();

  readonly #isTaken: (name: string) => boolean;

  /** `isTaken` knows names besides those that are given, reserved or handed out here. */
  constructor(taken: Iterable<string> = [], isTaken: (name: string) => boolean = () => false) {
    this.#taken = new Set(taken);
    this.#isTaken = isTaken;
  }

  /** Keeps a name from being handed out. */
  reserve(name: string): void {
    this.#taken.add(name);
  }

  /** Whether the name was given, reserved or handed out here. */
  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** `wish` itself where it is free, else `wish_1`, `wish_2` and so on. */
  take(wish: string): string {
    if (this.#isNew(wish)) return wish;
    let suffix = this.#suffixes.get(wish) ?? 0;
    let name: string;
    do name = `${wish}_${++suffix}`;
    while (!this.#isNew(name));
    this.#suffixes.set(wish, suffix);
    return name;
  }

  /** Adds the name; false where it was there. */
  #isNew(name: string): boolean {
    const before = this.#taken.size;
    return this.#taken.add(name).size > before && !this.#isTaken(name);
  }
}
