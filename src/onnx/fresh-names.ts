/** Hands out names that nothing has yet. */
export class FreshNames {
  readonly #taken: Set<string>;
  readonly #suffixes = new Map<string, number>();

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken);
  }

  /** Keeps a name from being handed out. */
  reserve(name: string): void {
    this.#taken.add(name);
  }

  /** `wish` itself where it is free, else `wish_1`, `wish_2` and so on. */
  take(wish: string): string {
    let name = wish;
    let suffix = this.#suffixes.get(wish) ?? 0;
    while (this.#taken.has(name)) name = `${wish}_${++suffix}`;
    if (suffix > 0) this.#suffixes.set(wish, suffix);
    this.#taken.add(name);
    return name;
  }
}
