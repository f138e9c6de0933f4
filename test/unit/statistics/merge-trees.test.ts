import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { addChannelSums, emptyChannelSums, type ChannelSums } from '../../../src/statistics/channel-sums.ts';
import { mergeStatistics, type SavedChannels, shiftPivot } from '../../../src/statistics.ts';
import { pairArrays } from '../../../src/statistics/sufficient-statistics.ts';
import { mergeSaved, statisticsOrigin, type SavedStatistics } from '../../../src/table/statistics-origin.ts';
import { decodeStatistics, encodeStatistics } from '../../../src/table/statistics-file.ts';
import { magnitudes } from './random-magnitudes.ts';

const NODES = 5;
const names = Array.from({ length: NODES }, (_, k) => `f${k}`);
const edges: [number[], number[]] = [[0], [1]];
const graph = {
  nodeNames: { input: ['i'], function: names, output: ['o'] },
  edgeIndex: { 'input,function': edges, 'function,function': edges, 'function,output': edges },
};
edges[1] = [0];
const origin = statisticsOrigin(graph, { reduction: 'l1', usePreNorm: true, loss: 'mse' });

/** A shard: its samples' magnitudes, which are its channel values as well (one channel a node), or sums of them. */
function shard(samples: number, seed: number, kind: 'values' | 'sums' | 'none'): SavedStatistics {
  const { x, y } = magnitudes(samples, NODES, seed, 1 + (seed % 3));
  const accumulator = new CpuAccumulator(NODES, 1);
  accumulator.add([x], [y], samples);
  const statistics = accumulator.statistics();
  return { origin, statistics, channels: channelsOf(x, y, samples, kind) };
}

function channelsOf(
  x: Float32Array,
  y: Float32Array,
  samples: number,
  kind: 'values' | 'sums' | 'none',
): SavedChannels | undefined {
  const counts = new Int32Array(NODES).fill(1);
  if (kind === 'none') return undefined;
  if (kind === 'values') {
    const byNode = (values: Float32Array): Float32Array =>
      Float32Array.from(values, (_, at) => values[(at % samples) * NODES + Math.floor(at / samples)]!);
    return { samples, counts, most: 1, pairs: [{ x: byNode(x), u: byNode(y) }] };
  }
  return { samples, counts, sums: sumsOf(x, y, samples) };
}

/** By the definition, about the first sample. */
function sumsOf(x: Float32Array, y: Float32Array, samples: number): ChannelSums {
  const sums = emptyChannelSums([Float64Array.from(x.subarray(0, NODES))]);
  const [pair] = sums.pairs;
  for (let k = 0; k < samples; k++) {
    for (let i = 0; i < NODES; i++) {
      const a = x[k * NODES + i]! - pair!.pivot[i]!;
      const u = y[k * NODES + i]!;
      pair!.sumX[i]! += a;
      pair!.sumU[i]! += u;
      pair!.sumU2[i]! += u * u;
      for (let j = 0; j < NODES; j++) {
        if (j >= i) pair!.sumXX[i * NODES + j]! += a * (x[k * NODES + j]! - pair!.pivot[j]!);
        pair!.sumXU[i * NODES + j]! += a * y[k * NODES + j]!;
      }
    }
  }
  return { ...sums, samples };
}

/** A tree of merges over shards in some order: of each step the place whose item takes the one after it in. */
function mergeTree(shards: readonly SavedStatistics[], places: readonly number[]): SavedStatistics {
  const items = [...shards];
  for (const place of places) {
    const at = place % (items.length - 1);
    items.splice(at, 2, mergeSaved(items[at]!, items[at + 1]!, 'a shard'));
  }
  return items[0]!;
}

