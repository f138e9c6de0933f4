import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  batches,
  type BatchesOptions,
  type CustomLoss,
  ExternalModel,
  type FitOptions,
  GsnnModel,
  type LossBatch,
  type LossSettings,
  MagnitudeEdgeInferer,
  type PlainArrays,
} from '../../../src/index.ts';
import { wholeLossBatch } from '../../../src/model/loss-batches.ts';
import { expectGoldenEdges, goldenModels, type GoldenEdges } from '../../support/edge-goldens.ts';
import { expectClose, goldenOf } from '../../support/golden-batches.ts';
import { fixture, modelsFolder, withModel } from '../../support/model-files.ts';
import { npzArrays } from '../../support/npz-arrays.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { refusal } from '../../support/refusal.ts';

let model: GsnnModel;
beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu'));
});
afterAll(() => model.release());

/** The gradients of samples whose batches of the loss are given. */
async function gradientsOf(
  settings: LossSettings,
  { x, y, lossBatches }: { x: Float32Array; y: Float32Array; lossBatches: readonly LossBatch[] },
): Promise<Float32Array[]> {
  const session = await model.trainingSession({ ...settings, weighsSamples: true });
  const size = lossBatches.reduce((sum, { samples }) => sum + samples, 0);
  const run = await session.run(x, y, size, undefined, lossBatches);
  const gradients = run.gradients.map((values) => Float32Array.from(values as Float32Array));
  run.dispose();
  return gradients;
}

describe('torch’s float64 gradients of the batches of the loss', () => {
  test('several in one run', async () => {
    const { golden, batches: parts } = goldenOf('layer-elu');
    const joined = (side: 'x' | 'y') => Float32Array.from(parts.flatMap((part) => Array.from(part[side])));
    const lossBatches = parts.map(({ y, size }) => wholeLossBatch(y, size));
    const gradients = await gradientsOf({}, { x: joined('x'), y: joined('y'), lossBatches });
    gradients.forEach((values, pair) => {
      const rows = golden[`grad_pre_${pair + 1}`]!;
      // Compared batch by batch: each has its own largest value.
      for (const { from, size } of parts) {
        const width = values.length / 9;
        const part = [from * width, (from + size) * width] as const;
        expectClose(values.subarray(...part), rows.data.subarray(...part), `pair ${pair}, from ${from}`);
      }
    });
  });

  const options = npzArrays(
    readFileSync(new URL('../../fixtures/loss-options/goldens.npz', import.meta.url)),
  );
  const outputWeights = Array.from(options.weights!.data);
  const settings: Record<string, LossSettings> = {
    weights: { outputWeights },
    missing: { maskMissingTargets: true },
  };
  describe.each(['mse', 'l1', 'huber', 'bce-with-logits'] as const)('%s, one in parts', (loss) => {
    test.each(Object.keys(settings))('%s', async (name) => {
      const x = Float32Array.from(options.x!.data);
      const y = Float32Array.from(options[name === 'missing' ? 'missing' : 'y']!.data);
      const whole = wholeLossBatch(y, 9);
      const found = [[], []] as number[][];
      for (const [from, to] of [
        [0, 4],
        [4, 8],
        [8, 9],
      ] as const) {
        const cut = (values: Float32Array) =>
          values.slice((from * values.length) / 9, (to * values.length) / 9);
        const lossBatches = [{ ...whole, samples: to - from }];
        const part = await gradientsOf({ loss, ...settings[name] }, { x: cut(x), y: cut(y), lossBatches });
        part.forEach((values, pair) => found[pair]!.push(...values));
      }
      found.forEach((values, pair) => {
        expectClose(values, options[`${loss}/${name}/grad_pre_${pair + 1}`]!.data, `pair ${pair}`);
      });
    });
  });
});

