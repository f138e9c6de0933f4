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
   * @param nodes columns of the rows that are packed, at most
   * @throws `out-of-memory`
   */
  open(length: number, nodes: number): BlockMemory;
}

/** A block of sums, `[leftWidth, panels * rightWidth]`. */
export interface SumsPlace {
  readonly at: number;
  /** From one row of the block to the next */
  readonly stride: number;
  /** What stands in the block is not read */
  readonly overwrite: boolean;
}

/** Where panels are packed to. */
export interface PanelsPlace {
  /** Of a left or of a right panel */
  readonly width: number;
  /** Place of the first panel */
  readonly at: number;
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
   */
  addBlocks(left: number, right: number, rows: number, panels: number, out: SumsPlace): void;

  /**
   * Lays columns `first .. end` of some rows out in panels, `[panel, rows, width]`, as deviations from their pivots.
   * What stands in the columns that the last panel has beyond `end` means nothing, and may be no number at all: no
   * product of other columns reads it.
   *
   * @param values row-major `[rows, nodes]`
   * @param pivot `[nodes]`; undefined where the values are deviations already
   */
  pack(
    values: Float32Array | Float64Array,
    nodes: number,
    [first, end]: readonly [number, number],
    pivot: Float64Array | undefined,
    panels: PanelsPlace,
  ): void;
}
