/** Rows of a piece, and of one pass of the products, whose operands then stay in a core's own caches. */
export const PIECE_ROWS = 256;

/** Some rows of one matrix, row-major `[rows, nodes]`. */
export interface Piece {
  readonly values: Float32Array | Float64Array;
  /** Row of `values` that the piece begins with */
  readonly first: number;
  readonly rows: number;
  /** Index of its first row, as in {@link Rows} */
  readonly row: number;
  /** Whether the values are deviations from the pivots already */
  readonly centred: boolean;
}

/** Rows of one matrix: those of a {@link RowBuffer}, or a snapshot of them. */
export interface Rows {
  /** Columns */
  readonly nodes: number;
  /** Index of the row after the last */
  readonly end: number;
  /** Rows `first .. end`, of which none may have been dropped, in pieces of at most {@link PIECE_ROWS}. */
  pieces(first: number, end: number): Generator<Piece, void, undefined>;
  /** A copy of some columns, in the same precision and pieces: their products are the same bit for bit. */
  select(columns: Uint32Array): Rows;
}

interface Block {
  readonly values: Float32Array | Float64Array;
  readonly centred: boolean;
  rows: number;
}

/**
 * Magnitudes of one side of one layer pair, kept until their products are formed. Rows are numbered from the first one
 * ever appended, also after rows were dropped.
 */
export class RowBuffer implements Rows {
  readonly nodes: number;
  readonly #blocks: Block[] = [];
  #dropped = 0;
  #end = 0;

  constructor(nodes: number) {
    this.nodes = nodes;
  }

  /** Index of the next row to be appended */
  get end(): number {
    return this.#end;
  }

  /** Size of the rows in bytes. The buffer may have allocated up to one more piece for rows to come. */
  get bytes(): number {
    return this.#blocks.reduce(
      (sum, { values, rows }) => sum + rows * this.nodes * values.BYTES_PER_ELEMENT,
      0,
    );
  }

  /** Appends a copy of the first `rows` rows of a row-major matrix, in their own precision. */
  append(values: Float32Array | Float64Array, rows: number): void {
    const { nodes } = this;
    const single = values instanceof Float32Array;
    for (let done = 0; done < rows;) {
      const block = this.#openBlock(single, false);
      const count = Math.min(rows - done, PIECE_ROWS - block.rows);
      block.values.set(values.subarray(done * nodes, (done + count) * nodes), block.rows * nodes);
      block.rows += count;
      done += count;
    }
    this.#end += rows;
  }

  /**
   * As {@link RowBuffer.append}, in half the memory of float64: as float32 deviations from the pivots, with a relative
   * rounding error of 2^-25, however large the pivots.
   */
  appendCentred(values: Float64Array, rows: number, pivot: Float64Array): void {
    const { nodes } = this;
    for (let row = 0; row < rows; row++) {
      const block = this.#openBlock(true, true);
      const to = block.rows * nodes;
      for (let i = 0; i < nodes; i++) block.values[to + i] = values[row * nodes + i]! - pivot[i]!;
      block.rows++;
    }
    this.#end += rows;
  }

  *pieces(first: number, end: number): Generator<Piece, void, undefined> {
    let at = this.#dropped;
    for (const { values, rows, centred } of this.#blocks) {
      const [from, to] = [Math.max(first, at), Math.min(end, at + rows)];
      if (from < to) yield { values, first: from - at, rows: to - from, row: from, centred };
      at += rows;
    }
  }

  /** The current rows, which later appends and drops do not change. No copy is made. */
  snapshot(): Rows {
    const copy = new RowBuffer(this.nodes);
    copy.#blocks.push(...this.#blocks.map((block) => ({ ...block })));
    copy.#dropped = this.#dropped;
    copy.#end = this.#end;
    return copy;
  }

  select(columns: Uint32Array): Rows {
    const selected = new RowBuffer(columns.length);
    for (const { values, rows, centred } of this.#blocks) {
      const length = rows * columns.length;
      const own = values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
      selectColumns(values, rows, this.nodes, columns, own);
      selected.#blocks.push({ values: own, centred, rows });
    }
    selected.#dropped = this.#dropped;
    selected.#end = this.#end;
    return selected;
  }

  /** Drops all rows. */
  dropAll(): void {
    this.#blocks.length = 0;
    this.#dropped = this.#end;
  }

  /** A block with space for a row of that kind. */
  #openBlock(single: boolean, centred: boolean): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.rows < PIECE_ROWS && last.centred === centred) {
      if (last.values instanceof Float32Array === single) return last;
    }
    const length = PIECE_ROWS * this.nodes;
    const values = single ? new Float32Array(length) : new Float64Array(length);
    const block: Block = { values, centred, rows: 0 };
    this.#blocks.push(block);
    return block;
  }
}

function selectColumns(
  values: Float32Array | Float64Array,
  rows: number,
  nodes: number,
  columns: Uint32Array,
  out: Float32Array | Float64Array,
): void {
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const from = row * nodes;
    for (const column of columns) out[to++] = values[from + column]!;
  }
}
