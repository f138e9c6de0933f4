/**
 * Reads any number of bytes at a time from a sequence of pieces, which must hold as many as are requested, or throw.
 */
export class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array();

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next `bytes` bytes, in an array of their own. @throws RangeError if there are fewer */
  async take(bytes: number): Promise<Uint8Array> {
    const taken = new Uint8Array(bytes);
    let at = 0;
    await this.#pass(bytes, (piece) => {
      taken.set(piece, at);
      at += piece.length;
    });
    return taken;
  }

  skip(bytes: number): Promise<void> {
    return this.#pass(bytes, () => undefined);
  }

  /** Reads to the end of the pieces, where they may throw. */
  async end(): Promise<void> {
    while (!(await this.#pieces.next()).done);
  }

  async #pass(bytes: number, visit: (piece: Uint8Array) => void): Promise<void> {
    for (let left = bytes; left > 0;) {
      if (this.#held.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) throw new RangeError(`${left} bytes are missing`);
        this.#held = next.value;
      }
      const piece = this.#held.subarray(0, left);
      visit(piece);
      this.#held = this.#held.subarray(piece.length);
      left -= piece.length;
    }
  }
}
