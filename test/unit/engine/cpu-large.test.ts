import { afterEach, expect, it, test } from 'vitest';
import {
  createCpuEngine,
  type Engine,
  type ScoreMatrices,
  type ScoreRequest,
} from '../../../src/statistics.ts';
import { LocalSnapshot } from '../../../src/engine/cpu/local-snapshot.ts';
import { CpuAccumulator } from '../../../src/statistics/cpu-accumulator.ts';
import { TiledMatmul } from '../../../src/statistics/tiled-matmul.ts';
import { largeBatch, largeRequest, largeSets, memory, samples, shape } from '../../support/large-case.ts';

/** Scores of the layer pairs from what an accumulator holds. */
async function scoresOf(
  accumulator: CpuAccumulator,
  request: ScoreRequest,
): Promise<readonly Float64Array[]> {
  const out = accumulator.pairs.map(() => new Float64Array(accumulator.nodes ** 2));
  return (await new LocalSnapshot(accumulator).scores(request, out)).perPair;
}

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.release();
});

/** An engine that has no room for sums, unless all memory is given to it. */
async function filled(workers: number, bytes = memory): Promise<Engine> {
  const engine = createCpuEngine(shape, { workers, memory: bytes });
  engines.push(engine);
  await engine.accumulateMagnitudes(largeBatch(1));
  return engine;
}

const kinds = (['corr', 'partial'] as const).flatMap((score) =>
  (['mean', 'max'] as const).map((layerAgg) => ({ ...largeRequest, score, layerAgg })),
);

/** Whether two arrays hold the same numbers to the bit; quicker than comparing them one by one. */
function expectSame(found: ScoreMatrices, expected: ScoreMatrices): void {
  expect(found.nodeFlags).toEqual(expected.nodeFlags);
  const bytes = ({ aggregated, perPair }: ScoreMatrices): Buffer[] =>
    [aggregated, ...perPair].map(({ buffer, byteLength }) => Buffer.from(buffer, 0, byteLength));
  const [own, others] = [bytes(found), bytes(expected)];
  expect(own.length).toBe(others.length);
  own.forEach((buffer, k) => {
    expect(buffer.equals(others[k]!), k === 0 ? 'aggregated' : `layer pair ${k - 1}`).toBe(true);
  });
}

it.each([0, 2])('scores without sums are those with sums, to the bit, with %i workers', async (workers) => {
  const engine = await filled(workers);
  const twin = await filled(0, Infinity);
  for (const request of kinds) {
    const expected = await twin.score(request);
    expectSame(await engine.score(request), expected);
    const scores = await engine.scores(request);
    expect(scores.scoredTargets).toBe(shape.nodes);
    expectSame(await scores.matrices(), expected);
    expectSame({ ...expected, aggregated: await scores.aggregate() }, expected);
    scores.release();
    await expect(scores.aggregate()).rejects.toMatchObject({ code: 'released' });
  }
  expect(engine.diagnostics.notes.at(-1)).toContain('panel by panel');
});

test('products in narrow tiles are those in wide ones', async () => {
  const { nodes, pairs } = shape;
  const make = (tileLength?: number, bytes?: number): CpuAccumulator => {
    const matmul = new TiledMatmul(nodes, undefined, tileLength);
    const accumulator = new CpuAccumulator(nodes, pairs, { matmul, memory: bytes ?? Infinity });
    const { x, y } = largeBatch(1);
    accumulator.add(x, y, samples);
    return accumulator;
  };
  const tiled = make(0, 0);
  expect(tiled.pairs[0]!.matmuls.exact.tileColumns).toBe(256);
  const snapshot = new LocalSnapshot(tiled);
  const expected = await scoresOf(make(), largeRequest);
  const wrong: string[] = [];
  await snapshot.panels(largeRequest, (pair, { first, end }, scores) => {
    for (let source = 0; source < nodes; source++) {
      for (let j = first; j < end; j++) {
        const found = scores[source * (end - first) + j - first]!;
        if (!Object.is(found, expected[pair]![source * nodes + j])) wrong.push(`${pair}: ${source} -> ${j}`);
      }
    }
  });
  expect(wrong).toEqual([]);
});