describe.each(goldenModels)('%s: the float64 oracle’s edge tables, whatever is run at once', async (name) => {
  const folder = new URL(`${name}/`, modelsFolder);
  const goldens = JSON.parse(await readFile(new URL('edges.json', folder), 'utf8')) as GoldenEdges[];

  // The last batch of the loss has 11 samples.
  test.each<BatchesOptions>([
    { batchSize: 'auto', lossBatchSize: 32 },
    { batchSize: 64, lossBatchSize: 32 },
    { batchSize: 10, lossBatchSize: 32 },
  ])('%o', async (sizes) => {
    await using own = await GsnnModel.load(fixture(name), { batches: sizes });
    for (const golden of goldens) {
      const { reduction, usePreNorm, loss, score, layerAgg, ridge, excludeSelf, n } = golden;
      await using inferer = await MagnitudeEdgeInferer.create(own, { reduction, usePreNorm, backend: 'cpu' });
      const loader = batches(new URL('edges-data.npz', folder), own, sizes);
      expect(loader.batchSize).not.toBe(loader.lossBatchSize);
      expect(await inferer.fit(loader, { loss })).toBe(n);
      const table = await inferer.evaluate({ score, layerAgg, ridge, excludeSelf });
      expectGoldenEdges(table, tableFromIPC(await readFile(new URL(golden.file, folder))));
    }
  });
});

/** Correlated samples, with a third of the targets missing if asked for. */
function samples(missing: boolean): PlainArrays {
  const normal = normalNumbers(11);
  const { input, output } = model.graph.nodeNames;
  const values = (columns: number) => Float32Array.from({ length: 1100 * columns }, () => normal());
  const [x, y] = [values(input.length), values(output.length)];
  if (missing) y.forEach((value, at) => (y[at] = Math.abs(value) > 1 ? NaN : value));
  // Classes have probabilities.
  return { x, y: y.map((value) => Math.abs(value)) };
}

/** Magnitudes of some nodes in every sample. */
async function magnitudes(sizes: BatchesOptions, settings: FitOptions): Promise<Float64Array[]> {
  const maskMissingTargets = settings.maskMissingTargets === true;
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  const loader = batches(samples(maskMissingTargets), model, { ...sizes, maskMissingTargets });
  expect(await inferer.fit(loader, settings)).toBe(1100);
  const names = model.graph.nodeNames.function;
  const found: Float64Array[] = [];
  for (const target of names) {
    const { x, y } = await inferer.pairMagnitudes(names[0]!, target);
    found.push(...[...x, ...y].map((values) => Float64Array.from(values)));
  }
  return found;
}

describe('the magnitudes of plain batches of the loss', () => {
  test.each<[string, FitOptions]>([
    ['mse', {}],
    ['l1', { loss: 'l1' }],
    ['cross-entropy', { loss: 'cross-entropy' }],
    ['mse, missing targets', { maskMissingTargets: true }],
    ['cross-entropy, missing targets', { loss: 'cross-entropy', maskMissingTargets: true }],
    ['mse, sum', { lossReduction: 'sum' }],
  ])('%s', async (name, settings) => {
    for (const lossBatchSize of [16, 100, 128, 500]) {
      const plain = await magnitudes({ batchSize: lossBatchSize }, settings);
      for (const batchSize of ['auto', 48] as const) {
        const found = await magnitudes({ batchSize, lossBatchSize }, settings);
        found.forEach((values, k) => {
          const [largest, error] = values.reduce(
            ([most, worst], value, s) => [
              Math.max(most, Math.abs(plain[k]![s]!)),
              Math.max(worst, Math.abs(value - plain[k]![s]!)),
            ],
            [0, 0],
          );
          // The mean squared error's elements are divided by their number in one rounding, and multiplied by its
          // inverse in two. All others are the same operations on every sample.
          const tolerance = name === 'mse' ? 1e-6 : 0;
          expect(error, `${batchSize}, ${lossBatchSize}, ${k}`).toBeLessThanOrEqual(tolerance * largest);
        });
      }
    }
  });
});

