import { spanBytes, type Doubles, type MixedBlocks, type Singles } from '../../statistics/mixed-blocks.ts';
import {
  addProduct,
  blockNorms,
  DEPTH,
  packRight,
  targetPanels,
  WIDTH,
  widestPanel,
  type LeftPanels,
} from './block-norms.ts';
import { addGram, gramBytes } from './gram.ts';
import { invert, invertBytes, invertRows, invertStride } from './invert.ts';
import { packColumns, packRows, roundUp, type Matrix } from './panels.ts';
import { RowFinder, samplesOf, scaledTargets, standardizedSources } from './rows.ts';
import type { ChannelSystem } from './system.ts';
import type { Part } from './ways.ts';

/**
 * Squared norms of the blocks of B for a part of a regression, over the channels of the target (method.md, "Channel scores"):
 * for `dual` those of some sources with all targets, row-major `[end - first, nodes]`; for `primal` those of all sources with
 * some targets, `[nodes, end - first]`. NaN where one of the two has no column.
 */
export type PartNorms = Float32Array;

/**
 * Does a part of a regression, and again with other orders of the rows of U: what comes of the order alone is done once.
 *
 * @param orders which row of U belongs to each row of F, per segment; undefined for its own
 * @returns one result for each of the orders; yields some milliseconds of work apart
 * @throws `out-of-memory`
 */
export function* regress(
  memory: MixedBlocks,
  system: ChannelSystem,
  part: Omit<Part, 'system'>,
  orders: readonly (readonly Uint32Array[] | undefined)[] = [undefined],
): Generator<undefined, PartNorms[], undefined> {
  return part.way === 'dual'
    ? yield* dual(memory, system, [part.first, part.end], orders)
    : yield* primal(memory, system, [part.first, part.end], orders);
}

type Range = readonly [first: number, end: number];
type Orders = readonly (readonly Uint32Array[] | undefined)[];

function* dual(
  memory: MixedBlocks,
  system: ChannelSystem,
  nodes: Range,
  orders: Orders,
): Generator<undefined, PartNorms[], undefined> {
  const { leftWidth, rightWidth } = memory.single;
  const { observations: n, sources, targets } = system;
  const own: Range = [sources.starts[nodes[0]]!, sources.starts[nodes[1]]!];
  const columns = own[1] - own[0];
  const f = standardizedSources(system);
  const bytes =
    inverseBytes(memory, n) +
    spanBytes(
      { length: roundUp(n, DEPTH) * roundUp(n, rightWidth), bytes: 4 },
      { length: roundUp(columns, leftWidth) * n, bytes: 4 },
      { length: DEPTH * n, bytes: 4 },
      { length: DEPTH * roundUp(n, rightWidth), bytes: 4 },
    ) +
    normsBytes(memory, n, columns, targets.starts);
  memory.clear(bytes);
  const inverse = yield* inverseOf(memory, system, f, 'columns');
  const packedInverse = packInverse(memory, inverse, n, 1 / n, 'right');
  const left = memory.singles(roundUp(columns, leftWidth) * n);
  // F' (FF'/n + lambda I)^-1 / n for some sources at a time, which then become panels.
  const step = Math.floor(DEPTH / leftWidth) * leftWidth;
  const some = memory.singles(step * n);
  const stride = roundUp(n, rightWidth);
  const product = memory.singles(step * stride);
  for (let first = own[0]; first < own[1]; first += step) {
    const end = Math.min(first + step, own[1]);
    packColumns(f, [0, n], [first, end], leftWidth, some.values);
    const panels: LeftPanels = { address: some.address, rows: n, columns: end - first };
    for (let row = 0; row < n; row += DEPTH) {
      const rows: Range = [row, Math.min(row + DEPTH, n)];
      const right = packedInverse.address + 4 * row * stride;
      addProduct(memory, panels, rows, right, n, product.address, stride, row === 0);
    }
    const own0 = (first - own[0]) * n;
    packRows({ values: product.values, stride }, [0, end - first], [0, n], leftWidth, left.values, own0);
    yield;
  }
  const finders = system.segments.map(({ u }) => new RowFinder(u, system.channels));
  const panels: LeftPanels = { address: left.address, rows: n, columns };
  const scratch = normsScratch(memory, panels, targets.starts);
  const results: PartNorms[] = [];
  for (const order of orders) {
    results.push(
      yield* normsOf(memory, system, panels, scratch, nodes, [0, system.nodes], (columns, out) => {
        let row = 0;
        system.segments.forEach((segment, s) => {
          const rows = samplesOf(segment, system.channels);
          const width = columns[1] - columns[0];
          const to = out.subarray(row * width);
          scaledTargets(finders[s]!, targets, system.targetScale, [0, rows], columns, order?.[s], to);
          row += rows;
        });
      }),
    );
  }
  return results;
}

