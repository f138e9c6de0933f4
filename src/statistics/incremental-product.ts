import { mirrorUpper, storeTile, type Deviations, type TiledMatmul } from './tiled-matmul.ts';

/**
 * A matrix of products that is brought up to date when it is wanted: row-major `[nodes, nodes]` sums over the rows seen
 * so far, the same to the bit however often it is wanted. It takes no room before that.
 */
export class IncrementalProduct {
  readonly #nodes: number;
  readonly #products: TiledMatmul;
  readonly #symmetric: boolean;
  /** For each tile of columns, the rows that it has seen: work that is broken off goes on from there. */
  readonly #seen: number[];
  #sums: Float64Array | undefined;
  /** Whether somebody may have added to the sums */
  #handedOut = false;
  /** Whether the lower triangle is up to date */
  #mirrored = true;

  /** @param symmetric the products of one side with itself: only the upper triangle is formed, and mirrored */
  constructor(nodes: number, products: TiledMatmul, symmetric: boolean) {
    this.#nodes = nodes;
    this.#products = products;
    this.#symmetric = symmetric;
    this.#seen = new Array<number>(Math.ceil(nodes / products.tileColumns)).fill(0);
  }

  /** Rows that all of the sums have seen */
  get seen(): number {
    return Math.min(...this.#seen);
  }

  /** The sums, not a copy; zero before the first row. @throws RangeError where they find no room */
  get sums(): Float64Array {
    this.#sums ??= new Float64Array(this.#nodes ** 2);
    if (!this.#mirrored) mirrorUpper(this.#sums, this.#nodes);
    this.#mirrored = true;
    this.#handedOut = true;
    return this.#sums;
  }

  /**
   * Adds the rows not seen yet, some milliseconds of work at a time.
   *
   * @throws RangeError or `out-of-memory` where the sums or the scratch memory find no room
   */
  *catchUp(a: Deviations, b: Deviations): Generator<undefined, void, undefined> {
    while (this.seen < a.rows.end) yield* this.catchUpTile(a, b);
  }

  /** The same for one tile of columns, of those that have seen the fewest rows. @throws as {@link catchUp} */
  *catchUpTile(a: Deviations, b: Deviations): Generator<undefined, void, undefined> {
    const { tileColumns } = this.#products;
    const { end } = a.rows;
    const { seen } = this;
    const tile = this.#seen.indexOf(seen);
    this.#sums ??= new Float64Array(this.#nodes ** 2);
    const columns = [tile * tileColumns, Math.min((tile + 1) * tileColumns, this.#nodes)] as const;
    const onto = this.#handedOut || seen > 0 ? this.#sums : undefined;
    const grown = yield* this.#products.tile(a, b, [seen, end], columns, {
      upperOnly: this.#symmetric,
      onto,
    });
    storeTile(grown, this.#nodes, this.#symmetric, this.#sums);
    this.#seen[tile] = end;
    if (this.#symmetric) this.#mirrored = false;
  }
}
