import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Batch, type FitOptions, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { largestError } from '../../support/largest-error.ts';
import { equalBatches } from '../../support/equal-batches.ts';
import { npzArrays } from '../../support/npz-arrays.ts';

const folder = new URL('../../fixtures/models/layer-elu/', import.meta.url);

let model: GsnnModel;
let arrays: ReturnType<typeof npzArrays>;

beforeAll(async () => {
  model = await GsnnModel.load(new URL('model.onnx', folder));
  arrays = npzArrays(await readFile(new URL('edges-data.npz', folder)));
});
afterAll(() => model.release());

async function scoresOf(loader: Iterable<Batch>, options: FitOptions = {}): Promise<Float64Array[]> {
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  expect(await inferer.fit(loader, options)).toBe(96);
  const found: Float64Array[] = [];
  for (const score of ['corr', 'partial'] as const) {
    const scores = await inferer.scores({ score });
    found.push(Float64Array.from(await scores.aggregate()));
    scores.release();
  }
  return found;
}

const outputs = (): number => model.graph.nodeNames.output.length;

test.each([
  ['the sum over a batch for the mean', 32, () => ({ lossReduction: 'sum' })],
  ['batches of 16', 16, () => ({})],
  ['one batch', 96, () => ({})],
  ['sums over batches of 24', 24, () => ({ lossReduction: 'sum' })],
  [
    'a loss a trillion times smaller',
    32,
    () => ({ outputWeights: new Array<number>(outputs()).fill(1e-12) }),
  ],
  ['a loss a trillion times larger', 32, () => ({ outputWeights: new Array<number>(outputs()).fill(1e12) })],
] as const)('scores are the same with %s', async (_, batchSize, options) => {
  const expected = await scoresOf(equalBatches(arrays, 32));
  const found = await scoresOf(equalBatches(arrays, batchSize), options());
  // Throws where one of two is NaN alone. The runtime's float32 rounds other numbers: see test/support/edge-goldens.ts.
  found.forEach((scores, k) => {
    expect(largestError(scores, expected[k]!)).toBeLessThan(4e-6);
  });
});
