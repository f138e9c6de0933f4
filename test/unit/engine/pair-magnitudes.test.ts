import { expect, test } from 'vitest';
import { pairMagnitudes } from '../../../src/engine/channels/pair-magnitudes.ts';
import { raggedFromLists } from '../../../src/statistics.ts';

/** Three samples of three channels, in two blocks; node 0 has channels 0 and 2, node 1 has channel 1. */
const blocks = [Float32Array.of(3, -1, 4, 0, 2, -5), Float32Array.of(-6, 7, 8)];
const negated = blocks.map((block) => block.map((value) => -2 * value));
const rows = { samples: 3, channels: 3, pairs: [{ x: blocks, u: negated }] };
const groups = raggedFromLists([[0, 2], [1]]);

test.each([
  ['l1', [7, 5, 14], [2, 4, 14]],
  ['l2', [5, 5, 10], [2, 4, 14]],
] as const)('magnitudes of a pair, by the norm %s', (reduction, x, y) => {
  const found = pairMagnitudes(rows, groups, reduction, { source: 0, target: 1, samples: 10 });
  expect(found.x.map((side) => [...side])).toEqual([x]);
  expect(found.y.map((side) => [...side])).toEqual([y]);
});

test('only of the first samples', () => {
  const found = pairMagnitudes(rows, groups, 'l1', { source: 1, target: 0, samples: 2 });
  expect([found.x, found.y].map(([side]) => [...side!])).toEqual([
    [1, 2],
    [14, 10],
  ]);
});
