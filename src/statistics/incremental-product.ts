import { mirrorUpper, storeTile, type Deviations, type TiledMatmul } from './tiled-matmul.ts';

/**
 * A matrix of products that is brought up to date on request: row-major `[nodes, nodes]` sums over the rows seen so
 * far, the same bit for bit however often it is requested. It takes no memory before the first request.
 *
 * If rows are summed in chunks ({@link TiledMatmul.chunkRows}), only whole chunks are kept: the rows of an incomplete
 * last chunk join a copy, and are seen again with the rest of their chunk.
 */
export class IncrementalProduct {
  readonly #nodes: number;
  readonly #matmul: TiledMatmul;
  readonly #symmetric: boolean;
  /** For each tile of columns, the rows that it has seen: aborted work resumes from there. */
  readonly #seen: number[];
  #sums: Float64Array | undefined;
  /** The sums over all rows, and the number of these, if the last chunk is incomplete */
  #whole: { readonly sums: Float64Array; end: number } | undefined;
  /** Whether a caller may have added to the sums */
  #handedOut = false;
  /** Whether the lower triangle is up to date */
  #mirrored = true;

  /** @param symmetric the products of one side with itself: only the upper triangle is formed, and mirrored */
  constructor(nodes: number, matmul: TiledMatmul, symmetric: boolean) {
    this.#nodes = nodes;
    this.#matmul = matmul;
    this.#symmetric = symmetric;
    this.#seen = new Array<number>(Math.ceil(nodes / matmul.tileColumns)).fill(0);
  }

  /** Rows that all of the sums contain for good */
  get seen(): number {
    return Math.min(...this.#seen);
  }

  /** The sums, not a copy; zero before the first row. @throws RangeError if memory runs out */
  get sums(): Float64Array {
    const sums = this.#whole?.sums ?? (this.#sums ??= new Float64Array(this.#nodes ** 2));
    if (!this.#mirrored) mirrorUpper(sums, this.#nodes);
    this.#mirrored = true;
    this.#handedOut = true;
    return sums;
  }

  /**
   * Adds the rows not seen yet, some milliseconds of work at a time.
   *
   * @throws RangeError or `out-of-memory` if memory for the sums or the scratch memory runs out
   */
  *catchUp(a: Deviations, b: Deviations): Generator<undefined, void, undefined> {
    while (this.seen < this.#endOfChunks(a)) yield* this.catchUpTile(a, b);
    const { end } = a.rows;
    if (this.seen >= end || this.#whole?.end === end) return;
    // Reused from call to call, but invalid until all of it is new.
    this.#whole ??= { sums: new Float64Array(this.#nodes ** 2), end: 0 };
    this.#whole.end = 0;
    for (let tile = 0; tile < this.#seen.length; tile++) {
      yield* this.#form(a, b, tile, end, this.#whole.sums);
    }
    this.#whole.end = end;
  }

  /** The same for whole chunks and one of the tiles that have seen the fewest rows. @throws as {@link catchUp} */
  *catchUpTile(a: Deviations, b: Deviations): Generator<undefined, void, undefined> {
    const tile = this.#seen.indexOf(this.seen);
    const end = this.#endOfChunks(a);
    this.#sums ??= new Float64Array(this.#nodes ** 2);
    yield* this.#form(a, b, tile, end, this.#sums);
    this.#seen[tile] = end;
    this.#whole = undefined;
  }

  #endOfChunks({ rows: { end } }: Deviations): number {
    return end - (end % this.#matmul.chunkRows);
  }

  /** Stores a tile of the sums so far plus the rows up to `end` in a matrix. */
  *#form(
    a: Deviations,
    b: Deviations,
    tile: number,
    end: number,
    into: Float64Array,
  ): Generator<undefined, void, undefined> {
    const { tileColumns } = this.#matmul;
    const seen = this.#seen[tile]!;
    const columns = [tile * tileColumns, Math.min((tile + 1) * tileColumns, this.#nodes)] as const;
    const onto = this.#handedOut || seen > 0 ? this.#sums : undefined;
    const grown = yield* this.#matmul.tile(a, b, [seen, end], columns, {
      upperOnly: this.#symmetric,
      onto,
    });
    storeTile(grown, this.#nodes, this.#symmetric, into);
    if (this.#symmetric) this.#mirrored = false;
  }
}
