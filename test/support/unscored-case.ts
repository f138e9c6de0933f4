import type { ScoreCoverage } from '../../src/index.ts';
import { conditioningSets, type MagnitudeBatch } from '../../src/statistics.ts';
import { randomNumbers } from './random-numbers.ts';

/**
 * Eight nodes and two layer pairs, with pairs that have no score for every possible reason; their numbers are counted
 * by hand.
 */
export function unscoredCase() {
  const [nodes, size] = [8, 40];
  const random = randomNumbers(9);
  const side = (): Float32Array => Float32Array.from({ length: size * nodes }, () => 1 + random());
  const [x, y] = [
    [side(), side()],
    [side(), side()],
  ];
  const set = (matrix: Float32Array, node: number, value: (row: number) => number): void => {
    for (let row = 0; row < size; row++) matrix[row * nodes + node] = value(row);
  };
  for (const p of [0, 1]) {
    // x0 and y1 are constant in both layer pairs; x2 equals x3, and y5 is twice x3.
    set(x[p]!, 0, () => 3);
    set(y[p]!, 1, () => 0);
    set(x[p]!, 2, (row) => x[p]![row * nodes + 3]!);
    set(y[p]!, 5, (row) => 2 * x[p]![row * nodes + 3]!);
  }
  // y7 is constant in one layer pair only.
  set(y[0]!, 7, () => 1);
  // 4 -> 1 and 4 -> 6; 3 -> 5 explains y5 and, of the sources, x2; 2 -> 4 and 3 -> 4 are a singular set.
  const edges = [
    [4, 4, 3, 2, 3, 6],
    [1, 6, 5, 4, 4, 6],
  ] as const;
  const batch: MagnitudeBatch = { size, x, y };
  const request = {
    score: 'partial',
    layerAgg: 'mean',
    ridge: 0,
    conditioningSets: conditioningSets(edges, nodes),
  } as const;
  // Of 56 pairs i -> j, 51 are candidates, since 6 -> 6 is not a pair.
  // 0 -> 7 has no score in one layer pair because of its target, which takes precedence over its source.
  const corr = { constantSource: 5, constantTarget: 8, explained: 0, knownParent: 0, singular: 0 };
  const partial = {
    // x0 with 2, 3, 4, 5 and 6; those with 4 and 5 count here, before the singular set and what is explained.
    constantSource: 5,
    // y1 with all others but its parent, 4; y7 with x0
    constantTarget: 7,
    // y5 with 1, 2, 4, 6 and 7
    explained: 5,
    knownParent: 5,
    // y4 with 1, 5, 6 and 7
    singular: 4,
  };
  const expected: { score: 'corr' | 'partial'; excludeSelf: boolean; coverage: ScoreCoverage }[] = [
    {
      score: 'corr',
      excludeSelf: true,
      coverage: { pairs: 56, unscored: { pairs: 13, ...corr }, candidates: { pairs: 51, unscored: 12 } },
    },
    {
      score: 'corr',
      excludeSelf: false,
      // 0 -> 0 and 1 -> 1
      coverage: {
        pairs: 64,
        unscored: { ...corr, pairs: 15, constantSource: 6, constantTarget: 9 },
        candidates: { pairs: 51, unscored: 12 },
      },
    },
    {
      score: 'partial',
      excludeSelf: true,
      coverage: { pairs: 56, unscored: { pairs: 26, ...partial }, candidates: { pairs: 51, unscored: 21 } },
    },
    {
      score: 'partial',
      excludeSelf: false,
      // 0 -> 0 by a constant source; 1, 4, 5 and 6, which have parents, with themselves
      coverage: {
        pairs: 64,
        unscored: { ...partial, pairs: 31, constantSource: 6, knownParent: 9 },
        candidates: { pairs: 51, unscored: 21 },
      },
    },
  ];
  return { nodes, batch, edges, request, expected };
}
