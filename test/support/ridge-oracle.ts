import { canShare, ownArrays, SharedArrays } from '../../src/scoring/array-pool.ts';
import {
  channelMoments,
  channelSystem,
  meanSquares,
  varies,
  type ChannelSystem,
} from '../../src/scoring/channel/system.ts';
import { raggedFromLists, type RaggedIndices } from '../../src/statistics.ts';
import { normalNumbers } from './random-numbers.ts';

/**
 * Solves A X = B by Gaussian elimination, in float64; X overwrites B.
 * @param a `[size, size]`, overwritten
 * @param b `[size, columns]`
 */
export function solveDense(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const columns = b.length / size;
  const subtract = (values: Float64Array, width: number, row: number, from: number, factor: number): void => {
    for (let c = 0; c < width; c++) values[row * width + c]! -= factor * values[from * width + c]!;
  };
  for (let pivot = 0; pivot < size; pivot++) {
    for (let row = 0; row < size; row++) {
      if (row === pivot) continue;
      const factor = a[row * size + pivot]! / a[pivot * size + pivot]!;
      subtract(a, size, row, pivot, factor);
      subtract(b, columns, row, pivot, factor);
    }
  }
  for (let row = 0; row < size; row++) {
    for (let c = 0; c < columns; c++) b[row * columns + c]! /= a[row * size + row]!;
  }
  return b;
}

/** Samples of one layer pair in float32. */
export interface RidgeProblem {
  /** Channels of each node */
  readonly groups: RaggedIndices;
  readonly channels: number;
  readonly samples: number;
  /** `[samples, channels]` */
  readonly x: Float32Array;
  readonly u: Float32Array;
  readonly lambda: number;
}

/**
 * Channels that share a few factors, 41 nodes of up to five; those of one node are constant, and another's gradients
 * are 0.
 */
export function ridgeProblem(samples: number, lambda: number, noise = 3): RidgeProblem {
  const random = normalNumbers(5);
  const lists: number[][] = [];
  let channels = 0;
  for (let node = 0; node < 41; node++) {
    lists.push(Array.from({ length: 1 + ((3 * node) % 5) }, () => channels++));
  }
  const weights = Float64Array.from({ length: 6 * channels }, random);
  // In the memory that an engine uses.
  const arrays = canShare() ? new SharedArrays() : ownArrays;
  const [x, u] = [0, 1].map(() => arrays.alloc(Float32Array, samples * channels)) as [
    Float32Array,
    Float32Array,
  ];
  for (let row = 0; row < samples; row++) {
    const factors = Array.from({ length: 6 }, random);
    for (let c = 0; c < channels; c++) {
      const common = factors.reduce((sum, value, k) => sum + value * weights[k * channels + c]!, 0);
      x[row * channels + c] = 100 + common + noise * random();
      u[row * channels + c] = 1e-6 * (common + random());
    }
    for (const c of lists[3]!) x[row * channels + c] = 7;
    for (const c of lists[8]!) u[row * channels + c] = 0;
  }
  return { groups: raggedFromLists(lists), channels, samples, x, u, lambda };
}

/** A problem in the form that the regressions take. */
export function ridgeSystem({ groups, channels, samples, x, u, lambda }: RidgeProblem): ChannelSystem {
  const pair = {
    x: [x],
    u: [u],
    samples,
    momentsX: channelMoments([x], channels),
    meanSquareU: meanSquares([u], channels),
  };
  return channelSystem([pair], groups, channels, lambda);
}

/**
 * Scores `[nodes, nodes]` by the formula of docs/method.md, "Channel scores", in float64; NaN if a side has no channel.
 */
export function ridgeOracle({ groups, channels, samples: n, x, u, lambda }: RidgeProblem): Float64Array {
  const { mean, variance, meanSquare } = channelMoments([x], channels);
  const squares = meanSquares([u], channels);
  const sources = [...Array(channels).keys()].filter((c) => varies({ variance, meanSquare }, c));
  const k = sources.length;
  const f = (row: number, c: number): number => (x[row * channels + c]! - mean[c]!) / Math.sqrt(variance[c]!);
  const [a, b] = [new Float64Array(k * k), new Float64Array(k * channels)];
  const line = new Float64Array(k);
  for (let row = 0; row < n; row++) {
    sources.forEach((c, i) => (line[i] = f(row, c)));
    for (let i = 0; i < k; i++) {
      for (let j = 0; j < k; j++) a[i * k + j]! += (line[i]! * line[j]!) / n;
      for (let c = 0; c < channels; c++) {
        if (squares[c]! > 0)
          b[i * channels + c]! += (line[i]! * u[row * channels + c]!) / Math.sqrt(squares[c]!) / n;
      }
    }
  }
  for (let i = 0; i < k; i++) a[i * (k + 1)]! += lambda;
  const coefficients = solveDense(a, b, k);
  const nodes = groups.offsets.length - 1;
  const own = (node: number) => [...groups.indices.subarray(groups.offsets[node], groups.offsets[node + 1])];
  return Float64Array.from({ length: nodes ** 2 }, (_, at) => {
    const rows = own(Math.floor(at / nodes)).flatMap((c) =>
      sources.includes(c) ? [sources.indexOf(c)] : [],
    );
    const columns = own(at % nodes).filter((c) => squares[c]! > 0);
    const square = rows.reduce(
      (sum, row) => columns.reduce((s, c) => s + coefficients[row * channels + c]! ** 2, sum),
      0,
    );
    return rows.length === 0 || columns.length === 0 ? NaN : Math.sqrt(square / columns.length);
  });
}
