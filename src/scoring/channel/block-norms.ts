import { spanBytes, type MixedBlocks, type Place, type Singles } from '../../statistics/mixed-blocks.ts';
import { matrixBytes, newMatrix, placeIn, roundUp, type Matrix } from './panels.ts';
import type { ChannelSystem } from './system.ts';

/** Rows that one call of the block kernel takes: a right panel of them stays in a near cache. */
export const DEPTH = 256;
/** Columns of right panels that are packed together. */
export const WIDTH = 256;

export type Range = readonly [first: number, end: number];

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
 * @param rows `first .. end` of the left panels
 * @param right address of `[panel, end - first, rightWidth]` for so many `columns`
 * @param out with room for whole panels both ways
 */
export function addProduct(
  { single }: MixedBlocks,
  left: LeftPanels,
  [first, end]: Range,
  right: number,
  columns: number,
  out: Place,
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
      out.address + bytes * i * out.stride,
      bytes * out.stride,
      fresh,
    );
  }
}

/** Target nodes whose columns are taken together: `first .. end`, about `width` columns of whole nodes. */
export function* targetPanels(
  starts: Uint32Array,
  [first, end]: Range,
  width = WIDTH,
): Generator<Range, void, undefined> {
  for (let from = first; from < end;) {
    let to = from + 1;
    while (to < end && starts[to + 1]! - starts[from]! <= width) to++;
    if (starts[to]! > starts[from]!) yield [from, to];
    from = to;
  }
}

/** Columns of the widest panel of target nodes. */
export function widestPanel(starts: Uint32Array, width = WIDTH): number {
  let widest = width;
  for (let node = 0; node + 1 < starts.length; node++)
    widest = Math.max(widest, starts[node + 1]! - starts[node]!);
  return widest;
}

/** Bytes of {@link normsScratch}. */
export function normsBytes(
  { single: { leftWidth, rightWidth } }: MixedBlocks,
  { rows, columns }: Pick<LeftPanels, 'rows' | 'columns'>,
  targets: Uint32Array,
): number {
  const wide = roundUp(widestPanel(targets), rightWidth);
  return (
    matrixBytes(rows, wide) +
    spanBytes({ length: DEPTH * wide, bytes: 4 }, { length: roundUp(columns, leftWidth) * wide, bytes: 4 })
  );
}

/** Scratch memory of {@link normsOf}. */
export interface NormsScratch {
  /** The columns of a panel of targets, `[left.rows, stride]` */
  readonly filled: Matrix;
  readonly right: Singles;
  readonly block: Matrix;
}

export function normsScratch(
  memory: MixedBlocks,
  { rows, columns }: Pick<LeftPanels, 'rows' | 'columns'>,
  targets: Uint32Array,
): NormsScratch {
  const { leftWidth, rightWidth } = memory.single;
  const stride = roundUp(widestPanel(targets), rightWidth);
  return {
    filled: newMatrix(memory, rows, stride),
    right: memory.singles(DEPTH * stride),
    block: { ...memory.singles(roundUp(columns, leftWidth) * stride), stride },
  };
}

/**
 * Blocks of the product of left panels with target columns, a panel of target nodes after the other, and their squared norms
 * over the columns of the target: the product as a whole never exists.
 *
 * @param fill writes target columns `first .. end` to a matrix of `left.rows`
 * @returns row-major `[source nodes, target nodes]`, NaN where one of the two has no column
 */
export function* normsOf(
  memory: MixedBlocks,
  { sources, targets }: ChannelSystem,
  left: LeftPanels,
  { filled, right, block }: NormsScratch,
  [sourceNodes, targetNodes]: readonly [Range, Range],
  fill: (columns: Range, out: Matrix) => Iterable<undefined>,
): Generator<undefined, Float32Array, undefined> {
  const count = targetNodes[1] - targetNodes[0];
  const out = new Float32Array((sourceNodes[1] - sourceNodes[0]) * count).fill(NaN);
  for (const panel of targetPanels(targets.starts, targetNodes)) {
    const columns: Range = [targets.starts[panel[0]]!, targets.starts[panel[1]]!];
    const wide = columns[1] - columns[0];
    yield* fill(columns, filled);
    for (let row = 0; row < left.rows; row += DEPTH) {
      const rows: Range = [row, Math.min(row + DEPTH, left.rows)];
      memory.single.packColumns('right', placeIn(filled, row, 0), rows[1] - row, wide, right.address);
      addProduct(memory, left, rows, right.address, wide, block, row === 0);
      yield;
    }
    blockNorms(block, [sources.starts, sourceNodes], [targets.starts, panel], out, [count, targetNodes[0]]);
  }
  return out;
}

/**
 * Squared norms of the blocks of B, over the number of columns of each target: `||B_ij||^2 / C_j`.
 *
 * @param blocks rows of B for the columns of some source nodes, by columns of some target nodes
 * @param sources where the columns of each node begin, and which nodes there are; likewise for targets
 * @param out row-major `[source nodes, stride]`; the first is node `sources[1][0]`, its column 0 node `origin`
 */
function blockNorms(
  { values, stride }: Matrix,
  [sourceStarts, sources]: readonly [Uint32Array, Range],
  [targetStarts, targets]: readonly [Uint32Array, Range],
  out: Float32Array,
  [outStride, origin]: readonly [number, number],
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
