import { expect, test } from 'vitest';
import {
  type ChannelBatch,
  createCpuEngine,
  raggedFromLists,
  type ResampledScores,
  type ScoreRequest,
} from '../../../src/statistics.ts';
import { rowsToKeep, uncertaintySettings } from '../../../src/resampling/uncertainty-settings.ts';
import { Uncertainty } from '../../../src/resampling/uncertainty.ts';
import { HostScores, ScoreArrays } from '../../../src/engine/scores/host-scores.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { scoresByDefinition, type PairRows } from '../../support/score-definition.ts';

const nodes = 4;
/** One channel per node, whose magnitude is its size */
const shape = {
  nodes,
  pairs: 1,
  channels: nodes,
  channelGroups: raggedFromLists([[0], [1], [2], [3]]),
  reduction: 'l1',
} as const;
const request: ScoreRequest = {
  score: 'partial',
  layerAgg: 'mean',
  ridge: 1e-8,
  conditioningSets: raggedFromLists([[], [0], [0, 1], [2]]),
};
// 20 rows, 4 groups: runs of 3, twice as many whenever there are 8 of them.
const settings = { plan: { groups: 4, permutations: 0, seed: 0 }, maxBytes: 1e9, rows: 20 };

function batchesOf(samples: number, size: number): ChannelBatch[] {
  const normal = normalNumbers(samples);
  return Array.from({ length: Math.ceil(samples / size) }, (_, b) => {
    const rows = Math.min(size, samples - b * size);
    const activations = Float32Array.from({ length: rows * nodes }, () => -5 - normal());
    const gradients = activations.map((value) => 7 - 0.5 * value + normal());
    return { size: rows, activations: [activations], gradients: [gradients] };
  });
}

function rowsOf(batches: readonly ChannelBatch[]): PairRows {
  const rows = (kind: 'activations' | 'gradients'): number[][] =>
    batches.flatMap((batch) =>
      Array.from({ length: batch.size }, (_, row) =>
        Array.from((batch[kind][0] as Float32Array).subarray(row * nodes, (row + 1) * nodes), Math.abs),
      ),
    );
  return { x: rows('activations'), y: rows('gradients') };
}

function expectErrorsOf(found: ResampledScores, rows: PairRows, sizes: readonly number[]): void {
  const samples = rows.x.length;
  const whole = scoresByDefinition([rows], request);
  let first = 0;
  const without = sizes.map((size) => {
    const [from, end] = [first, (first += size)];
    const stays = (_: unknown, row: number): boolean => row < from || row >= end;
    return scoresByDefinition([{ x: rows.x.filter(stays), y: rows.y.filter(stays) }], request);
  });
  whole.forEach((r, e) => {
    const h = sizes.map((size) => samples / size);
    const estimate = h.reduce((sum, hk, k) => sum - (1 - 1 / hk) * without[k]![e]!, sizes.length * r);
    const variance = h.reduce(
      (sum, hk, k) => sum + (hk * r - (hk - 1) * without[k]![e]! - estimate) ** 2 / (hk - 1) / sizes.length,
      0,
    );
    // float64 sums on both sides, of magnitudes that float32 holds exactly.
    if (Number.isNaN(r)) expect(found.standardError[e]).toBeNaN();
    else expect(found.standardError[e]).toBeCloseTo(Math.sqrt(variance), 10);
  });
}

test('many samples become sums of runs, and the errors are those of leaving the groups of runs out', async () => {
  const engine = createCpuEngine(shape);
  const uncertainty = new Uncertainty(settings, engine);
  const batches = batchesOf(50, 9);
  const resampled = async (): Promise<ResampledScores> =>
    uncertainty.snapshot().resample(new HostScores(new ScoreArrays(await engine.score(request))), request);
  const take = async (batch: ChannelBatch): Promise<void> => {
    const magnitudes = await uncertainty.read(batch);
    await engine.accumulate(batch);
    uncertainty.keep(magnitudes);
  };
  for (const batch of batches.slice(0, 2)) await take(batch);
  // 18 samples are rows yet, whose groups differ by one at most.
  expectErrorsOf(await resampled(), rowsOf(batches.slice(0, 2)), [4, 5, 4, 5]);
  for (const batch of batches.slice(2)) await take(batch);
  // 4 runs of 12 and one of 2
  expectErrorsOf(await resampled(), rowsOf(batches), [12, 12, 12, 14]);
  // Asking changes nothing.
  expectErrorsOf(await resampled(), rowsOf(batches), [12, 12, 12, 14]);

  // Taken back from the rows, the sums being of what was counted.
  uncertainty.keep(await uncertainty.read(batches[0]!));
  uncertainty.truncate(50);
  expectErrorsOf(await resampled(), rowsOf(batches), [12, 12, 12, 14]);

  engine.reset();
  uncertainty.clear();
  for (const batch of batches.slice(0, 2)) await take(batch);
  expectErrorsOf(await resampled(), rowsOf(batches.slice(0, 2)), [4, 5, 4, 5]);
  await uncertainty.release();
  await engine.release();
});

test.each([
  // 64 MiB of rows of 8 P N bytes, being more than the sums of 10 groups
  [{}, { nodes: 100, pairs: 4 }, 20971],
  // 2 G N rows take as much as the sums of G groups, 640 MB, which with up to 2 G runs would pass 1 GiB
  [{}, { nodes: 1000, pairs: 4 }, Infinity],
  [{ maxBytes: 2 ** 31 }, { nodes: 1000, pairs: 4 }, 20000],
  [{ permutations: 1 }, { nodes: 100, pairs: 4 }, Infinity],
])('%o keeps rows of %o', (options, sizes, rows) => {
  expect(rowsToKeep(uncertaintySettings(options)!, sizes)).toBe(rows);
});
