import { expect } from 'vitest';
import { scoreMagnitudes } from '../../src/engine/score-magnitudes.ts';
import { openConditionalScores } from '../../src/engine/select-magnitudes.ts';
import { createCpuEngine, type Engine, type MagnitudeRequest } from '../../src/statistics.ts';
import { selectEdges, selectionPlan } from '../../src/scoring/select-edges.ts';
import { createYielder } from '../../src/statistics/yielder.ts';
import { largestDifference } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { magnitudesEngine } from '../support/score-twins.ts';
import { statisticsCase } from '../support/statistics-case.ts';

const fixtures = import.meta.glob('../fixtures/family/*.npz', {
  query: '?url',
  import: 'default',
  eager: true,
});

const cases = Object.entries(fixtures).map(([path, url]) => [path.split('/').at(-1)!, url] as const);

test.for(cases)('regression and pooled scores of sums from the GPU: %s', async ([, url], { gpu }) => {
  const oracle = statisticsCase(new Uint8Array(await (await fetch(url)).arrayBuffer()));
  const { nodes, pairs, samples, ridge, sets: conditioningSets } = oracle;
  const engine = await magnitudesEngine(gpu, nodes, pairs, 'exact');
  for (let first = 0; first < samples; first += 100) {
    await engine.accumulateMagnitudes(oracle.batch(first, Math.min(first + 100, samples)));
  }
  for (const [score, layerAgg, name] of [
    ['regression', 'mean', 'regression_mean'],
    ['regression', 'max', 'regression_max'],
    ['regression', 'pooled', 'pooled_regression'],
    ['corr', 'pooled', 'pooled_corr'],
    ['partial', 'pooled', 'pooled_partial'],
  ] as const) {
    const scores = await scoreMagnitudes(engine, { score, layerAgg, ridge, conditioningSets });
    const right = oracle.oracle(name);
    // method.md, "Numbers to hold".
    expect(largestDifference(await scores.aggregate(), right), name).toBeLessThanOrEqual(1e-6);
    if (name !== 'regression_mean') continue;
    expect(largestDifference(scores.tests!.standardError, oracle.oracle('error_mean'))).toBeLessThanOrEqual(
      1e-6,
    );
  }
  await engine.release();
});

test('edges are selected on the GPU as on the CPU', async ({ gpu }) => {
  const oracle = statisticsCase(
    new Uint8Array(await (await fetch(fixtures['../fixtures/family/well-conditioned.npz']!)).arrayBuffer()),
  );
  const { nodes, pairs, samples, ridge, sets } = oracle;
  const chosen = async (engine: Engine, score: MagnitudeRequest['score']) => {
    const request = { score, layerAgg: 'mean', ridge, conditioningSets: sets } as const;
    const opened = await openConditionalScores(engine, samples, request, () => oracle.batch(0, samples));
    const plan = selectionPlan({ steps: 6 });
    const { edges } = await selectEdges(opened.scores, new Set<number>(), plan, createYielder());
    await opened.release();
    return edges;
  };
  const onGpu = await magnitudesEngine(gpu, nodes, pairs, 'exact');
  const onCpu = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers: 0 });
  for (const engine of [onGpu, onCpu]) await engine.accumulateMagnitudes(oracle.batch(0, samples));
  for (const score of ['corr', 'partial', 'regression'] as const) {
    const [found, right] = [await chosen(onGpu, score), await chosen(onCpu, score)];
    expect(found.map(({ source, target }) => [source, target])).toEqual(
      right.map(({ source, target }) => [source, target]),
    );
    found.forEach((edge, k) => {
      expect(Math.abs(edge.score - right[k]!.score)).toBeLessThanOrEqual(2e-6);
    });
  }
  await onGpu.release();
  await onCpu.release();
});
