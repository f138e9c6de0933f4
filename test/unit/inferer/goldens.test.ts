import { readFile } from 'node:fs/promises';
import { tableFromIPC, type Table } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeInferer, tableCoverage, version } from '../../../src/index.ts';
import {
  expectGoldenEdges,
  goldenBatches,
  goldenModels,
  type GoldenEdges,
} from '../../support/edge-goldens.ts';

describe.each(goldenModels)('%s: edge tables against the float64 oracle', async (name) => {
  const folder = new URL(`../../fixtures/models/${name}/`, import.meta.url);
  const goldens = JSON.parse(await readFile(new URL('edges.json', folder), 'utf8')) as GoldenEdges[];
  let model: GsnnModel;

  beforeAll(async () => {
    model = await GsnnModel.load(new URL('model.onnx', folder));
  });
  afterAll(() => model.release());

  test.each(goldens)('$file', async (golden) => {
    const { reduction, usePreNorm, loss, score, layerAgg, ridge, excludeSelf, n } = golden;
    await using inferer = await MagnitudeEdgeInferer.create(model, { reduction, usePreNorm, backend: 'cpu' });
    const loader = batches(new URL('edges-data.npz', folder), model, goldenBatches);
    expect(await inferer.fit(loader, { loss })).toBe(n);
    const table = await inferer.evaluate({ score, layerAgg, ridge, excludeSelf });
    const oracle = tableFromIPC(await readFile(new URL(golden.file, folder)));
    expectGoldenEdges(table, oracle);
    const { pairs, unscored, candidates } = tableCoverage(table)!;
    expect([pairs, unscored.pairs]).toEqual([oracle.numRows, missingRows(oracle)]);
    expect(Object.fromEntries(table.schema.metadata)).toEqual({
      version,
      score,
      layerAgg,
      reduction,
      usePreNorm: String(usePreNorm),
      ridge: String(ridge),
      loss,
      n: String(n),
      N: String(golden.N),
      P: String(golden.P),
      backend: 'cpu',
      pairs: String(pairs),
      unscored: JSON.stringify(unscored),
      candidates: String(candidates.pairs),
      unscoredCandidates: String(candidates.unscored),
    });
  });
});

function missingRows(table: Table): number {
  return [...(table.getChild('corr')!.toArray() as Float64Array)].filter((score) => Number.isNaN(score))
    .length;
}
