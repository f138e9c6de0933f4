import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { createCpuEngine, type Engine, raggedFromLists, type ScoreRequest } from '../../../src/statistics.ts';
import file from '../../fixtures/engines/asked-before.json' with { type: 'json' };
import { channelBatch, magnitudeBatch, request, shape } from '../../support/cpu-workers-case.ts';
import { engineCase } from '../../support/engine-case.ts';

const engines: Engine[] = [];
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.release();
});

function engineWith(...settings: Parameters<typeof createCpuEngine>): Engine {
  const engine = createCpuEngine(...settings);
  engines.push(engine);
  return engine;
}

test('type and bits of scores do not depend on whether statistics were asked for, or on the memory there is', async () => {
  const given = engineCase(file, [file.addedEdge]);
  const found = [];
  for (const [memory, asked] of [
    [file.memory, false],
    [file.memory, true],
    [undefined, false],
    [undefined, true],
  ] as const) {
    const engine = engineWith(given.shape, { workers: 0, memory });
    await engine.accumulateMagnitudes(given.batch(0, file.samples));
    if (asked) await engine.statistics();
    found.push(await engine.score(given.request));
  }
  expect(found[0]!.perPair[0]![1]).toBeCloseTo(0.045552277745, 12);
  for (const other of found.slice(1)) expect(other).toEqual(found[0]);
});

/** What may be asked between two batches. */
const question = fc.constantFrom('nothing', 'flush', 'corr', 'partial', 'some', 'handle', 'statistics');
const content = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      batch: fc.constantFrom('channels', 'magnitudes'),
      size: fc.integer({ min: 3, max: 14 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant('file' as const) },
);

/** The same request for a graph in which a few targets have other parents. */
const edited: ScoreRequest = {
  ...request,
  conditioningSets: raggedFromLists(
    Array.from({ length: shape.nodes }, (_, j) =>
      (j < 2 ? [(j + 9) % 37] : [(j + 1) % 37, (j + 5) % 37]).sort((a, b) => a - b),
    ),
  ),
};

async function ask(engine: Engine, what: string): Promise<void> {
  switch (what) {
    case 'flush':
      await engine.flush();
      return;
    case 'corr':
    case 'partial':
      await engine.score({ ...request, score: what });
      return;
    case 'some':
      (await engine.scores(request)).release();
      (await engine.scores(edited)).release();
      return;
    case 'handle': {
      const scores = await engine.scores({ ...request, score: 'corr' });
      await scores.matrices();
      scores.release();
      return;
    }
    case 'statistics':
      await engine.statistics();
  }
}

test('no answer depends on what was asked before it, to the bit: any order, with sums or without, in workers or not', async () => {
  const other = engineWith(shape, { workers: 0 });
  await other.accumulate(channelBatch(40, 99));
  const saved = await other.statistics();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(content, question, question), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0, 2),
      // All there is, or too little for the sums, which take 65,712 bytes: magnitudes are kept, 888 bytes a sample.
      fc.constantFrom(undefined, 65_000),
      async (steps, workers, memory) => {
        const fill = async (questions: boolean): Promise<Engine> => {
          const engine = createCpuEngine(shape, { workers: questions ? workers : 0, memory });
          let seed = 0;
          for (const [what, ...asked] of steps) {
            seed++;
            if (what === 'file') await engine.merge(saved);
            else if (what.batch === 'channels') await engine.accumulate(channelBatch(what.size, seed));
            else await engine.accumulateMagnitudes(magnitudeBatch(what.size, seed));
            if (questions) for (const each of asked) await ask(engine, each);
          }
          return engine;
        };
        const [asked, silent] = [await fill(true), await fill(false)];
        try {
          for (const score of ['corr', 'partial'] as const) {
            const expected = await silent.score({ ...request, score });
            expect(await asked.score({ ...request, score })).toEqual(expected);
            const handle = await asked.scores({ ...request, score });
            expect(await handle.matrices()).toEqual(expected);
            handle.release();
          }
          expect(await asked.statistics()).toEqual(await silent.statistics());
        } finally {
          await Promise.all([asked.release(), silent.release()]);
        }
      },
    ),
    { numRuns: Number(process.env.INTERLEAVINGS ?? 20) },
  );
});
