/**
 * Multiplies small blocks in a memory of its own, which holds operands and results. Columns come in panels,
 * `[rows, width]` each, so that one pass over the rows reads contiguous streams.
 */
export interface BlockKernel {
  /** What it runs on, for diagnostics */
  readonly description: string;
  /** Columns of a left panel */
  readonly leftWidth: number;
  /** Columns of a right panel */
  readonly rightWidth: number;
  /**
   * Rows that are summed separately before their sum joins the others: row `r` belongs to chunk `floor(r / chunkRows)`.
   * Sums are the same bit for bit however rows are split among calls, as long as no chunk is cut. 1: row by row.
   */
  readonly chunkRows: number;
  /** @throws `out-of-memory` */
  open(sizes: BlockSizes): BlockMemory;
}

/** Upper bounds that the memory is sized for. */
export interface BlockSizes {
  /** Columns that are packed as left panels, in whole panels */
  readonly left: number;
  /** Columns that are packed as right panels, likewise */
  readonly right: number;
  /** Numbers in the sums */
  readonly sums: number;
  /** Columns of the rows that are packed */
  readonly nodes: number;
}

/** A block of sums, `[leftWidth, panels * rightWidth]`. */
export interface SumsPlace {
  /** Index into {@link BlockMemory.sums} */
  readonly at: number;
  /** From one row of the block to the next */
  readonly stride: number;
  /** Ignores the previous content of the block */
  readonly overwrite: boolean;
}

/** Rows to be packed. */
export interface PackedRows {
  /** Row-major `[rows, nodes]`, of at most PIECE_ROWS */
  readonly values: Float32Array | Float64Array;
  readonly nodes: number;
  /** Index of the first row, counted from the very first row added */
  readonly row: number;
  /** `[nodes]`; undefined if the values are deviations already */
  readonly pivot: Float64Array | undefined;
}

/** Left panels have `leftWidth` columns, right ones `rightWidth`. */
export type Side = 'left' | 'right';

export interface BlockMemory {
  /** Initially zero */
  readonly sums: Float64Array;
  /**
   * Adds the products of one left panel with consecutive right panels of the same rows, chunk by chunk, to a row-major
   * block of `leftWidth` rows. Every sum goes through the same operations wherever it lies, so equal columns have
   * bit-identical sums.
   *
   * @param left first column of the left panel, counted from the first one packed
   * @param right first column of the first right panel, likewise
   * @param panels at least 1
   */
  addBlocks(left: number, right: number, panels: number, out: SumsPlace): void;

  /**
   * Packs columns `first .. end` of some rows into the panels of a side, as deviations from their pivots. The columns
   * of the last panel beyond `end` are unspecified and may be NaN: no product of other columns reads them.
   */
  pack(side: Side, rows: PackedRows, columns: readonly [first: number, end: number]): void;
}
