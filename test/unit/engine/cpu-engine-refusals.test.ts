import { describe, expect, test } from 'vitest';
import {
  type ChannelBatch,
  createCpuEngine,
  createEngine,
  type Engine,
  raggedFromLists,
  type ScoreRequest,
} from '../../../src/statistics.ts';
import { generator } from '../statistics/random-magnitudes.ts';

/** Nodes 0 and 1 of one and two channels; two pairs, so layers 0 to 2. */
const channelGroups = raggedFromLists([[1], [0, 2]]);
const request: ScoreRequest = {
  score: 'partial',
  layerAgg: 'mean',
  ridge: 1e-8,
  conditioningSets: raggedFromLists([[], [0]]),
};

function engine(): Engine {
  return createCpuEngine({ nodes: 2, pairs: 2, channels: 3, channelGroups, reduction: 'l2' });
}

function batch(
  size: number,
  seed: number,
): ChannelBatch & { activations: Float32Array[]; gradients: Float32Array[] } {
  const random = generator(seed);
  const layer = (): Float32Array => Float32Array.from({ length: 3 * size }, () => random() - 0.5);
  return { size, activations: [layer(), layer()], gradients: [layer(), layer()] };
}

const refused = (code: string, details: object = {}): Error =>
  expect.objectContaining({ code, details: expect.objectContaining(details) as object }) as Error;

describe('a value that is not finite', () => {
  test.each([
    ['activations', 1, 4, NaN, { quantity: 'activation', layer: 1, node: 0 }],
    ['gradients', 0, 5, -Infinity, { quantity: 'gradient', layer: 1, node: 1 }],
  ] as const)('%s of pair %i', async (side, pair, at, value, details) => {
    const cpu = engine();
    await cpu.accumulate(batch(6, 1));
    const before = await cpu.statistics();
    const bad = batch(2, 2);
    bad[side][pair]![at] = value;
    await expect(cpu.accumulate(bad)).rejects.toThrow(refused('non-finite', { batch: 1, ...details }));
    // Nothing of it is counted, nor anything after it; what came before stays and can be scored.
    await expect(cpu.accumulate(batch(2, 3))).rejects.toThrow(refused('non-finite', { batch: 1 }));
    await expect(cpu.flush()).rejects.toThrow(refused('non-finite'));
    expect(await cpu.statistics()).toEqual(before);
    expect((await cpu.score(request)).perPair).toHaveLength(2);
    cpu.reset();
    await cpu.accumulate(batch(2, 3));
    expect(await cpu.flush()).toBe(2);
  });
});

test('batches of other sizes say both sizes, and do not stop the next one', async () => {
  const cpu = engine();
  const short = batch(4, 1);
  await expect(cpu.accumulate({ ...short, size: 5 })).rejects.toThrow(
    refused('batch-mismatch', { expected: 15, found: 12 }),
  );
  await expect(cpu.accumulate({ ...short, gradients: [] })).rejects.toThrow(
    refused('batch-mismatch', { expected: 2, found: 0 }),
  );
  await expect(cpu.accumulate({ ...short, size: 0 })).rejects.toThrow(refused('batch-mismatch'));
  await cpu.accumulate(short);
  expect(await cpu.flush()).toBe(4);
});

test('scores need three samples and sound options', async () => {
  const cpu = engine();
  await cpu.accumulate(batch(2, 1));
  await expect(cpu.score(request)).rejects.toThrow(refused('too-few-samples', { expected: 3, found: 2 }));
  await cpu.accumulate(batch(1, 2));
  await expect(cpu.score({ ...request, ridge: -1 })).rejects.toThrow(refused('invalid-argument'));
  await expect(cpu.score({ ...request, score: 'spearman' as 'corr' })).rejects.toThrow(
    refused('invalid-argument'),
  );
  for (const lists of [[[]], [[], [1]], [[], [0, 0]], [[], [2]]]) {
    await expect(cpu.score({ ...request, conditioningSets: raggedFromLists(lists) })).rejects.toThrow(
      refused('invalid-argument'),
    );
  }
  await expect(cpu.score({ ...request, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
    'enough',
  );
  expect((await cpu.score(request)).nodes).toBe(2);
});

test('scores asked for during a fit see whole batches', async () => {
  const cpu = engine();
  await cpu.accumulate(batch(5, 1));
  const alone = await cpu.score(request);
  const asked = cpu.score(request);
  const added = cpu.accumulate(batch(7, 2));
  expect(await asked).toEqual(alone);
  await added;
  expect(await cpu.flush()).toBe(12);
});

test('merging doubles the samples and keeps the scores', async () => {
  const cpu = engine();
  await cpu.accumulate(batch(9, 1));
  const before = await cpu.score({ ...request, score: 'corr' });
  await cpu.merge(await cpu.statistics());
  expect(await cpu.flush()).toBe(18);
  const after = await cpu.score({ ...request, score: 'corr' });
  after.aggregated.forEach((score, k) => {
    expect(score).toBeCloseTo(before.aggregated[k]!, 12);
  });
});

test('use after release', async () => {
  const cpu = engine();
  await cpu.release();
  await cpu.release();
  await expect(cpu.flush()).rejects.toThrow(refused('released'));
});

test('the public way to an engine', async () => {
  const { engine: made, release } = await createEngine({ nodes: 2, pairs: 1, backend: 'cpu' });
  expect(made.diagnostics.backend).toBe('cpu');
  await release();
  await expect(createEngine({ nodes: 0, pairs: 1 })).rejects.toThrow(
    refused('invalid-argument', { found: 0 }),
  );
});
