import type { Table } from 'apache-arrow';
import { expect } from 'vitest';
import { channelScoresByDefinition, type ChannelPair } from './channel-definition.ts';
import type { NpyArray } from './npz-arrays.ts';

/** Where values are taken: before each block's norm, or after its last activation. */
export type Place = 'pre' | 'post';

/** Batches and channel values of a fixture model's golden.npz: torch's values in float64. */
export function goldenChannels(golden: Readonly<Record<string, NpyArray>>, place: Place) {
  const samples = golden.x!.shape[0]!;
  const rows = (name: string): number[][] => {
    const { data } = golden[name]!;
    const width = data.length / samples;
    return Array.from({ length: samples }, (_, row) => [...data.subarray(row * width, (row + 1) * width)]);
  };
  const [x, y] = [rows('x'), rows('y')];
  let from = 0;
  const batches = Array.from(golden.batch_sizes!.data, (size) => {
    const flat = (side: number[][]): Float32Array => Float32Array.from(side.slice(from, from + size).flat());
    const batch = { size, x: flat(x), y: flat(y) };
    from += size;
    return batch;
  });
  const blocks = Object.keys(golden).filter((name) => /^pre_\d+$/.test(name)).length;
  const pairs = Array.from({ length: blocks - 1 }, (_, p): ChannelPair => ({
    x: rows(`${place}_${p}`),
    u: rows(`grad_${place}_${p + 1}`),
  }));
  return { batches, pairs };
}

/** Channel scores of all ordered pairs by definition, `source * nodes + target`. */
export function goldenChannelScores(
  pairs: readonly ChannelPair[],
  groups: readonly number[],
  layerAgg: 'mean' | 'max' | 'pooled',
): number[] {
  if (layerAgg === 'pooled') return channelScoresByDefinition(pairs, groups, 3).flat();
  const perPair = pairs.map((pair) => channelScoresByDefinition([pair], groups, 3).flat());
  return perPair[0]!.map((_, at) => {
    const scores = perPair.map((scores) => scores[at]!).filter((score) => !Number.isNaN(score));
    if (scores.length === 0) return NaN;
    return layerAgg === 'max'
      ? Math.max(...scores)
      : Math.sqrt(scores.reduce((sum, score) => sum + score ** 2, 0) / scores.length);
  });
}

/**
 * For a table of all pairs: the largest error of its scores as a share of the largest score; Infinity if NaNs differ.
 */
export function errorOfTable(table: Table, right: ArrayLike<number>, nodes: number): number {
  const values = (name: string): unknown[] => [...(table.getChild(name)! as Iterable<unknown>)];
  const [scores, sources, targets] = ['score', 'src_idx', 'dst_idx'].map(values);
  let [error, largest] = [0, 0];
  expect(table.numRows).toBe(right.length);
  scores!.forEach((score, row) => {
    const value = right[Number(sources![row]) * nodes + Number(targets![row])]!;
    const found = score as number;
    if (Number.isNaN(value) !== Number.isNaN(found)) error = Infinity;
    if (Number.isNaN(value) || Number.isNaN(found)) return;
    largest = Math.max(largest, Math.abs(value));
    error = Math.max(error, Math.abs(value - found));
  });
  return error / largest;
}
