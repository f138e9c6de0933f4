import { spanBytes, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { normsOf, widestPanel } from './block-norms.ts';
import { FactorSolver } from './factor-solver.ts';
import { matrixBytes, newMatrix, roundUp, type Matrix } from './panels.ts';
import { addProduct, DEPTH, type LeftPanels, type Range } from './products.ts';
import type { RidgeFactor } from './ridge-factor.ts';
import { ObservationRows, type RowOrder } from './rows.ts';
import { hasSums, productsOfSums } from './sums.ts';
import type { ChannelSystem } from './system.ts';

/**
 * Norms of the blocks of `B = (F'F/n + lambda I)^-1 F'U/n` for all source nodes and some targets: solves the system of
 * source columns for F'U, in panels of targets.
 *
 * @returns for each order, row-major `[nodes, targets]`
 */
export function* primal(
  memory: MixedBlocks,
  system: ChannelSystem,
  nodes: Range,
  factor: RidgeFactor,
  orders: readonly RowOrder[],
): Generator<undefined, Float32Array[], undefined> {
  const { sources, targets, observations: n } = system;
  const size = sources.channels.length;
  const wide = roundUp(widestPanel(targets.starts), memory.single.rightWidth);
  const rows = FactorSolver.rows(size);
  const products = hasSums(system) ? ofSums(system) : ofRows(memory, system, wide);
  memory.clear(products.bytes + FactorSolver.bytes(size, wide) + matrixBytes(rows, wide));
  const solver = new FactorSolver(memory, factor, size, wide);
  const sides = newMatrix(memory, rows, wide);
  yield* products.open();
  const results: Float32Array[] = [];
  for (const order of orders) {
    results.push(
      yield* normsOf(system, [[0, system.nodes], nodes], sides, 1 / n, function* (columns) {
        yield* products.fill(columns, order, sides);
        yield* solver.solve(sides, columns[1] - columns[0]);
      }),
    );
  }
  return results;
}

/** Columns of F'U. */
interface Products {
  /** Memory that they take */
  readonly bytes: number;
  /** Allocates it, and does the work that all columns share */
  open(): Iterable<undefined>;
  fill(columns: Range, order: RowOrder, out: Matrix): Iterable<undefined>;
}

function ofSums(system: ChannelSystem): Products {
  return {
    bytes: 0,
    open: () => [],
    *fill(columns, order, out) {
      if (order !== undefined) throw new TypeError('Sums have no rows to reorder.');
      productsOfSums(system, columns, out);
      yield;
    },
  };
}

function ofRows(memory: MixedBlocks, system: ChannelSystem, wide: number): Products {
  const { single } = memory;
  const { observations: n } = system;
  const size = system.sources.channels.length;
  const high = roundUp(size, single.leftWidth);
  const rows = new ObservationRows(system);
  /** Pieces of rows of F, each packed in left panels */
  let f: LeftPanels[] = [];
  let u: Matrix, right: { address: number };
  return {
    bytes:
      matrixBytes(DEPTH, size) +
      matrixBytes(DEPTH, wide) +
      spanBytes({ length: high * n, bytes: 4 }, { length: DEPTH * wide, bytes: 4 }),
    *open() {
      const piece = newMatrix(memory, DEPTH, size);
      const { address } = memory.singles(high * n);
      [u, right] = [newMatrix(memory, DEPTH, wide), memory.singles(DEPTH * wide)];
      f = [];
      for (let first = 0; first < n; first += DEPTH) {
        const depth = Math.min(DEPTH, n - first);
        const own = { address: address + 4 * high * first, rows: depth, columns: size };
        f.push(own);
        rows.standardized([first, first + depth], piece);
        single.packColumns('left', piece, depth, size, own.address);
        yield;
      }
    },
    *fill(columns, order, out) {
      const count = columns[1] - columns[0];
      let first = 0;
      for (const own of f) {
        rows.scaledTargets([first, first + own.rows], columns, order, u);
        single.packColumns('right', u, own.rows, count, right.address);
        const factors = {
          left: own,
          rows: [0, own.rows],
          right: { address: right.address, columns: count },
        } as const;
        addProduct(memory, factors, out, first === 0);
        first += own.rows;
        yield;
      }
    },
  };
}
