/**
 * What multiplies small blocks, in a memory of its own that both its operands and its results lie in. Columns come in
 * panels, `[rows, width]` each, so that one pass over the rows reads contiguous streams.
 */
export interface BlockKernel {
  /** What it runs on, for diagnostics */
  readonly description: string;
  /** Columns of a left panel */
  readonly leftWidth: number;
  /** Columns of a right panel */
  readonly rightWidth: number;
  /**
   * Rows that are summed by themselves before their sum joins the others: row `r` is of chunk `floor(r / chunkRows)`. Sums are
   * the same to the bit however rows are handed over, as long as no chunk is cut. 1: one row after the other.
   */
  readonly chunkRows: number;
  /** @throws `out-of-memory` */
  open(sizes: BlockSizes): BlockMemory;
}

/** What there is to be room for, at most. */
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
  /** What stands in the block is not read */
  readonly overwrite: boolean;
}

/** Rows to be packed. */
export interface PackedRows {
  /** Row-major `[rows, nodes]`, of at most PIECE_ROWS */
  readonly values: Float32Array | Float64Array;
  readonly nodes: number;
  /** Number of the first row, counted from the first there ever was */
  readonly row: number;
  /** `[nodes]`; undefined where the values are deviations already */
  readonly pivot: Float64Array | undefined;
}

/** Left panels have `leftWidth` columns, right ones `rightWidth`. */
export type Side = 'left' | 'right';

export interface BlockMemory {
  /** Zero at first */
  readonly sums: Float64Array;
  /**
   * Adds the products of one left panel with consecutive right panels of the same rows, chunk after chunk, to a row-major block
   * of `leftWidth` rows. Every sum goes through the same operations wherever it lies, so that equal columns have equal sums
   * to the bit.
   *
   * @param left first column of the left panel, counted from the first one packed
   * @param right first column of the first right panel, likewise
   * @param panels at least 1
   */
  addBlocks(left: number, right: number, panels: number, out: SumsPlace): void;

  /**
   * Lays columns `first .. end` of some rows out as the panels of a side, as deviations from their pivots. What stands in the
   * columns that the last panel has beyond `end` means nothing, and may be no number at all: no product of other columns reads
   * it.
   */
  pack(side: Side, rows: PackedRows, columns: readonly [first: number, end: number]): void;
}
