import { describe, expect, it } from 'vitest';
import { isConstant, remainderLimits } from '../../../src/scoring/constant-nodes.ts';
import { statisticsProducts } from '../../../src/scoring/held-products.ts';
import { solvePartialColumn } from '../../support/partial-column.ts';
import { PartialScorer } from '../../../src/scoring/partial.ts';
import { openScalarSubstitution, openSubstitution } from '../../../src/scoring/substitution.ts';
import { encodeSubstitutionKernel } from '../../../src/scoring/wasm-substitution-kernel.ts';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { covariances, raggedFromLists } from '../../../src/statistics.ts';
import { runToEnd } from '../../../src/statistics/yielder.ts';
import type { Tile } from '../../../src/statistics/tiled-matmul.ts';
import { largestError } from '../../support/largest-error.ts';
import { generator, magnitudes } from '../statistics/random-magnitudes.ts';

/** Not a multiple of anything, and more than one panel of sources. */
const nodes = 300;
const samples = 700;

/** Sets of every kind: none, one, a few, nearly all nodes; their factors do not find room together. */
function conditioningLists(): number[][] {
  const random = generator(5);
  return Array.from({ length: nodes }, (_, target) => {
    const size = [0, 1, 2, 7, 8, 9, 33, 290][target % 8]!;
    const others = Array.from({ length: nodes }, (_, i) => i).filter((i) => i !== target);
    for (let k = 0; k < size; k++) {
      const swap = k + Math.floor(random() * (others.length - k));
      [others[k], others[swap]] = [others[swap]!, others[k]!];
    }
    return others.slice(0, size).sort((a, b) => a - b);
  });
}

describe('partial correlations of all sources and targets', () => {
  const lists = conditioningLists();
  const sets = raggedFromLists(lists);
  const data = magnitudes(samples, nodes, 11);
  const accumulator = new CpuAccumulator(nodes, 1);
  // A constant node, a constant target, and a source that is the double of another.
  for (let row = 0; row < samples; row++) {
    data.x[row * nodes + 3] = 2;
    data.y[row * nodes + 4] = 2;
    data.x[row * nodes + 17] = 2 * data.x[row * nodes + 16]!;
  }
  accumulator.add([data.x], [data.y], samples);
  const statistics = accumulator.statistics();
  const pair = statistics.pairs[0]!;

  /** Column by column, from covariance matrices. */
  function columnByColumn(ridge: number): Float64Array {
    const { covXX, covXY, varX, varY, meanX2, meanY2 } = covariances(pair, samples);
    const usable = (variances: Float64Array, squares: Float64Array): Float64Array =>
      variances.map((variance, i) => (isConstant(variance, squares[i]!, undefined) ? NaN : variance));
    const all = new Float64Array(nodes * nodes);
    const scores = new Float64Array(nodes);
    for (const [target, set] of lists.entries()) {
      solvePartialColumn(
        {
          set: Uint32Array.from(set),
          target,
          covSS: Float64Array.from(set.flatMap((i) => set.map((k) => covXX[i * nodes + k]!))),
          covSY: Float64Array.from(set, (i) => covXY[i * nodes + target]!),
          covSX: Float64Array.from(set.flatMap((i) => [...covXX.subarray(i * nodes, (i + 1) * nodes)])),
          covXY: Float64Array.from({ length: nodes }, (_, i) => covXY[i * nodes + target]!),
          varX: usable(varX, meanX2),
          varY: usable(varY, meanY2)[target]!,
        },
        ridge,
        remainderLimits(undefined),
        scores,
      );
      scores.forEach((score, i) => (all[i * nodes + target] = score));
    }
    return all;
  }

  /** The same sums by tiles of so many targets. */
  function* inTiles(width: number): Generator<Tile> {
    for (let first = 0; first < nodes; first += width) {
      const end = Math.min(first + width, nodes);
      const values = new Float64Array(nodes * width);
      for (let i = 0; i < nodes; i++) {
        values.set(pair.sumXY.subarray(i * nodes + first, i * nodes + end), i * width);
      }
      yield { values, stride: width, first, end };
    }
  }

  // Where sets hold node 3 or both of 16 and 17, ridge 0 makes K singular: whole columns are NaN on both sides.
  it.each([
    [1e-3, nodes],
    [1e-3, 77],
    [0, nodes],
  ])('are those of one column after the other: ridge %d, tiles of %i', async (ridge, width) => {
    const out = new Float64Array(nodes * nodes).fill(7);
    const request = { score: 'partial', layerAgg: 'mean', ridge, conditioningSets: sets } as const;
    const source = await statisticsProducts(statistics, request).open(0, { first: 0, end: nodes });
    const scorer = new PartialScorer(nodes, request);
    const flags = new Uint8Array(nodes);
    for (const tile of inTiles(width))
      runToEnd(scorer.score(source, tile, { values: out, stride: nodes, first: 0 }, flags));
    // The same operations, fused or not; sets of 290 among 700 samples have condition numbers of some thousands.
    expect(largestError(out, columnByColumn(ridge))).toBeLessThan(1e-10);
  });
});

describe('the substitution kernel', () => {
  it('is that of plain JavaScript', () => {
    const size = 5;
    const sources = 16;
    const random = generator(3);
    /** Every address in bytes; the numbers are float64 but for the addresses of the rows. */
    const at = { factor: 0, rows: 800, variances: 2400, covariances: 2600, members: 2800, scratch: 3000 };
    const run = ({ buffer, run }: ReturnType<typeof openSubstitution>): Float64Array => {
      const values = new Float64Array(buffer);
      values.set(numbers);
      new Uint32Array(buffer, at.members, size).set([0, 1, 2, 3, 4].map((k) => at.rows + 8 * sources * k));
      run(at.members, size, at.factor, at.scratch, at.variances, at.covariances, 8 * sources);
      run(at.members, 0, at.factor + 8 * 20, at.scratch, at.variances, at.rows, 8 * sources);
      return values.slice(at.rows / 8, at.members / 8);
    };
    const numbers = Float64Array.from({ length: 350 }, () => random() - 0.5);
    // vy and the limits, after the 5 x 6 / 2 + 5 numbers of the set; variances some of which are used up.
    numbers.set([0.7, 0.05, 0.01, -1, 1], 20);
    for (let source = 0; source < sources; source++) numbers[at.variances / 8 + source] = source / 8;
    const [found, expected] = [run(openSubstitution(4096)), run(openScalarSubstitution(4096))];
    const scores = expected.subarray(
      (at.covariances - at.rows) / 8,
      (at.covariances - at.rows) / 8 + sources,
    );
    expect(scores.some((score) => Number.isNaN(score))).toBe(true);
    expect(scores.some((score) => Math.abs(score) < 1)).toBe(true);
    expect(largestError(found, expected)).toBeLessThan(1e-13);
  });

  it('comes from a module that every page may compile at once: under four kilobytes, and valid', () => {
    const bytes = encodeSubstitutionKernel(false);
    expect(bytes.length).toBeLessThan(4096);
    expect(WebAssembly.validate(bytes)).toBe(true);
    expect(encodeSubstitutionKernel(true).length).toBeLessThan(4096);
  });
});
