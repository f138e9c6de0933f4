/** Counts the users of something that is freed with the last of them. Starts with one user. */
export class ReferenceCount {
  readonly #free: () => void;
  #users = 1;

  constructor(free: () => void) {
    this.#free = free;
  }

  get users(): number {
    return this.#users;
  }

  retain(): void {
    this.#users++;
  }

  /** Call it once for each {@link ReferenceCount.retain}, and once for the first user. */
  release(): void {
    if (--this.#users === 0) this.#free();
  }
}
