import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { decodeStatistics, encodeStatistics } from '../../../src/table/statistics-file.ts';
import {
  checkSameOrigin,
  mergeSaved,
  statisticsOrigin,
  type SavedStatistics,
} from '../../../src/table/statistics-origin.ts';
import { magnitudes } from '../statistics/random-magnitudes.ts';
import { graph } from './tiny.ts';

const origin = statisticsOrigin(graph, { reduction: 'l2', usePreNorm: false, loss: 'huber' });

function saved(seed: number): SavedStatistics {
  const accumulator = new CpuAccumulator(4, 2);
  const [first, second] = [magnitudes(30, 4, seed), magnitudes(30, 4, seed + 1)];
  accumulator.add([first.x, second.x], [first.y, second.y], 30);
  return { statistics: accumulator.statistics(), origin };
}

test('statistics come back to the bit, and so does where they come from', () => {
  const before = saved(1);
  expect(decodeStatistics(encodeStatistics(before))).toEqual(before);
});

test('merged files hold what the statistics merge into', () => {
  const [a, b] = [saved(1), saved(5)].map((one) => decodeStatistics(encodeStatistics(one)));
  expect(mergeSaved(a!, b!, 'b').statistics.samples).toBe(60);
});

test('a file of other record batches reads the same', () => {
  const before = saved(3);
  const table = tableFromIPC(encodeStatistics(before));
  const split = tableToIPC(table.slice(0, 3).concat(table.slice(3)), 'stream');
  expect(decodeStatistics(split)).toEqual(before);
});

test.each([
  ['a node renamed', { ...origin, functionNames: ['a', 'B', 'c', 'd'] }, /named b, "quoted" where B/],
  ['fewer nodes', { ...origin, functionNames: ['a'] }, /nodes of 4 where 1/],
  ['other edges', { ...origin, graph: '0000000000000000' }, /fingerprint/],
  ['another reduction', { ...origin, reduction: 'l1' }, /reduction l2 where l1/],
  ['another side of the norm', { ...origin, usePreNorm: true }, /usePreNorm false where true/],
  ['another loss', { ...origin, loss: 'mse' }, /loss huber where mse/],
])('refused: %s', (_, expected, message) => {
  expect(() => {
    checkSameOrigin(expected, origin, 's.arrow');
  }).toThrow(message);
});

test('damaged files are refused', () => {
  const bytes = encodeStatistics(saved(1));
  const refused = expect.objectContaining({ code: 'invalid-data' }) as Error;
  expect(() => decodeStatistics(new TextEncoder().encode('no statistics'), 's.arrow')).toThrow(refused);
  expect(() => decodeStatistics(bytes.slice(0, bytes.length / 2), 's.arrow')).toThrow(refused);
  const table = tableFromIPC(bytes);
  expect(() => decodeStatistics(tableToIPC(table.slice(0, 5)), 's.arrow')).toThrow(/has 5 rows/);
  expect(() => decodeStatistics(tableToIPC(table.select(['node', 'sum_x'])), 's.arrow')).toThrow(/no column/);
  const infinite = saved(1);
  infinite.statistics.pairs[1]!.sumXY[3] = Infinity;
  expect(() => decodeStatistics(encodeStatistics(infinite), 's.arrow')).toThrow(
    /'sum_xy' that is not finite/,
  );
});
