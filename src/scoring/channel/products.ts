import type { MixedBlocks, Place } from '../../statistics/mixed-blocks.ts';
import { placeIn, type Matrix } from './panels.ts';

/** Rows per call of the block kernel: a right panel of them stays in a near cache. */
export const DEPTH = 256;
/** Columns of right panels that are packed together. */
export const WIDTH = 256;

export type Range = readonly [first: number, end: number];

/** A left operand in panels `[panel, rows, leftWidth]`, each with all rows. */
export interface LeftPanels {
  readonly address: number;
  readonly rows: number;
  /** Columns, before padding to whole panels */
  readonly columns: number;
}

/** A right operand in panels `[panel, rows, rightWidth]`. */
export interface RightPanels {
  readonly address: number;
  readonly columns: number;
}

/** Left panels, restricted to their rows `first .. end`, and right panels with as many rows. */
export interface Factors {
  readonly left: LeftPanels;
  readonly rows: Range;
  readonly right: RightPanels;
}

/** Adds a product to a matrix, or overwrites it. @param out with space for whole panels both ways */
export function addProduct(
  { single }: MixedBlocks,
  { left, rows: [first, end], right }: Factors,
  out: Place,
  overwrite: boolean,
): void {
  const { leftWidth, rightWidth, bytes } = single;
  const panels = Math.ceil(right.columns / rightWidth);
  for (let i = 0; i < left.columns; i += leftWidth) {
    single.add(
      left.address + bytes * (i * left.rows + first * leftWidth),
      right.address,
      end - first,
      panels,
      { address: out.address + bytes * i * out.stride, rowBytes: bytes * out.stride, overwrite },
    );
  }
}

/**
 * Overwrites a matrix with the product of left panels and the columns of another one, some rows of both at a time.
 *
 * @param right memory for {@link DEPTH} rows of those columns
 * @returns yields some milliseconds of work apart
 */
export function* multiply(
  memory: MixedBlocks,
  left: LeftPanels,
  matrix: Matrix,
  right: RightPanels,
  out: Place,
): Generator<undefined, void, undefined> {
  for (let row = 0; row < left.rows; row += DEPTH) {
    const rows: Range = [row, Math.min(row + DEPTH, left.rows)];
    memory.single.packColumns('right', placeIn(matrix, row, 0), rows[1] - row, right.columns, right.address);
    addProduct(memory, { left, rows, right }, out, row === 0);
    yield;
  }
}
