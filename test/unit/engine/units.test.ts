import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCpuEngine, jackknifeScores, type MagnitudeBatch } from '../../../src/statistics.ts';
import { largestError } from '../../support/largest-error.ts';
import { drawnUnits, inUnit, UNIT_ROUNDING, unitsRequest } from '../../support/units.ts';

const shape = { nodes: 6, pairs: 1, reduction: 'l1' as const };

async function fitted(batches: readonly MagnitudeBatch[], memory = Infinity) {
  const engine = createCpuEngine(shape, { workers: 0, memory });
  for (const batch of batches) await engine.accumulateMagnitudes(batch);
  return engine;
}

test('scores of any unit of the gradients are those of another, and so is which there are', async () => {
  let [scored, unscored] = [0, 0];
  await fc.assert(
    fc.asyncProperty(drawnUnits, fc.constantFrom(Infinity, 1e4), async (drawn, memory) => {
      const { seed, constant, batchSize, score } = drawn;
      const request = { ...unitsRequest, score };
      const plain = await (await fitted(inUnit(seed, 1, 60))).score(request);
      const scaled = await (await fitted(inUnit(seed, constant, batchSize), memory)).score(request);
      // Throws where one of two is NaN alone.
      expect(largestError(scaled.aggregated, plain.aggregated)).toBeLessThan(UNIT_ROUNDING);
      expect(scaled.nodeFlags).toEqual(plain.nodeFlags);
      for (const value of plain.aggregated) {
        if (Number.isNaN(value)) unscored++;
        else scored++;
      }
    }),
    { numRuns: 200 },
  );
  expect(scored).toBeGreaterThan(1000);
  expect(unscored).toBeGreaterThan(1000);
});

test('so are standard errors', async () => {
  await fc.assert(
    fc.asyncProperty(drawnUnits, async ({ seed, constant, score }) => {
      const request = { ...unitsRequest, score };
      const errors = async (unit: number) => {
        const groups = inUnit(seed, unit, 20).map(async (batch) => (await fitted([batch])).statistics());
        return (await jackknifeScores(await Promise.all(groups), request)).standardError;
      };
      expect(largestError(await errors(constant), await errors(1))).toBeLessThan(10 * UNIT_ROUNDING);
    }),
    { numRuns: 50 },
  );
});

test('a floor does depend on the unit: the scores of small gradients go', async () => {
  const engine = await fitted(inUnit(3, 1e-9, 60));
  const missing = async (varianceFloor?: number): Promise<number> => {
    const { aggregated } = await engine.score({ ...unitsRequest, score: 'corr', varianceFloor });
    return Array.from(aggregated).filter((score) => Number.isNaN(score)).length;
  };
  // y2 and y5 are constant.
  expect(await missing()).toBe(12);
  expect(await missing(1e-12)).toBe(36);
  await expect(engine.score({ ...unitsRequest, varianceFloor: -1 })).rejects.toThrow(
    'varianceFloor must be a finite number of at least 0 and is -1.',
  );
});
