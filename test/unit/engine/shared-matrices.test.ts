import { afterEach, beforeEach, expect, test } from 'vitest';
import { edgeTable, type Scores } from '../../../src/index.ts';
import {
  conditioningSets,
  createCpuEngine,
  type Engine,
  type ScoreRequest,
} from '../../../src/statistics.ts';
import { withReader } from '../../../src/engine/scores/with-reader.ts';
import { randomNumbers } from '../../support/random-numbers.ts';

/** Enough rows for workers to rank them. */
const [nodes, pairs, samples] = [260, 3, 40];
const edges: [number[], number[]] = [
  [0, 1, 2],
  [3, 3, 4],
];
const sets = conditioningSets(edges, nodes);
const withRidge = (ridge: number): ScoreRequest => ({
  ...{ score: 'partial', layerAgg: 'mean', ridge, conditioningSets: sets },
});
let engine: Engine;

beforeEach(async () => {
  const random = randomNumbers(5);
  const layers = (): Float32Array[] =>
    Array.from({ length: pairs }, () => Float32Array.from({ length: samples * nodes }, () => random()));
  engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers: 2 });
  await engine.accumulateMagnitudes({ size: samples, x: layers(), y: layers() });
});
afterEach(() => engine.release());

function buffersOf(scores: Scores): Promise<Set<ArrayBufferLike>> {
  return withReader(scores, async (reader) => {
    const { aggregated, perPair } = await reader.matrices();
    return new Set([aggregated, ...perPair].map(({ buffer }) => buffer));
  });
}

test('memory of scores that were released is that of the next ones, whichever targets they score', async () => {
  const first = await engine.scores(withRidge(0));
  const buffers = await buffersOf(first);
  first.release();
  const second = await engine.scores(withRidge(1));
  expect(await buffersOf(second)).toEqual(buffers);
  second.release();
  const another = conditioningSets([[7], [9]], nodes);
  const third = await engine.scores({ ...withRidge(1), conditioningSets: another });
  expect(third.scoredTargets).toBe(3);
  expect(await buffersOf(third)).toEqual(buffers);
  // What used memory anew is what fresh memory gives.
  const { aggregated, perPair } = await engine.score({ ...withRidge(1), conditioningSets: another });
  const found = await third.matrices();
  expect(found.aggregated).toEqual(aggregated);
  expect(found.perPair).toEqual(perPair);
});

test('arrays that somebody was given stay as they are', async () => {
  const first = await engine.scores(withRidge(0));
  const { aggregated } = await first.matrices();
  const before = Array.from(aggregated);
  first.release();
  for (const ridge of [1, 2]) (await engine.scores(withRidge(ridge))).release();
  expect(Array.from(aggregated)).toEqual(before);
});

test('a table goes on with scores that are released meanwhile', async () => {
  const graph = {
    nodeNames: { input: [], function: Array.from({ length: nodes }, (_, i) => `f${i}`), output: [] },
    edgeIndex: { 'input,function': [[], []], 'function,function': edges, 'function,output': [[], []] },
  } as const;
  const provenance = {
    ...({ score: 'partial', layerAgg: 'mean', reduction: 'l1', usePreNorm: true, ridge: 0 } as const),
    ...{ loss: 'mse', samples, backend: 'cpu' },
  };
  const corrOf = async (release: boolean): Promise<number[]> => {
    const scores = await engine.scores(withRidge(0));
    const table = edgeTable(scores, graph, sets, provenance);
    // Once it has begun.
    await new Promise(setImmediate);
    if (release) scores.release();
    const others = [engine.scores(withRidge(1)), engine.scores(withRidge(2))];
    const corr = (await table).getChild('corr_a1_g2')!.toArray() as Float64Array;
    for (const other of others) (await other).release();
    scores.release();
    return Array.from(corr);
  };
  expect(await corrOf(true)).toEqual(await corrOf(false));
});

test('scores that are aborted leave their memory to the next ones', async () => {
  const first = await engine.scores(withRidge(0));
  const buffers = await buffersOf(first);
  first.release();
  const stop = new AbortController();
  const aborted = engine.scores({ ...withRidge(1), signal: stop.signal });
  // Until the workers have been asked, and before the event loop turns: none can have answered.
  for (let k = 0; k < 100; k++) await Promise.resolve();
  stop.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  expect(await buffersOf(await engine.scores(withRidge(2)))).toEqual(buffers);
});
