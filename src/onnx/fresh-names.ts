/** Generates unused names. */
export class FreshNames {
  readonly #taken: Set<string>;
  readonly #suffixes = new Map<string, number>();

  readonly #isTaken: (name: string) => boolean;

  /** `isTaken` reports names in use besides those given, reserved or generated here. */
  constructor(taken: Iterable<string> = [], isTaken: (name: string) => boolean = () => false) {
    this.#taken = new Set(taken);
    this.#isTaken = isTaken;
  }

  /** Keeps a name from being generated. */
  reserve(name: string): void {
    this.#taken.add(name);
  }

  /** Whether the name was given, reserved or generated here. */
  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** `wish` itself if it is free, else `wish_1`, `wish_2` and so on. */
  take(wish: string): string {
    if (this.#isNew(wish)) return wish;
    let suffix = this.#suffixes.get(wish) ?? 0;
    let name: string;
    do name = `${wish}_${++suffix}`;
    while (!this.#isNew(name));
    this.#suffixes.set(wish, suffix);
    return name;
  }

  /** Adds the name; false if it was in use. */
  #isNew(name: string): boolean {
    const before = this.#taken.size;
    return this.#taken.add(name).size > before && !this.#isTaken(name);
  }
}
