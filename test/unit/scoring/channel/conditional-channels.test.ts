import { expect, test, vi } from 'vitest';
import { channelScores } from '../../../../src/engine/channels/channel-scores.ts';
import { ChannelThreads } from '../../../../src/engine/channels/channel-threads.ts';
import { conditionalChannels } from '../../../../src/engine/channels/select-channels.ts';
import { absorbRows } from '../../../../src/scoring/channel/absorb.ts';
import type { ChannelAggregation } from '../../../../src/index.ts';
import { raggedFromLists } from '../../../../src/statistics.ts';
import { RidgeSolver } from '../../../../src/scoring/channel/ridge-solver.ts';
import { selectEdges, selectionPlan } from '../../../../src/scoring/select-edges.ts';
import type { ChannelRows } from '../../../../src/statistics/channel-record.ts';
import { emptyChannelSums, type ChannelSums } from '../../../../src/statistics/channel-sums.ts';
import { scalarMixedBlocks } from '../../../../src/statistics/mixed-blocks.ts';
import { runToEnd, createYielder } from '../../../../src/statistics/yielder.ts';
import { channelScoresByDefinition, type ChannelPair } from '../../../support/channel-definition.ts';
import { normalNumbers } from '../../../support/random-numbers.ts';

/** The node of each channel: one to four channels, not beside each other. */
const groups = [0, 3, 1, 0, 2, 3, 3, 1, 4, 0, 3, 4];
const NODES = 5;
const CHANNELS = groups.length;
const lists = raggedFromLists(
  Array.from({ length: NODES }, (_, node) => [...groups.keys()].filter((c) => groups[c] === node)),
);
/** Channels: constant, constant in the first layer pair alone, without a gradient. */
const CONSTANT = 3;
const CONSTANT_IN_FIRST = 4;
const ZERO = 5;

function drawn(samples: number, seed: number): ChannelPair[] {
  const normal = normalNumbers(seed);
  return [0, 1].map((p) => {
    const x = Array.from({ length: samples }, () => {
      const shared = normal();
      return groups.map((_, c) => {
        const value = Math.fround(2 + normal() + 0.6 * shared);
        return c === CONSTANT || (c === CONSTANT_IN_FIRST && p === 0) ? 1.5 : value;
      });
    });
    const weights = groups.map(() => groups.map(() => 0.3 * normal()));
    const u = x.map((row) =>
      weights.map((own, c) =>
        c === ZERO ? 0 : Math.fround(own.reduce((sum, w, k) => sum + w * row[k]!, 0.5 * normal())),
      ),
    );
    return { x, u };
  });
}

const rowsOf = (pairs: readonly ChannelPair[]): ChannelRows => ({
  samples: pairs[0]!.x.length,
  channels: CHANNELS,
  pairs: pairs.map(({ x, u }) => ({ x: [Float32Array.from(x.flat())], u: [Float32Array.from(u.flat())] })),
});

function sumsOf({ samples, pairs }: ChannelRows): ChannelSums {
  const pivot = Float64Array.from(lists.indices, () => 2);
  const sums = emptyChannelSums(pairs.map(() => pivot));
  const memory = scalarMixedBlocks();
  pairs.forEach((rows, p) => {
    runToEnd(absorbRows(memory, sums.pairs[p]!, rows, lists.indices, CHANNELS));
  });
  return { ...sums, samples };
}

async function opened(held: ChannelRows | ChannelSums, layerAgg: ChannelAggregation, lambda: number) {
  const threads = new ChannelThreads(0);
  const request = { layerAgg, lambda };
  const { aggregated } = await channelScores(held, lists, request, threads);
  return conditionalChannels(held, lists, request, threads, aggregated);
}

/** Scores `[source][target]` where no ridge lies on the channels of some sources. */
function byDefinition(
  pairs: readonly ChannelPair[],
  layerAgg: ChannelAggregation,
  lambda: number,
  taken: readonly number[],
): number[][] {
  const ridge = (channel: number): number => (taken.includes(groups[channel]!) ? 0 : lambda);
  const perPair = (layerAgg === 'pooled' ? [pairs] : pairs.map((pair) => [pair])).map((own) =>
    channelScoresByDefinition(own, groups, ridge),
  );
  return perPair[0]!.map((row, i) =>
    row.map((_, j) => {
      const scores = perPair.map((each) => each[i]![j]!).filter((score) => !Number.isNaN(score));
      if (scores.length === 0) return NaN;
      if (layerAgg === 'max') return Math.max(...scores);
      return Math.sqrt(scores.reduce((sum, score) => sum + score ** 2, 0) / scores.length);
    }),
  );
}

// Products in float32, as of all channel scores: 1e-5 of the largest.
function expectClose(found: ArrayLike<number>, right: readonly number[], largest: number): void {
  right.forEach((score, i) => {
    if (Number.isNaN(score)) expect(found[i]).toBeNaN();
    else expect(Math.abs(found[i]! - score) / largest).toBeLessThan(1e-5);
  });
}

/** What is taken in, in this order: several for one target; of some a channel is constant. */
const taken = [
  [0, 1],
  [2, 1],
  [3, 1],
  [4, 3],
  [2, 3],
] as const;

