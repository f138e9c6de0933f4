import { expect, test } from 'vitest';
import { channelNorms } from '../../../src/statistics/channel-norms.ts';
import { firstNonFinite } from '../../../src/first-non-finite.ts';
import { raggedFromLists } from '../../../src/statistics.ts';

const groups = raggedFromLists([[2, 0], [1], [0, 1, 2]]);

function norms(values: readonly number[], reduction: 'l1' | 'l2'): number[] {
  const batch = values.length / 3;
  const out = new Float64Array(batch * 3);
  channelNorms(Float32Array.from(values), batch, { channels: 3, groups, reduction }, out);
  return [...out];
}

test('l1 and l2 over ragged groups of channels, in any order', () => {
  const values = [3, -2, -4, 0, 0.5, 12];
  expect(norms(values, 'l1')).toEqual([7, 2, 9, 12, 0.5, 12.5]);
  expect(norms(values, 'l2')).toEqual([5, 2, Math.sqrt(29), 12, 0.5, Math.sqrt(144.25)]);
});

test('nodes of as many channels each, side by side, have the bits of those in another order', () => {
  const [batch, nodes, each] = [7, 11, 5];
  const channels = nodes * each;
  const values = Float32Array.from({ length: batch * channels }, (_, k) => Math.sin(k) * 10 ** (k % 9));
  const lists = Array.from({ length: nodes }, (_, node) =>
    Array.from({ length: each }, (_, c) => node * each + c),
  );
  // A node without a channel more: no longer as many each.
  const [even, uneven] = [lists, [...lists, []]].map((groups) => {
    const out = new Float64Array(batch * groups.length);
    const settings = { channels, groups: raggedFromLists(groups), reduction: 'l1' } as const;
    channelNorms(values, batch, settings, out);
    return out;
  });
  expect([...even!]).toEqual([...uneven!].filter((_, k) => k % (nodes + 1) < nodes));
});

test('the largest and the smallest float32 keep their norms', () => {
  const [largest, smallest] = [Math.fround(3.4028234e38), 2 ** -149];
  const [two, , three] = norms([largest, largest, largest], 'l2').map((norm) => norm / largest);
  expect([two, three]).toEqual([expect.closeTo(Math.SQRT2, 15), expect.closeTo(Math.sqrt(3), 15)]);
  expect(norms([smallest, smallest, 0], 'l2').map((norm) => norm / smallest)).toEqual([1, 1, Math.SQRT2]);
});

test('the first value that is not finite', () => {
  expect(firstNonFinite(Float32Array.of(1, 3.4e38, -3.4e38, 0))).toBe(-1);
  expect(firstNonFinite(Float32Array.of(1, -Infinity, NaN))).toBe(1);
  expect(firstNonFinite(new Float32Array(0))).toBe(-1);
  // Of a length that is no multiple of four.
  const long = Float32Array.from({ length: 20_011 }, (_, k) => (k % 2 ? -3.4e38 : 1e-45) * k);
  for (let k = 0; k < long.length; k++) if (!Number.isFinite(long[k])) long[k] = -0;
  expect(firstNonFinite(long)).toBe(-1);
  for (const at of [20_010, 20_000, 16_384, 16_383, 8_191, 1, 0]) {
    for (const value of [NaN, Infinity, -Infinity]) {
      expect(firstNonFinite(long.with(at, value))).toBe(at);
      // Whatever the alignment.
      expect(firstNonFinite(long.with(at, value).subarray(1))).toBe(at - 1 < 0 ? -1 : at - 1);
    }
  }
});
