import { Schema, Table, tableFromIPC, tableToIPC } from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { mergeStatistics, type PairStatistics, shiftPivot } from '../../../src/statistics.ts';
import { decodeStatistics, encodeStatistics } from '../../../src/table/statistics-file.ts';
import {
  checkSameOrigin,
  mergeSaved,
  statisticsOrigin,
  type SavedStatistics,
} from '../../../src/table/statistics-origin.ts';
import { xxhash32 } from '../../../src/bytes/xxhash32.ts';
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

test('a file whose numbers, names or facts were changed is refused', () => {
  const bytes = encodeStatistics(saved(1));
  const refused = expect.objectContaining({ code: 'invalid-data' }) as Error;
  // Every byte of the numbers counts, wherever in the file they are: each float64 of the last column, its last byte.
  const table = tableFromIPC(bytes);
  const changes: ((table: Table) => Table)[] = [
    (t) => withMetadata(t, 'n', '31'),
    (t) => withMetadata(t, 'loss', 'mse'),
    (t) => withMetadata(t, 'usePreNorm', 'true'),
    (t) => withMetadata(t, 'edgeIndex', t.schema.metadata.get('edgeIndex')!.replace('[0,2,3]', '[0,2,2]')),
    (t) => withMetadata(t, 'checksum', '00000000'),
  ];
  for (const change of changes)
    expect(() => decodeStatistics(tableToIPC(change(table), 'file'), 's.arrow')).toThrow(/checksum/);
  expect(decodeStatistics(tableToIPC(table, 'file'))).toEqual(saved(1));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, xor) => {
      const damaged = bytes.slice();
      damaged[position]! ^= xor;
      // Padding, or what Arrow does not look at: then nothing is lost.
      let read: SavedStatistics | undefined;
      try {
        read = decodeStatistics(damaged, 's.arrow');
      } catch (error) {
        expect(error).toEqual(refused);
      }
      if (read) expect(read).toEqual(saved(1));
    }),
    { numRuns: 300 },
  );
});

function withMetadata(table: Table, key: string, value: string): Table {
  const metadata = new Map([...table.schema.metadata, [key, value]]);
  return new Table(new Schema(table.schema.fields, metadata), table.batches);
}

describe('what no samples can have given is refused, whatever its checksum', () => {
  type Sums = SavedStatistics['statistics'];
  const pairOf = ({ pairs }: Sums): PairStatistics => pairs[1]!;
  test.each<[string, (sums: Sums) => void, RegExp]>([
    [
      'a matrix that is not symmetric',
      (s) => (pairOf(s).sumXX[1]! *= 1.001),
      /is not symmetric at nodes 0 and 1/,
    ],
    ['a negative sum of squares', (s) => (pairOf(s).sumXX[5]! *= -1), /contradict the sums of node 1, in x/],
    [
      'squares smaller than the sums allow',
      (s) => (pairOf(s).sumY[2] = 2 * Math.sqrt(30 * pairOf(s).sumY2[2]!)),
      /contradict the sums of node 2, in y/,
    ],
    [
      'a product larger than its squares',
      (s) => (pairOf(s).sumXY[3] = 2 * Math.sqrt(pairOf(s).sumXX[0]! * pairOf(s).sumY2[3]!)),
      /nodes 0 and 3 larger than their sums of squares allow, in sumXY of layer pair 1/,
    ],
    [
      'a product of sources larger than their squares',
      (s) => {
        const { sumXX } = pairOf(s);
        sumXX[2] = sumXX[8] = 2 * Math.sqrt(sumXX[0]! * sumXX[10]!);
      },
      /nodes 0 and 2 larger than their sums of squares allow, in sumXX/,
    ],
  ])('%s', (_, spoil, message) => {
    const before = saved(1);
    spoil(before.statistics);
    expect(() => decodeStatistics(encodeStatistics(before), 's.arrow')).toThrow(message);
  });

  test('sums of no samples', () => {
    const { statistics, origin } = saved(1);
    const none = { origin, statistics: { ...statistics, samples: 0 } };
    expect(() => decodeStatistics(encodeStatistics(none), 's.arrow')).toThrow(
      /nonzero sums although it has no samples/,
    );
  });

  test('but rounding is not: sums that cancel about other pivots, constant nodes, magnitudes of any unit', () => {
    for (const unit of [1e-18, 1, 1e15]) {
      const statistics = [0, 1].map((part) => {
        const accumulator = new CpuAccumulator(4, 1);
        const { x, y } = magnitudes(20, 4, part);
        // Node 0 is constant in each part, at values that agree to eight digits.
        for (let row = 0; row < 20; row++) x[row * 4] = 1000 + part * 1e-5;
        const scaled = (values: Float64Array | Float32Array) =>
          Float64Array.from(values, (value) => value * unit);
        accumulator.add([scaled(x)], [scaled(y)], 20);
        return accumulator.statistics();
      });
      const merged = mergeStatistics(statistics[0]!, statistics[1]!);
      const moved = shiftPivot(
        merged.pairs[0]!,
        40,
        new Float64Array(4).fill(1000 * unit),
        new Float64Array(4).fill(unit),
      );
      for (const pairs of [merged.pairs, [moved]])
        expect(
          decodeStatistics(encodeStatistics({ origin, statistics: { nodes: 4, samples: 40, pairs } }))
            .statistics.samples,
        ).toBe(40);
    }
  });
});

test('xxHash32, by its published values', () => {
  const hash = (text: string): string => xxhash32(new TextEncoder().encode(text)).toString(16);
  expect([hash(''), hash('a'), hash('abc'), hash('Nobody inspects the spammish repetition')]).toEqual([
    '2cc5d05',
    '550d7456',
    '32d153ff',
    'e2293b2f',
  ]);
});
