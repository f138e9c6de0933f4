import type { Matrix } from './panels.ts';
import { WIDTH, type Range } from './products.ts';
import type { ChannelSystem } from './system.ts';

/** Ranges `first .. end` of target nodes that are processed together: about `width` columns, in whole nodes. */
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

/**
 * Squared norms of blocks of coefficients over the columns of the target, one panel of target nodes after another: the
 * full matrix of coefficients never exists.
 *
 * @param block memory for the coefficients of the source nodes and the widest panel
 * @param factor to multiply the coefficients by
 * @param coefficients writes those of target columns `first .. end` to `block`
 * @returns row-major `[source nodes, target nodes]`, NaN if either has no column
 */
export function* normsOf(
  { sources, targets }: ChannelSystem,
  [sourceNodes, targetNodes]: readonly [Range, Range],
  block: Matrix,
  factor: number,
  coefficients: (columns: Range) => Iterable<undefined>,
): Generator<undefined, Float32Array, undefined> {
  const count = targetNodes[1] - targetNodes[0];
  const out = new Float32Array((sourceNodes[1] - sourceNodes[0]) * count).fill(NaN);
  for (const panel of targetPanels(targets.starts, targetNodes)) {
    yield* coefficients([targets.starts[panel[0]]!, targets.starts[panel[1]]!]);
    blockNorms(block, [sources.starts, sourceNodes], [targets.starts, panel], factor ** 2, {
      values: out,
      stride: count,
      origin: targetNodes[0],
    });
    yield;
  }
  return out;
}

/**
 * Squared norms of blocks divided by the number of columns of each target, `||B_ij||^2 / C_j`, times a factor.
 *
 * @param blocks coefficients of some source nodes (rows) and target nodes (columns)
 * @param sources where the columns of each node begin, and the range of nodes; likewise for targets
 * @param out row-major `[source nodes, stride]`, from node `sources[1][0]` on; its column 0 is node `origin`
 */
function blockNorms(
  { values, stride }: Matrix,
  [sourceStarts, sources]: readonly [Uint32Array, Range],
  [targetStarts, targets]: readonly [Uint32Array, Range],
  factor: number,
  out: { readonly values: Float32Array; readonly stride: number; readonly origin: number },
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
    const at = (i - sources[0]) * out.stride + targets[0] - out.origin;
    for (let t = 0; t < count; t++) {
      const columns = starts[t + 1]! - starts[t]!;
      if (columns > 0) out.values[at + t] = (factor * sums[t]!) / columns;
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