it.each([0, 2])(
  'an edited graph costs its few targets, to the same bits, with %i workers',
  async (workers) => {
    const engine = await filled(workers);
    const twin = await filled(0, Infinity);
    // One parent more, one less, none left, and a set of 200 that loses one: 8 panels of products' columns.
    const edited = largeSets(5, (target, set) => {
      if (target === 7) return [...set, 9].sort((a, b) => a - b);
      if (target === 301 || target === 1) return set.slice(1);
      return target === 599 ? [] : set;
    });
    for (const layerAgg of ['mean', 'max'] as const) {
      const request = { ...largeRequest, layerAgg };
      const first = await engine.scores(request);
      const before = structuredClone(await first.matrices());
      const changed = { ...request, conditioningSets: edited };
      const scores = await engine.scores(changed);
      expect(scores.scoredTargets).toBe(4);
      expectSame(await scores.matrices(), await twin.score(changed));
      // The handle that was not released has not changed.
      expectSame(await first.matrices(), before);
      first.release();
      scores.release();
      // Released scores are written over.
      const back = await engine.scores(request);
      expect(back.scoredTargets).toBe(4);
      expectSame(await back.matrices(), before);
      const again = await engine.scores(request);
      expect(again.scoredTargets).toBe(0);
      back.release();
      expectSame(await again.matrices(), before);
      again.release();
    }
  },
);

it.each([0, 2])('a handle keeps to the samples that it is of, with %i workers', async (workers) => {
  const engine = await filled(workers);
  const scores = await engine.scores(largeRequest);
  const before = await scores.matrices();
  await engine.accumulateMagnitudes(largeBatch(2));
  expectSame(await scores.matrices(), before);
  const both = await engine.scores(largeRequest);
  expect(both.scoredTargets).toBe(shape.nodes);
  expect((await both.matrices()).aggregated).not.toEqual(before.aggregated);
  // Rows are let go by the sums of statistics, and by a reset.
  await engine.statistics();
  expectSame(await scores.matrices(), before);
  engine.reset();
  expectSame(await scores.matrices(), before);
  await engine.release();
  await expect(scores.matrices()).rejects.toMatchObject({ code: 'released' });
});

test('memory goes with the last of those who read it, unless the array was given away', async () => {
  const engine = await filled(0);
  const scores = await engine.scores({ ...largeRequest, score: 'corr' });
  const reader = scores.reader();
  expect(reader.holdsPairs).toBe(false);
  const array = await reader.aggregated();
  scores.release();
  expect(array).toHaveLength(shape.nodes ** 2);
  reader.release();
  // The engine keeps it for the next request.
  expect(array).toHaveLength(shape.nodes ** 2);
  engine.reset();
  await engine.flush();
  expect(array).toHaveLength(0);
  await engine.accumulateMagnitudes(largeBatch(1));
  const others = await engine.scores({ ...largeRequest, score: 'corr' });
  const given = await others.aggregate();
  others.release();
  engine.reset();
  await engine.flush();
  expect(given).toHaveLength(shape.nodes ** 2);
});

it.each([0, 2])('what waits for its turn outlives its handle, with %i workers', async (workers) => {
  const engine = await filled(workers);
  const expected = await engine.score(largeRequest);
  const scores = await engine.scores(largeRequest);
  // The engine itself lets go of the samples, too.
  const [first, second] = [scores.matrices(), scores.matrices()];
  await engine.accumulateMagnitudes(largeBatch(2));
  const third = scores.matrices();
  scores.release();
  for (const waiting of [first, second, third]) expectSame(await waiting, expected);
});

it.each([0, 2])('a reset waits for what was asked before it, with %i workers', async (workers) => {
  for (const bytes of [memory, Infinity]) {
    const engine = await filled(workers, bytes);
    const [expected, { pairs }] = [await engine.score(largeRequest), await engine.statistics()];
    engine.reset();
    await engine.accumulateMagnitudes(largeBatch(1));
    const asked = [engine.score(largeRequest), engine.statistics(), engine.flush()] as const;
    engine.reset();
    expectSame(await asked[0], expected);
    expect((await asked[1]).samples).toBe(samples);
    expect((await asked[1]).pairs[2]!.sumX).toEqual(pairs[2]!.sumX);
    expect(await asked[2]).toBe(samples);
    expect(await engine.flush()).toBe(0);
    await expect(engine.scores(largeRequest)).rejects.toMatchObject({ code: 'too-few-samples' });
  }
});
