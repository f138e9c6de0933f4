/** Conditioning sets that are factored by columns of tiles, by many workgroups. */
import { expect, vi } from 'vitest';
import { type Engine, raggedFromLists } from '../../src/statistics.ts';
import { Recorder } from '../../src/gpu/recorder.ts';
import { normalNumbers } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { againstTwin, factorBatch, magnitudesEngine } from '../support/score-twins.ts';

/** Sets of the sizes given for the first targets, of other sources each, and empty ones for the rest. */
function hubs(nodes: number, sizes: readonly number[]) {
  return raggedFromLists(
    Array.from({ length: nodes }, (_, target) =>
      Array.from({ length: sizes[target] ?? 0 }, (_, k) => (target + 1 + k) % nodes).sort((a, b) => a - b),
    ),
  );
}

test('500, 512 and 513 members', async ({ gpu }) => {
  const nodes = 520;
  // Fewer samples than members: the ridge makes the sets regular, so that few do.
  const worst = await againstTwin(gpu, factorBatch(11, 128, nodes), nodes, {
    conditioningSets: hubs(nodes, [500, 512, 513]),
    ridge: 0.5,
  });
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test('1024 members of one target, in submits no longer than others', async ({ gpu }) => {
  const nodes = 1032;
  const dispatched = vi.spyOn(Recorder.prototype, 'dispatch');
  const worst = await againstTwin(gpu, factorBatch(14, 128, nodes), nodes, {
    conditioningSets: hubs(nodes, [1024]),
    ridge: 0.5,
  });
  const operations = dispatched.mock.calls.map(([kernel, , , , counted = 0]) => ({
    label: kernel.definition.label,
    counted,
  }));
  dispatched.mockRestore();
  expect(worst).toBeLessThanOrEqual(1e-6);
  // A submit is cut between dispatches (src/gpu/recorder.ts).
  const longest = Math.max(...operations.map(({ counted }) => counted));
  expect(longest).toBeLessThanOrEqual(gpu.operationsPerSubmit);
  const of = (labels: RegExp) =>
    operations.filter(({ label }) => labels.test(label)).reduce((sum, { counted }) => sum + counted, 0);
  // Forty operations for each multiply-add: k^2 / 2 of them for a source, k^3 / 6 for the factor.
  const least = 40 * 1024 ** 2 * nodes;
  expect(of(/^partial/)).toBeGreaterThan(least / 2);
  expect(of(/^partial/)).toBeLessThan(0.6 * least);
  expect(of(/^cholesky/)).toBeGreaterThan((40 * 1024 ** 3) / 6);
});

test('every number of members in the last tile, and none', async ({ gpu }) => {
  const nodes = 110;
  const sizes = Array.from({ length: 40 }, (_, k) => 61 + k);
  const worst = await againstTwin(gpu, factorBatch(12, 400, nodes), nodes, {
    conditioningSets: hubs(nodes, sizes),
  });
  expect(worst).toBeLessThanOrEqual(1e-6);
});

test('a target alone has the bits that it has among others', async ({ gpu }) => {
  const nodes = 140;
  const sizes = Array.from({ length: 12 }, (_, k) => 58 + 7 * k);
  const request = { score: 'partial', layerAgg: 'mean', ridge: 1e-8 } as const;
  const engines = await Promise.all([1, 2].map(() => magnitudesEngine(gpu, nodes, 1)));
  for (const engine of engines) await engine.accumulateMagnitudes(factorBatch(15, 300, nodes));
  const [engine, other] = engines as [Engine, Engine];
  await engine.score({ ...request, conditioningSets: hubs(nodes, sizes) });
  for (const target of [0, 1, 5, 11]) {
    const conditioningSets = hubs(
      nodes,
      sizes.map((size, at) => (at === target ? size - 1 : size)),
    );
    const scores = await engine.scores({ ...request, conditioningSets });
    // This one anew, and the one before as it was.
    expect(scores.scoredTargets).toBeLessThanOrEqual(2);
    const found = await scores.matrices();
    // Another ridge between: the other engine scores all of them anew.
    await other.score({ ...request, ridge: 1, conditioningSets });
    const expected = await other.score({ ...request, conditioningSets });
    expect(found.aggregated).toEqual(expected.aggregated);
    scores.release();
  }
  for (const each of engines) await each.release();
});

test.for([0, 1e-8, 1])(
  'two equal parents among 150, and two nearly equal ones, ridge %d',
  async (ridge, { gpu }) => {
    const nodes = 170;
    const batch = factorBatch(13, 400, nodes);
    const x = batch.x[0]!;
    const normal = normalNumbers(14);
    for (let row = 0; row < batch.size; row++) {
      x[row * nodes + 120] = x[row * nodes + 40]!;
      x[row * nodes + 90] = x[row * nodes + 70]! + 1e-3 * normal();
    }
    const among = (left: readonly number[]) =>
      Array.from({ length: nodes }, (_, source) => source)
        .slice(0, 150)
        .filter((source) => !left.includes(source));
    // Both pairs, each pair alone, and neither.
    const lists = [among([]), among([90]), among([120]), among([90, 120])];
    const sets = Array.from({ length: nodes }, (_, target) => lists[target - 160] ?? []);
    const worst = await againstTwin(gpu, batch, nodes, { ridge, conditioningSets: raggedFromLists(sets) });
    // The nearly equal pair has a condition number near 1e7, for which the method asks for no more than 1e-4; float64
    // on both sides, from sums that differ by their rounding.
    expect(worst).toBeLessThanOrEqual(1e-5);
  },
);
