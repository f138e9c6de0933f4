import { spanBytes, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import {
  addProduct,
  normsBytes,
  normsOf,
  normsScratch,
  widestPanel,
  type LeftPanels,
  type Range,
} from './block-norms.ts';
import { addGramOfPanels, GRAM_DEPTH, gramBytes, gramScratch } from './gram.ts';
import { matrixBytes, newMatrix, roundUp, type Matrix } from './panels.ts';
import { invertRidge, newSystem, packInverse, ridgeBytes, type System } from './ridge-inverse.ts';
import { ObservationRows, type RowOrder } from './rows.ts';
import { addGramOfSums, hasSums, productsOfSums } from './sums.ts';
import type { ChannelSystem } from './system.ts';

/**
 * Norms of the blocks of `B = (F'F/n + lambda I)^-1 F'U/n` for all source nodes and some targets: the inverse of a system of
 * source columns, and its product with F'U by panels of targets.
 *
 * @returns for each order, row-major `[nodes, targets]`
 */
export function* primal(
  memory: MixedBlocks,
  system: ChannelSystem,
  nodes: Range,
  orders: readonly RowOrder[],
): Generator<undefined, Float32Array[], undefined> {
  const { sources, targets, observations: n, lambda } = system;
  const size = sources.channels.length;
  const products = hasSums(system) ? fromSums(system) : fromRows(memory, system);
  memory.clear(
    products.bytes +
      ridgeBytes(memory, size, 'left') +
      normsBytes(memory, { rows: size, columns: size }, targets.starts),
  );
  const matrix = newSystem(memory, size);
  yield* products.addGram(matrix);
  yield* invertRidge(memory, matrix, size, n, lambda);
  const left = packInverse(memory, matrix, size, 1 / n, 'left');
  const panels: LeftPanels = { address: left.address, rows: size, columns: size };
  const norms = normsScratch(memory, panels, targets.starts);
  const results: Float32Array[] = [];
  for (const order of orders) {
    results.push(
      yield* normsOf(memory, system, panels, norms, [[0, system.nodes], nodes], (columns, out) =>
        products.fill(columns, order, out),
      ),
    );
  }
  return results;
}

/** F'F, and columns of F'U. */
interface Products {
  /** What they take of the memory, which is taken when they are first asked for */
  readonly bytes: number;
  addGram(matrix: System): Iterable<undefined>;
  fill(columns: Range, order: RowOrder, out: Matrix): Iterable<undefined>;
}

function fromSums(system: ChannelSystem): Products {
  return {
    bytes: 0,
    *addGram(matrix) {
      for (const segment of system.segments) {
        addGramOfSums(system, segment, matrix);
        yield;
      }
    },
    *fill(columns, order, out) {
      if (order !== undefined) throw new TypeError('Sums have no rows that could be put in order.');
      productsOfSums(system, columns, out);
      yield;
    },
  };
}

function fromRows(memory: MixedBlocks, system: ChannelSystem): Products {
  const { single } = memory;
  const { observations: n } = system;
  const size = system.sources.channels.length;
  const high = roundUp(size, single.leftWidth);
  const wide = roundUp(widestPanel(system.targets.starts), single.rightWidth);
  const rows = new ObservationRows(system);
  /** F in pieces of rows, each of them left panels */
  let f: LeftPanels[] = [];
  let u: Matrix, right: { address: number };
  return {
    bytes:
      matrixBytes(GRAM_DEPTH, size) +
      matrixBytes(GRAM_DEPTH, wide) +
      spanBytes({ length: high * n, bytes: 4 }, { length: GRAM_DEPTH * wide, bytes: 4 }) +
      gramBytes(memory, size),
    *addGram(matrix) {
      const piece = newMatrix(memory, GRAM_DEPTH, size);
      const { address } = memory.singles(high * n);
      [u, right] = [newMatrix(memory, GRAM_DEPTH, wide), memory.singles(GRAM_DEPTH * wide)];
      const scratch = gramScratch(memory, size);
      f = [];
      for (let first = 0; first < n; first += GRAM_DEPTH) {
        const depth = Math.min(GRAM_DEPTH, n - first);
        const own = { address: address + 4 * high * first, rows: depth, columns: size };
        f.push(own);
        rows.standardized([first, first + depth], piece);
        single.packColumns('left', piece, depth, size, own.address);
        single.packColumns('right', piece, depth, size, scratch.right.address);
        yield* addGramOfPanels(memory, scratch, own.address, depth, size, matrix);
      }
    },
    *fill(columns, order, out) {
      const count = columns[1] - columns[0];
      let first = 0;
      for (const own of f) {
        rows.scaledTargets([first, first + own.rows], columns, order, u);
        single.packColumns('right', u, own.rows, count, right.address);
        addProduct(memory, own, [0, own.rows], right.address, count, out, first === 0);
        first += own.rows;
        yield;
      }
    },
  };
}