describe('refusals', () => {
  const regrouped: BatchesOptions = { batchSize: 64, lossBatchSize: 32 };
  const custom: CustomLoss = (graph, prediction, target) => graph.reduceMean(graph.sub(prediction, target));

  test('a custom loss of the fit, before the statistics are reset', async () => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    await inferer.fit(batches(samples(false), model));
    for (const lossReduction of ['mean', 'sum'] as const) {
      const error = await refusal(
        inferer.fit(batches(samples(false), model, regrouped), { loss: custom, lossReduction }),
      );
      expect([error.code, error.message]).toEqual([
        'invalid-argument',
        'A custom loss takes its own mean over what is run at once, so that batches of the loss cannot be run in parts or several at once: lossBatchSize must be batchSize.',
      ]);
    }
    expect(inferer.samples).toBe(1100);
  });

  test('a custom loss of the model, a joint export, and a fixed number of samples have the batches of the loss', async () => {
    const fixed = withModel('layer-elu', (given) => ({
      ...given,
      graph: {
        ...given.graph,
        inputs: given.graph.inputs.map((input) => ({
          ...input,
          type: { ...input.type, shape: [32, ...input.type.shape!.slice(1)] },
        })),
      },
    }));
    const models = [
      await GsnnModel.load(fixture('layer-elu'), { loss: custom }),
      await GsnnModel.load(fixture('layer-elu-joint'), { batches: { batchSize: 'auto' } }),
      await GsnnModel.load(fixed),
    ];
    for (const own of models) {
      expect(own.canRegroup).toBe(false);
      expect(batches(samples(false), own, { batchSize: 'auto', lossBatchSize: 32 }).batchSize).toBe(32);
      expect(() => batches(samples(false), own, regrouped)).toThrow(/they must be equal for a custom loss/);
    }
    const loading = GsnnModel.load(fixture('layer-elu-joint'), { batches: regrouped });
    expect((await refusal(loading)).message).toMatch(/they must be equal/);
    // Batches of another model's making
    await using inferer = await MagnitudeEdgeInferer.create(models[1]!, { backend: 'cpu' });
    const error = await refusal(inferer.fit(batches(samples(false), model, regrouped)));
    expect(error.message).toMatch(/^A joint export takes its own mean/);
    for (const own of models) await own.release();
  });

  test('a model that runs elsewhere has the batches of the loss', () => {
    const profile = {
      version: 1,
      layers: 2,
      norm: 'none',
      nodeNames: { input: ['i'], function: ['f'], output: ['o'] },
      edgeIndex: {
        'input,function': [[0], [0]],
        'function,function': [[0], [0]],
        'function,output': [[0], [0]],
      },
      channelGroups: [0],
    };
    const external = ExternalModel.read(profile, 'torch');
    expect(batches({ x: [], y: [] }, external, { batchSize: 'auto' }).batchSize).toBe(128);
  });

  test('batches of a user’s own loader', async () => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    const { x, y } = samples(false) as { x: Float32Array; y: Float32Array };
    const lossBatches = [wholeLossBatch(y, 1000), wholeLossBatch(y, 101)];
    const error = await refusal(inferer.fit([{ x, y, size: 1100, lossBatches }]));
    expect([error.code, error.message]).toEqual([
      'batch-mismatch',
      'Batch 0 has 1100 samples, but its lossBatches have 1101.',
    ]);
    const session = await model.trainingSession();
    const run = session.run(x, y, 1100, undefined, [wholeLossBatch(y, 1100)]);
    expect((await refusal(run)).message).toMatch(/needs a session that weighs samples/);
    const weighing = await model.trainingSession({ weighsSamples: true });
    const other = weighing.run(x, y, 1100, undefined, [wholeLossBatch(y, 1)]);
    expect((await refusal(other)).message).toBe(
      'The batches of the loss have 1 samples in a run of 1100 samples.',
    );
  });

  test('a bad value is found by the number of its batch', async () => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    const { x, y } = samples(false) as { x: Float32Array; y: Float32Array };
    x[x.length - 1] = NaN;
    const error = await refusal(
      inferer.fit(batches({ x, y }, model, { batchSize: 100, lossBatchSize: 200 })),
    );
    expect(error.message).toMatch(/^Batch 10 holds NaN for input node '\w+' in sample 99:/);
    expect(inferer.samples).toBe(1000);
  });
});