function* primal(
  memory: MixedBlocks,
  system: ChannelSystem,
  nodes: Range,
  orders: Orders,
): Generator<undefined, PartNorms[], undefined> {
  const { leftWidth, rightWidth } = memory.single;
  const { sources, targets, observations } = system;
  const size = sources.channels.length;
  const own: Range = [targets.starts[nodes[0]]!, targets.starts[nodes[1]]!];
  const columns = own[1] - own[0];
  const f = standardizedSources(system);
  const stride = roundUp(columns, rightWidth);
  const rowsUp = roundUp(size, leftWidth);
  memory.clear(
    inverseBytes(memory, size) +
      spanBytes(
        { length: rowsUp * size, bytes: 4 },
        { length: rowsUp * stride, bytes: 4 },
        { length: DEPTH * rowsUp, bytes: 4 },
        { length: DEPTH * stride, bytes: 4 },
      ) +
      normsBytes(memory, size, size, targets.starts),
  );
  const inverse = yield* inverseOf(memory, system, f, 'rows');
  const left = packInverse(memory, inverse, size, 1 / observations, 'left');
  const products = memory.singles(rowsUp * stride);
  const [some, right] = [memory.singles(DEPTH * rowsUp), memory.singles(DEPTH * stride)];
  const finders = system.segments.map(({ u }) => new RowFinder(u, system.channels));
  const scaled = new Float32Array(DEPTH * columns);
  const panels: LeftPanels = { address: left.address, rows: size, columns: size };
  const scratch = normsScratch(memory, panels, targets.starts);
  const results: PartNorms[] = [];
  for (const order of orders) {
    // F'U
    let row = 0;
    for (const [s, segment] of system.segments.entries()) {
      const samples = samplesOf(segment, system.channels);
      for (let from = 0; from < samples; from += DEPTH) {
        const rows: Range = [from, Math.min(from + DEPTH, samples)];
        const depth = rows[1] - from;
        packColumns(f, [row + from, row + rows[1]], [0, size], leftWidth, some.values);
        scaledTargets(finders[s]!, targets, system.targetScale, rows, own, order?.[s], scaled);
        packColumns({ values: scaled, stride: columns }, [0, depth], [0, columns], rightWidth, right.values);
        const sources: LeftPanels = { address: some.address, rows: depth, columns: size };
        for (let column = 0; column < columns; column += WIDTH) {
          addProduct(
            memory,
            sources,
            [0, depth],
            right.address + 4 * column * depth,
            Math.min(WIDTH, columns - column),
            products.address + 4 * column,
            stride,
            row + from === 0,
          );
          yield;
        }
      }
      row += samples;
    }
    const x: Matrix = { values: products.values, stride };
    results.push(
      yield* normsOf(memory, system, panels, scratch, [0, system.nodes], nodes, (columns, out) => {
        copyColumns(x, size, [columns[0] - own[0], columns[1] - own[0]], out);
      }),
    );
  }
  return results;
}

/** Bytes of the system's matrix, and of what its making and its inversion take. */
function inverseBytes(memory: MixedBlocks, size: number): number {
  const matrix = invertRows(memory, size) * invertStride(memory, size);
  return spanBytes({ length: matrix, bytes: 8 }) + gramBytes(memory, size) + invertBytes(memory, size);
}

/** (FF'/n + lambda I)^-1 or (F'F/n + lambda I)^-1, of which the upper triangle is there. */
function* inverseOf(
  memory: MixedBlocks,
  { observations, lambda }: ChannelSystem,
  f: Matrix,
  over: 'rows' | 'columns',
): Generator<undefined, Doubles, undefined> {
  const size = over === 'rows' ? f.stride : observations;
  const stride = invertStride(memory, size);
  const matrix = memory.doubles(invertRows(memory, size) * stride);
  matrix.values.fill(0);
  yield* addGram(memory, f, observations, over, matrix);
  for (let i = 0; i < size; i++) {
    for (let at = i * stride + i; at < i * stride + size; at++) matrix.values[at]! /= observations;
    matrix.values[i * stride + i]! += lambda;
  }
  yield* invert(memory, matrix, size);
  return matrix;
}

