import { spanBytes, type MixedBlocks } from '../../statistics/mixed-blocks.ts';
import { normsOf, widestPanel } from './block-norms.ts';
import { FactorSolver } from './factor-solver.ts';
import { matrixBytes, newMatrix, roundUp } from './panels.ts';
import { DEPTH, multiply, WIDTH, type LeftPanels, type Range } from './products.ts';
import type { RidgeFactor } from './ridge-factor.ts';
import { ObservationRows, type RowOrder } from './rows.ts';
import type { ChannelSystem } from './system.ts';

/**
 * Norms of the blocks of `B = F' (FF'/n + lambda I)^-1 U/n` for some source nodes and all targets: solves the system of
 * observations for those sources, and multiplies the solution by U in panels of targets.
 *
 * @returns for each order, row-major `[sources, nodes]`
 */
export function* dual(
  memory: MixedBlocks,
  system: ChannelSystem,
  nodes: Range,
  factor: RidgeFactor,
  orders: readonly RowOrder[],
): Generator<undefined, Float32Array[], undefined> {
  const { single } = memory;
  const { leftWidth, rightWidth } = single;
  const { observations: n, sources, targets } = system;
  const own: Range = [sources.starts[nodes[0]]!, sources.starts[nodes[1]]!];
  const columns = own[1] - own[0];
  const high = roundUp(columns, leftWidth);
  const step = Math.floor(WIDTH / leftWidth) * leftWidth;
  const wide = roundUp(widestPanel(targets.starts), rightWidth);
  const size = FactorSolver.rows(n);
  memory.clear(
    FactorSolver.bytes(n, WIDTH) +
      matrixBytes(size, WIDTH) +
      matrixBytes(n, wide) +
      spanBytes(
        { length: high * n, bytes: 4 },
        { length: DEPTH * wide, bytes: 4 },
        { length: high * wide, bytes: 4 },
      ),
  );
  const rows = new ObservationRows(system);
  const solver = new FactorSolver(memory, factor, n, WIDTH);
  const sides = newMatrix(memory, size, WIDTH);
  const left: LeftPanels = { address: memory.singles(high * n).address, rows: n, columns };
  for (let first = own[0]; first < own[1]; first += step) {
    const count = Math.min(step, own[1] - first);
    rows.standardized([0, n], sides, [first, first + count]);
    yield* solver.solve(sides, count);
    single.packColumns('left', sides, n, count, left.address + 4 * (first - own[0]) * n);
  }
  const u = newMatrix(memory, n, wide);
  const right = memory.singles(DEPTH * wide);
  const block = { ...memory.singles(high * wide), stride: wide };
  const results: Float32Array[] = [];
  for (const order of orders) {
    results.push(
      yield* normsOf(system, [nodes, [0, system.nodes]], block, 1 / n, (target) => {
        rows.scaledTargets([0, n], target, order, u);
        return multiply(memory, left, u, { address: right.address, columns: target[1] - target[0] }, block);
      }),
    );
  }
  return results;
}
