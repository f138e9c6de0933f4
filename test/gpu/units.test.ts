/** Scores do not depend on the unit of the loss, and both engines agree on which pairs have none, and why. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { createCpuEngine, type Engine, scoreCoverage } from '../../src/statistics.ts';
import { createYielder } from '../../src/statistics/yielder.ts';
import { test } from '../support/gpu.ts';
import { largestDifference } from '../support/gpu-arrays.ts';
import { magnitudesEngine } from '../support/score-twins.ts';
import { unscoredCase } from '../support/unscored-case.ts';
import { drawnUnits, inUnit, UNIT_ROUNDING, unitsRequest } from '../support/units.ts';

async function aggregatedBy(
  engine: Engine,
  batches: ReturnType<typeof inUnit>,
  request: typeof unitsRequest,
) {
  engine.reset();
  for (const batch of batches) await engine.accumulateMagnitudes(batch);
  return (await engine.score(request)).aggregated;
}

test('scores of any unit of the gradients are those of another', async ({ gpu }) => {
  const engine = await magnitudesEngine(gpu, 6, 1);
  const twin = createCpuEngine({ nodes: 6, pairs: 1, reduction: 'l1' });
  await fc.assert(
    fc.asyncProperty(drawnUnits, async ({ seed, constant, batchSize, score }) => {
      const request = { ...unitsRequest, score };
      const plain = await aggregatedBy(engine, inUnit(seed, 1, 60), request);
      const scaled = await aggregatedBy(engine, inUnit(seed, constant, batchSize), request);
      const expected = await aggregatedBy(twin, inUnit(seed, constant, batchSize), request);
      // Infinity where one of two is NaN alone.
      expect(largestDifference(scaled, plain)).toBeLessThan(UNIT_ROUNDING);
      expect(largestDifference(scaled, expected)).toBeLessThan(1e-6);
    }),
    { numRuns: 25 },
  );
  await engine.release();
  await twin.release();
});

test.for(unscoredCase().expected)(
  'reasons: $score, self left out: $excludeSelf',
  async ({ score, excludeSelf, coverage }, { gpu }) => {
    const { batch, nodes, edges, request } = unscoredCase();
    const engine = await magnitudesEngine(gpu, nodes, 2);
    await engine.accumulateMagnitudes(batch);
    const scores = await engine.scores({ ...request, score });
    const found = await scoreCoverage(scores, {
      conditioningSets: score === 'partial' ? request.conditioningSets : undefined,
      edges,
      excludeSelf,
      yielder: createYielder(),
    });
    expect(found).toEqual(coverage);
    scores.release();
    await engine.release();
  },
);

test('a variance floor is the same to both engines', async ({ gpu }) => {
  const shape = { nodes: 6, pairs: 1, reduction: 'l1' as const };
  const [engine, twin] = [await magnitudesEngine(gpu, 6, 1), createCpuEngine(shape)];
  for (const batch of inUnit(5, 1, 60)) {
    await engine.accumulateMagnitudes(batch);
    await twin.accumulateMagnitudes(batch);
  }
  // Floors among the variances, and among what parents leave of them: which is rounding for 3 -> 4, where there is none.
  for (const varianceFloor of [undefined, 0, 1e-30, 1e-6, 0.05, 0.2, 0.31, 1, 1e30]) {
    for (const score of varianceFloor! < 1e-6 ? (['corr'] as const) : (['corr', 'partial'] as const)) {
      const request = { ...unitsRequest, score, varianceFloor };
      const [found, expected] = [await engine.score(request), await twin.score(request)];
      expect(largestDifference(found.aggregated, expected.aggregated), `${varianceFloor}`).toBeLessThan(1e-6);
      expect(found.nodeFlags).toEqual(expected.nodeFlags);
    }
  }
  await engine.release();
  await twin.release();
});