test.each(
  (['mean', 'max', 'pooled'] as const).flatMap((layerAgg) =>
    (['more samples than channels', 'fewer', 'sums'] as const).map((kind) => ({ layerAgg, kind })),
  ),
)('$layerAgg, $kind: the ridge leaves what is taken in', async ({ layerAgg, kind }) => {
  // Pooled ones are twice as many observations.
  const fewer = layerAgg === 'pooled' ? 5 : 9;
  const pairs = drawn(kind === 'fewer' ? fewer : 60, 5);
  const rows = rowsOf(pairs);
  const lambda = kind === 'fewer' ? 3 : 0.7;
  const scores = await opened(kind === 'sums' ? sumsOf(rows) : rows, layerAgg, lambda);
  const first = byDefinition(pairs, layerAgg, lambda, []);
  const own: number[][] = first.map(() => []);
  const all = await scores.columns(Uint32Array.from(first.keys()));
  const largest = Math.max(...first.flat().filter((score) => !Number.isNaN(score)));
  all.forEach((column, target) => {
    expectClose(
      column,
      first.map((row) => row[target]!),
      largest,
    );
  });
  for (const [source, target] of taken) {
    scores.select(source, target);
    own[target]!.push(source);
    const right = byDefinition(pairs, layerAgg, lambda, own[target]!).map((row) => row[target]!);
    const [column, other] = await scores.columns(Uint32Array.of(target, 0));
    expectClose(column!, right, Math.max(largest, ...right.filter((score) => !Number.isNaN(score))));
    expect(scores.conditioned(target)).toBe(own[target]!.length);
    // Nothing has been taken in for node 0.
    expect(Array.from(other!)).toEqual(Array.from(all[0]!));
  }
});

test('edges are chosen as by scoring everything anew', async () => {
  const pairs = drawn(60, 8);
  const known = new Set([0 * NODES + 1, 2 * NODES + 3]);
  const { edges } = await selectEdges(
    await opened(rowsOf(pairs), 'mean', 3),
    known,
    selectionPlan({ steps: 8 }),
    createYielder(),
  );
  const own: number[][] = Array.from({ length: NODES }, () => []);
  for (const { source, target, score } of edges) {
    const candidates = own.flatMap((sources, j) =>
      byDefinition(pairs, 'mean', 3, sources).flatMap((row, i) =>
        i === j || known.has(i * NODES + j) || sources.includes(i) ? [] : [row[j]!],
      ),
    );
    const right = byDefinition(pairs, 'mean', 3, own[target]!)[source]![target]!;
    expect(right).toBe(Math.max(...candidates.filter((each) => !Number.isNaN(each))));
    expect(Math.abs(score / right - 1)).toBeLessThan(1e-5);
    own[target]!.push(source);
  }
  expect(edges).toHaveLength(8);
});

test.each([60, 9])(
  '%i samples: sources whose channels depend on each other leave no scores',
  async (samples) => {
    // Node 4 says what channels of node 0 say.
    const pairs = drawn(samples, 6).map(({ x, u }) => ({
      x: x.map((row) => row.map((value, c) => (c === 8 ? row[0]! - 2 * row[9]! : value))),
      u,
    }));
    const scores = await opened(rowsOf(pairs), 'mean', 3);
    scores.select(0, 1);
    const [before] = await scores.columns(Uint32Array.of(1));
    expect(Array.from(before!).some((score) => Number.isNaN(score))).toBe(false);
    scores.select(4, 1);
    const [after] = await scores.columns(Uint32Array.of(1));
    expect(Array.from(after!).every((score) => Number.isNaN(score))).toBe(true);
  },
);

test.each([60, 9])(
  '%i samples: channels that nearly depend on each other keep their digits',
  async (samples) => {
    const normal = normalNumbers(3);
    // Channel 3 is channel 0 and a hundredth of something else.
    const pairs = drawn(samples, 7).map(({ x, u }) => ({
      x: x.map((row) =>
        row.map((value, c) => (c === CONSTANT ? Math.fround(row[0]! + 0.01 * normal()) : value)),
      ),
      u,
    }));
    const scores = await opened(rowsOf(pairs), 'mean', 3);
    scores.select(0, 1);
    const [column] = await scores.columns(Uint32Array.of(1));
    byDefinition(pairs, 'mean', 3, [0]).forEach((row, i) => {
      // A score's own digits: those of F, 6e-8, a hundred times as large and added up.
      expect(Math.abs(column![i]! / row[1]! - 1)).toBeLessThan(2e-5);
    });
  },
);

test('what is taken in is a block update: no system is factored for it', async () => {
  const factored = vi.spyOn(RidgeSolver, 'create');
  try {
    const scores = await opened(rowsOf(drawn(60, 8)), 'mean', 3);
    // One for each layer pair, before anything is taken in.
    expect(factored).toHaveBeenCalledTimes(2);
    const plan = selectionPlan({ steps: 10, perStep: 2 });
    const { edges } = await selectEdges(scores, new Set(), plan, createYielder());
    expect(edges.length).toBeGreaterThan(10);
    expect(factored).toHaveBeenCalledTimes(2);
  } finally {
    factored.mockRestore();
  }
});
