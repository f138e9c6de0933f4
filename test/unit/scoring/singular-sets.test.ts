import { describe, expect, test } from 'vitest';
import { conditioningSets, scoreStatistics } from '../../../src/statistics.ts';

const EPSILON = 2 ** -52;
/** A power of two, so that dividing the sums by it is exact. */
const SAMPLES = 64;

/**
 * Nodes 0 and 1 are the parents of 2; 3 is a bystander. All means are 0 and the variance of 0 is 1. Node 1 is node 0 plus
 * a part of its own whose variance is the second pivot of the Cholesky factor, which every step here forms exactly.
 */
async function scoresBySecondPivot(secondPivot: number, ridge = 0): Promise<Float64Array | Float32Array> {
  const covXX = [
    [1, 1, 0, 0.25],
    [1, 1 + secondPivot, 0, 0.25],
    [0, 0, 1, 0],
    [0.25, 0.25, 0, 1],
  ];
  const covXYOfTarget = [0.5, 0.5, 0, 0.5];
  const nodes = 4;
  const sums = (values: readonly number[]) => Float64Array.from(values, (value) => value * SAMPLES);
  const zeros = () => new Float64Array(nodes);
  const pair = {
    pivotX: zeros(),
    pivotY: zeros(),
    sumX: zeros(),
    sumY: zeros(),
    sumY2: sums([1, 1, 1, 1]),
    sumXX: sums(covXX.flat()),
    sumXY: sums(covXYOfTarget.flatMap((covariance) => [0, 0, covariance, 0])),
  };
  const scores = await scoreStatistics(
    { nodes, samples: SAMPLES, pairs: [pair] },
    {
      score: 'partial',
      layerAgg: 'mean',
      ridge,
      conditioningSets: conditioningSets(
        [
          [0, 1],
          [2, 2],
        ],
        nodes,
      ),
    },
  );
  return scores.perPair[0]!;
}

/** Of source 3 given the parents of target 2. */
const BYSTANDER = 3 * 4 + 2;

describe('a set is singular exactly where the method says so: a pivot <= |S| 2^-52 times the largest diagonal', () => {
  test.each([0, EPSILON, 2 * EPSILON])('pivot %d of two parents: the column has no scores', async (pivot) => {
    const scores = await scoresBySecondPivot(pivot);
    for (let source = 0; source < 4; source++) expect(scores[source * 4 + 2]).toBeNaN();
    // Targets without parents are not touched.
    expect(scores[3 * 4 + 1]).toBe(0);
  });

  test.each([3 * EPSILON, 4 * EPSILON, 1e-9])('pivot %d: it has', async (pivot) => {
    // By hand: both parents covary alike with the target and the bystander, so node 1 adds nothing to node 0:
    // (0.5 - 0.25 * 0.5) / sqrt((1 - 0.25^2) (1 - 0.5^2)).
    const scores = await scoresBySecondPivot(pivot);
    expect(scores[BYSTANDER]).toBeCloseTo(0.375 / Math.sqrt(0.9375 * 0.75), 12);
    expect(scores[0 * 4 + 2]).toBeNaN();
  });

  test('a ridge far above it makes any set regular', async () => {
    // K = [[1 + r, 1], [1, 1 + r]]: along (1, 1) its eigenvalue is 2 + r, and both covariance vectors lie there.
    const ridge = 1e-3;
    const scores = await scoresBySecondPivot(0, ridge);
    const shared = (a: number, b: number) => (2 * a * b) / (2 + ridge);
    const joint = 0.5 - shared(0.25, 0.5);
    const expected = joint / Math.sqrt((1 - shared(0.25, 0.25)) * (1 - shared(0.5, 0.5)));
    expect(scores[BYSTANDER]).toBeCloseTo(expected, 12);
  });
});
