import { spanBytes, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import {
  addProduct,
  DEPTH,
  normsBytes,
  normsOf,
  normsScratch,
  type LeftPanels,
  type Range,
} from './block-norms.ts';
import { addGramOfRows, gramBytes, gramScratch } from './gram.ts';
import { matrixBytes, newMatrix, placeIn, roundUp } from './panels.ts';
import { INVERSE_DEPTH, invertRidge, newSystem, packInverse, ridgeBytes } from './ridge-inverse.ts';
import { ObservationRows, type RowOrder } from './rows.ts';
import type { ChannelSystem } from './system.ts';

/**
 * Norms of the blocks of `B = F' (FF'/n + lambda I)^-1 U/n` for some source nodes and all targets: the inverse of a system of
 * observations, its product with those sources, and of that with U by panels of targets.
 *
 * @returns for each order, row-major `[sources, nodes]`
 */
export function* dual(
  memory: MixedBlocks,
  system: ChannelSystem,
  nodes: Range,
  orders: readonly RowOrder[],
): Generator<undefined, Float32Array[], undefined> {
  const { single } = memory;
  const { leftWidth, rightWidth } = single;
  const { observations: n, sources, targets, lambda } = system;
  const own: Range = [sources.starts[nodes[0]]!, sources.starts[nodes[1]]!];
  const columns = own[1] - own[0];
  const all = sources.channels.length;
  const step = Math.floor(DEPTH / leftWidth) * leftWidth;
  const stride = roundUp(n, rightWidth);
  memory.clear(
    matrixBytes(n, all) +
      gramBytes(memory, n) +
      ridgeBytes(memory, n, 'right') +
      spanBytes({ length: step * n, bytes: 4 }, { length: roundUp(columns, leftWidth) * n, bytes: 4 }) +
      matrixBytes(step, stride) +
      normsBytes(memory, { rows: n, columns }, targets.starts),
  );
  const rows = new ObservationRows(system);
  const f = newMatrix(memory, n, all);
  rows.standardized([0, n], f);
  yield;
  const matrix = newSystem(memory, n);
  yield* addGramOfRows(memory, gramScratch(memory, n), f, [n, all], matrix);
  yield* invertRidge(memory, matrix, n, n, lambda);
  const inverse = packInverse(memory, matrix, n, 1 / n, 'right');
  // The inverse times some source columns at a time, which then become left panels.
  const some = memory.singles(step * n);
  const left = memory.singles(roundUp(columns, leftWidth) * n);
  const product = newMatrix(memory, step, stride);
  for (let first = own[0]; first < own[1]; first += step) {
    const count = Math.min(step, own[1] - first);
    single.packColumns('left', placeIn(f, 0, first), n, count, some.address);
    const panels: LeftPanels = { address: some.address, rows: n, columns: count };
    for (let row = 0; row < n; row += INVERSE_DEPTH) {
      const piece: Range = [row, Math.min(row + INVERSE_DEPTH, n)];
      addProduct(memory, panels, piece, inverse.address + 4 * row * stride, n, product, row === 0);
    }
    single.packRows('left', product, count, n, left.address + 4 * (first - own[0]) * n);
    yield;
  }
  const panels: LeftPanels = { address: left.address, rows: n, columns };
  const scratch = normsScratch(memory, panels, targets.starts);
  const results: Float32Array[] = [];
  for (const order of orders) {
    results.push(
      yield* normsOf(memory, system, panels, scratch, [nodes, [0, system.nodes]], (columns, out) => {
        rows.scaledTargets([0, n], columns, order, out);
        return [];
      }),
    );
  }
  return results;
}
