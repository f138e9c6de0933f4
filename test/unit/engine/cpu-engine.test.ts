import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCpuEngine, type Engine, fisherPValue } from '../../../src/statistics.ts';
import { largestError } from '../../support/largest-error.ts';
import { statisticsCase, type StatisticsCase } from '../../support/statistics-case.ts';

const fixtures = new URL('../../fixtures/statistics/', import.meta.url);
const names = readdirSync(fixtures).filter((name) => name.endsWith('.npz'));

/** Everything here is float64; only the condition number of a set (1e6 in one case) costs digits. */
const tolerance: Record<string, number> = { 'condition-1e6.npz': 1e-8, 'mean-sd-1e3.npz': 1e-8 };

async function fitted(data: StatisticsCase, batchSize: number): Promise<Engine> {
  const engine = createCpuEngine({ nodes: data.nodes, pairs: data.pairs, reduction: 'l1' });
  for (let first = 0; first < data.samples; first += batchSize) {
    await engine.accumulateMagnitudes(data.batch(first, Math.min(first + batchSize, data.samples)));
  }
  return engine;
}

describe.each(names)('the CPU engine against the float64 oracle: %s', (name) => {
  const data = statisticsCase(readFileSync(new URL(name, fixtures)));
  const within = tolerance[name] ?? 1e-10;

  test.each(['corr', 'partial'] as const)('%s', async (score) => {
    const engine = await fitted(data, 37);
    expect(await engine.flush()).toBe(data.samples);
    for (const layerAgg of ['mean', 'max'] as const) {
      const { perPair, aggregated } = await engine.score({
        score,
        layerAgg,
        ridge: data.ridge,
        varianceFloor: data.varianceFloor,
        conditioningSets: data.sets,
      });
      const size = data.nodes * data.nodes;
      perPair.forEach((scores, p) => {
        expect(largestError(scores, data.oracle(score).subarray(p * size, (p + 1) * size))).toBeLessThan(
          within,
        );
      });
      expect(largestError(aggregated, data.oracle(`${score}_${layerAgg}`))).toBeLessThan(within);

      const { offsets } = data.sets;
      const p = data.oracle(`${score}_${layerAgg}`).map((r, element) => {
        const j = element % data.nodes;
        return fisherPValue(r, data.samples, score === 'partial' ? offsets[j + 1]! - offsets[j]! : 0);
      });
      expect(largestError(p, data.oracle(`p_${score}_${layerAgg}`))).toBeLessThan(1e-13);
    }
  });
});