/** @param most the largest magnitude of any sample, and so of any pivot and any deviation from one: none is negative */
function expectEqual(found: SavedStatistics, expected: SavedStatistics, most: number): void {
  const { samples } = expected.statistics;
  expect(found.statistics.samples).toBe(samples);
  const [pair] = expected.statistics.pairs;
  const shifted = shiftPivot(found.statistics.pairs[0]!, samples, pair!.pivotX, pair!.pivotY);
  // Sums of at most 480 products of order 10 about pivots that differ by as much: 1e-16 of 5e4, some times.
  for (const key of pairArrays)
    shifted[key].forEach((value, k) => {
      expect(Math.abs(value - pair![key][k]!), key).toBeLessThan(1e-9);
    });
  expect(found.channels === undefined).toBe(expected.channels === undefined);
  if (found.channels === undefined || !('sums' in found.channels)) return;
  const about = [found, expected].map(({ channels }) => {
    const { sums } = channels as { readonly sums: ChannelSums };
    return addChannelSums(emptyChannelSums([new Float64Array(NODES)]), sums).pairs[0]!;
  });
  for (const key of ['sumX', 'sumU', 'sumU2', 'sumXX', 'sumXU'] as const) {
    const terms = samples * (key === 'sumX' || key === 'sumU' ? most : most ** 2);
    about[0]![key].forEach((value, k) => {
      const [row, column] = [Math.floor(k / NODES), k % NODES];
      if (key === 'sumXX' && column < row) return;
      // Values join sums as float32 deviations from the pivots, rounded by 2^-24 of themselves: a product of two by three times
      // that, the shift of its sum by two times that, each of at most the largest magnitude squared.
      expect(Math.abs(value - about[1]![key][k]!), key).toBeLessThan(5 * 2 ** -24 * terms);
    });
  }
}

test('a merge does not depend on the order of the shards, nor on how the tree of merges is grown', () => {
  const kinds = fc.constantFrom('values' as const, 'sums' as const);
  const shards = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat(1000), kinds), { minLength: 2, maxLength: 8 })
    .chain((list) =>
      fc.record({
        list: fc.constant(list),
        order: fc.shuffledSubarray([...list.keys()], { minLength: list.length }),
        places: fc.array(fc.nat(100), { minLength: list.length - 1, maxLength: list.length - 1 }),
      }),
    );
  fc.assert(
    fc.property(shards, ({ list, order, places }) => {
      const all = list.map(([samples, seed, kind]) => shard(samples, seed, kind));
      const most = Math.max(
        ...list.map(([samples, seed]) => {
          const { x, y } = magnitudes(samples, NODES, seed, 1 + (seed % 3));
          return Math.max(...x, ...y);
        }),
      );
      const inTurn = mergeTree(
        all,
        places.map(() => 0),
      );
      const tree = mergeTree(
        order.map((at) => all[at]!),
        places,
      );
      expectEqual(tree, inTurn, most);
      // A file in between changes no bit.
      const [a, b] = all;
      const file = decodeStatistics(encodeStatistics(b!));
      expect(mergeSaved(a!, file, 'b').statistics).toEqual(mergeStatistics(a!.statistics, b!.statistics));
    }),
    { numRuns: 60 },
  );
});

test('channel values that one shard lacks are lost to all, whatever the order', () => {
  const all = (['values', 'none', 'sums'] as const).map((kind, k) => shard(20, k, kind));
  for (const order of [
    [0, 1, 2],
    [2, 0, 1],
    [1, 2, 0],
  ]) {
    const merged = mergeTree(
      order.map((at) => all[at]!),
      [1, 0],
    );
    expect([merged.statistics.samples, merged.channels]).toEqual([60, undefined]);
  }
});

test.each([
  ['graph', { graph: '0' }, /other edges/],
  ['reduction', { reduction: 'l2' }, /reduction l2 where l1/],
  ['loss', { loss: 'mse (sum)' }, /loss mse \(sum\) where mse/],
  ['side of the norm', { usePreNorm: false }, /usePreNorm false where true/],
  ['names', { functionNames: [...names.slice(1), 'f9'] }, /function node 0 named f1 where f0/],
])('a shard of another %s is refused, by its name', (_, other, message) => {
  const first = shard(9, 1, 'none');
  const second = { ...shard(9, 2, 'none'), origin: { ...origin, ...other } };
  expect(() => mergeSaved(first, second, 'night.arrow')).toThrow(message);
  expect(() => mergeSaved(first, second, 'night.arrow')).toThrow(/^night\.arrow has/);
});