/** The inverse in float32, times a factor, as left panels or as right ones in pieces of {@link DEPTH} rows. */
function packInverse(
  memory: MixedBlocks,
  { values }: Doubles,
  size: number,
  factor: number,
  side: 'left' | 'right',
): Singles {
  const { leftWidth, rightWidth } = memory.single;
  const stride = invertStride(memory, size);
  const width = side === 'left' ? leftWidth : rightWidth;
  const wide = roundUp(size, width);
  const packed = memory.singles((side === 'left' ? size : roundUp(size, DEPTH)) * wide);
  const rows = new Float32Array(DEPTH * size);
  for (let first = 0; first < size; first += DEPTH) {
    const count = Math.min(DEPTH, size - first);
    for (let j = 0; j < first; j++) {
      for (let r = 0; r < count; r++) rows[r * size + j] = values[j * stride + first + r]! * factor;
    }
    for (let r = 0; r < count; r++) {
      for (let j = first; j < first + r; j++) rows[r * size + j] = values[j * stride + first + r]! * factor;
      for (let j = first + r; j < size; j++) rows[r * size + j] = values[(first + r) * stride + j]! * factor;
    }
    const matrix: Matrix = { values: rows, stride: size };
    if (side === 'right') packColumns(matrix, [0, count], [0, size], width, packed.values, first * wide);
    // Symmetric: whole columns of some panels are whole rows.
    else packRowsOfPanels(matrix, first, count, size, width, packed.values);
  }
  return packed;
}

/** Rows `first ..` of a symmetric matrix as the columns of left panels. */
function packRowsOfPanels(
  { values, stride }: Matrix,
  first: number,
  count: number,
  size: number,
  width: number,
  to: Float32Array,
): void {
  for (let r = 0; r < count; r++) {
    const column = first + r;
    let at = Math.floor(column / width) * width * size + (column % width);
    for (let k = 0; k < size; k++, at += width) to[at] = values[r * stride + k]!;
  }
}

function normsBytes(memory: MixedBlocks, rows: number, columns: number, targets: Uint32Array): number {
  const { leftWidth, rightWidth } = memory.single;
  const wide = roundUp(widestPanel(targets), rightWidth);
  return spanBytes(
    { length: roundUp(rows, DEPTH) * wide, bytes: 4 },
    { length: roundUp(columns, leftWidth) * wide, bytes: 4 },
  );
}

interface NormsScratch {
  readonly right: Singles;
  readonly block: Singles;
  /** From one row of the block to the next */
  readonly stride: number;
  readonly filled: Float32Array;
}

function normsScratch(memory: MixedBlocks, left: LeftPanels, targets: Uint32Array): NormsScratch {
  const { leftWidth, rightWidth } = memory.single;
  const width = widestPanel(targets);
  const stride = roundUp(width, rightWidth);
  return {
    right: memory.singles(roundUp(left.rows, DEPTH) * stride),
    block: memory.singles(roundUp(left.columns, leftWidth) * stride),
    stride,
    filled: new Float32Array(left.rows * width),
  };
}

/** Blocks of the product of left panels with target columns, a panel of targets after the other, and their norms. */
function* normsOf(
  memory: MixedBlocks,
  { sources, targets }: ChannelSystem,
  left: LeftPanels,
  { right, block, filled, stride }: NormsScratch,
  sourceNodes: Range,
  targetNodes: Range,
  fill: (columns: Range, out: Float32Array) => void,
): Generator<undefined, PartNorms, undefined> {
  const { rightWidth } = memory.single;
  const count = targetNodes[1] - targetNodes[0];
  const out = new Float32Array((sourceNodes[1] - sourceNodes[0]) * count).fill(NaN);
  for (const panel of targetPanels(targets.starts, targetNodes)) {
    const columns: Range = [targets.starts[panel[0]]!, targets.starts[panel[1]]!];
    const wide = columns[1] - columns[0];
    fill(columns, filled);
    packRight({ values: filled, stride: wide }, left.rows, [0, wide], rightWidth, right.values);
    for (let row = 0; row < left.rows; row += DEPTH) {
      const rows: Range = [row, Math.min(row + DEPTH, left.rows)];
      const from = right.address + 4 * row * roundUp(wide, rightWidth);
      addProduct(memory, left, rows, from, wide, block.address, stride, row === 0);
      yield;
    }
    const matrix: Matrix = { values: block.values, stride };
    blockNorms(matrix, sources.starts, sourceNodes, targets.starts, panel, out, count, targetNodes[0]);
  }
  return out;
}

function copyColumns({ values, stride }: Matrix, rows: number, [first, end]: Range, out: Float32Array): void {
  const width = end - first;
  for (let row = 0; row < rows; row++) {
    out.set(values.subarray(row * stride + first, row * stride + end), row * width);
  }
}
