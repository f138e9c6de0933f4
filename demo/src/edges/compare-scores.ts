import type { EdgeColumns } from './edge-columns.ts';
import { PairIndex } from './pair-index.ts';
import { sortPermutation } from './sort.ts';

type Scored = Pick<EdgeColumns, 'names' | 'rows' | 'src' | 'dst' | 'score' | 'hasEdge'>;

/** Two results, over the pairs for which both have a score. */
export interface Comparison {
  readonly pairs: number;
  readonly src: Int32Array;
  readonly dst: Int32Array;
  readonly xs: Float64Array;
  readonly ys: Float64Array;
  /** The point of a pair; -1 if either result has no score for it. */
  readonly pointOf: (source: number, target: number) => number;
  /** 1 if either graph has the edge. */
  readonly hasEdge: Uint8Array;
  /** Pearson correlation of the two scores. */
  readonly correlation: number;
  /** How many of the best `among` pairs without an edge the two results share. */
  readonly shared: number;
  readonly among: number;
  /** The pairs with the largest differences, largest first. */
  readonly differing: Uint32Array;
}

const most = { among: 50, differing: 100 };

export function compareScores(a: Scored, b: Scored): Comparison {
  const index = new PairIndex(b);
  const rows: [number, number][] = [];
  for (let row = 0; row < a.rows; row++) {
    const other = index.rowOf(a.src[row]!, a.dst[row]!);
    if (other >= 0 && !Number.isNaN(a.score[row]!) && !Number.isNaN(b.score[other]!)) rows.push([row, other]);
  }
  const xs = Float64Array.from(rows, ([row]) => a.score[row]!);
  const ys = Float64Array.from(rows, ([, other]) => b.score[other]!);
  const hasEdge = Uint8Array.from(rows, ([row, other]) => a.hasEdge[row]! | b.hasEdge[other]!);
  const best = (values: Float64Array) =>
    sortPermutation(values, true)
      .filter((pair) => hasEdge[pair] === 0)
      .subarray(0, most.among);
  const ofY = new Set(best(ys));
  const src = Int32Array.from(rows, ([row]) => a.src[row]!);
  const dst = Int32Array.from(rows, ([row]) => a.dst[row]!);
  const points = new PairIndex({ names: a.names, rows: rows.length, src, dst });
  return {
    pairs: rows.length,
    src,
    dst,
    pointOf: (source, target) => points.rowOf(source, target),
    xs,
    ys,
    hasEdge,
    correlation: correlationOf(xs, ys),
    shared: best(xs).filter((pair) => ofY.has(pair)).length,
    among: Math.min(most.among, ofY.size),
    differing: sortPermutation(
      xs.map((x, pair) => Math.abs(ys[pair]! - x)),
      true,
    ).slice(0, most.differing),
  };
}

function correlationOf(xs: Float64Array, ys: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(xs), mean(ys)];
  let [xx, yy, xy] = [0, 0, 0];
  for (let k = 0; k < xs.length; k++) {
    const [dx, dy] = [xs[k]! - middleX, ys[k]! - middleY];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xy / Math.sqrt(xx * yy);
}
