import type { MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { packColumns, roundUp, type Matrix } from './panels.ts';

/** Rows that one call of the block kernel takes: a right panel of them stays in a near cache. */
export const DEPTH = 256;
/** Columns of right panels that are packed together. */
export const WIDTH = 256;

/** A left operand in panels `[panel, rows, leftWidth]`, each with all rows. */
export interface LeftPanels {
  readonly address: number;
  readonly rows: number;
  /** Columns, before they are filled up to whole panels */
  readonly columns: number;
}

/**
 * Adds the product of left panels, over some of their rows, with packed right ones to a matrix.
 *
 * @param rows `first .. end` of the left panels; at most {@link DEPTH}
 * @param right address of `[panel, end - first, rightWidth]` for so many `columns`
 * @param out address of a row-major matrix with room for whole panels both ways
 * @param stride elements from one of its rows to the next
 */
export function addProduct(
  { single }: MixedBlocks,
  left: LeftPanels,
  [first, end]: readonly [number, number],
  right: number,
  columns: number,
  out: number,
  stride: number,
  fresh: boolean,
): void {
  const { leftWidth, rightWidth, bytes } = single;
  const panels = Math.ceil(columns / rightWidth);
  for (let i = 0; i < left.columns; i += leftWidth) {
    single.add(
      left.address + bytes * (i * left.rows + first * leftWidth),
      right,
      end - first,
      panels,
      out + bytes * i * stride,
      bytes * stride,
      fresh,
    );
  }
}

/** Packs right panels in pieces of {@link DEPTH} rows, as {@link addProduct} takes them. */
export function packRight(
  matrix: Matrix,
  rows: number,
  columns: readonly [number, number],
  width: number,
  to: Float32Array,
): void {
  const wide = roundUp(columns[1] - columns[0], width);
  for (let row = 0; row < rows; row += DEPTH) {
    packColumns(matrix, [row, Math.min(row + DEPTH, rows)], columns, width, to, row * wide);
  }
}

/** Target nodes whose columns are taken together: `first .. end`, about {@link WIDTH} columns of whole nodes. */
export function* targetPanels(
  starts: Uint32Array,
  [first, end]: readonly [number, number],
): Generator<readonly [number, number], void, undefined> {
  for (let from = first; from < end;) {
    let to = from + 1;
    while (to < end && starts[to + 1]! - starts[from]! <= WIDTH) to++;
    if (starts[to]! > starts[from]!) yield [from, to];
    from = to;
  }
}

/** Columns of the widest of {@link targetPanels}. */
export function widestPanel(starts: Uint32Array): number {
  let widest = WIDTH;
  for (let node = 0; node + 1 < starts.length; node++)
    widest = Math.max(widest, starts[node + 1]! - starts[node]!);
  return widest;
}

/**
 * Squared norms of the blocks of B, over the number of columns of each target: `||B_ij||^2 / C_j`.
 *
 * @param blocks rows of B for the columns of source nodes `sources`, by columns of target nodes `targets`
 * @param sourceStarts where the columns of each node begin, and likewise for targets
 * @param out row-major `[source nodes, stride]`; the first is node `sources[0]`, its column 0 node `origin`
 */
export function blockNorms(
  { values, stride }: Matrix,
  sourceStarts: Uint32Array,
  sources: readonly [number, number],
  targetStarts: Uint32Array,
  targets: readonly [number, number],
  out: Float32Array,
  outStride: number,
  origin: number,
): void {
  const [firstRow, firstColumn] = [sourceStarts[sources[0]]!, targetStarts[targets[0]]!];
  const count = targets[1] - targets[0];
  const starts = Uint32Array.from(
    { length: count + 1 },
    (_, t) => targetStarts[targets[0] + t]! - firstColumn,
  );
  const sums = new Float64Array(count);
  for (let i = sources[0]; i < sources[1]; i++) {
    const [from, to] = [sourceStarts[i]! - firstRow, sourceStarts[i + 1]! - firstRow];
    if (from === to) continue;
    sums.fill(0);
    for (let row = from; row < to; row++) addRowNorms(values, row * stride, starts, sums);
    const at = (i - sources[0]) * outStride + targets[0] - origin;
    for (let t = 0; t < count; t++) {
      const columns = starts[t + 1]! - starts[t]!;
      if (columns > 0) out[at + t] = sums[t]! / columns;
    }
  }
}

function addRowNorms(values: Float32Array, at: number, starts: Uint32Array, sums: Float64Array): void {
  const count = sums.length;
  for (let t = 0, column = 0; t < count; t++) {
    const end = starts[t + 1]!;
    let sum = 0;
    for (; column < end; column++) {
      const value = values[at + column]!;
      sum += value * value;
    }
    sums[t]! += sum;
  }
}
