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
   * A memory of at least so many float64, zero at first.
   *
   * @throws `out-of-memory`
   */
  open(length: number): BlockMemory;
}

export interface BlockMemory {
  readonly values: Float64Array;
  /**
   * Adds the products of one left panel with consecutive right panels, row after row, to a row-major block of
   * `leftWidth` rows. Every sum goes through the same operations wherever it lies, so that equal columns have equal
   * sums to the bit. Places are indices into {@link BlockMemory.values}.
   *
   * @param left the left panel, `[rows, leftWidth]`
   * @param right the first of `panels` right panels, `[panels, rows, rightWidth]`
   * @param panels at least 1
   * @param out the block, `[leftWidth, panels * rightWidth]`
   * @param stride from one row of the block to the next
   */
  addBlocks(left: number, right: number, rows: number, panels: number, out: number, stride: number): void;
}
