import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { batches, ExternalModel, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { type ChannelBatch, type MagnitudeBatch, raggedFromLists } from '../../../src/statistics.ts';
import { channelNorms } from '../../../src/statistics/channel-norms.ts';
import { valuesOf } from '../../support/golden-batches.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

const load = () => GsnnModel.load(fixture('layer-elu-ragged'));
const dataOf = (model: GsnnModel) =>
  batches(fixture('layer-elu-ragged', 'edges-data.npz'), model, { batchSize: 32 });
const profileOf = ({ graph: { nodeNames, edgeIndex }, layers, norm, channelGroups }: GsnnModel) => ({
  ...{ version: 1, layers, norm, channelGroups, nodeNames },
  edgeIndex: Object.fromEntries(
    Object.entries(edgeIndex).map(([type, ends]) => [type, ends.map((end) => Array.from(end))]),
  ),
});

/** What the model computes of its data, as a host would bring it. */
async function* valuesIn(model: GsnnModel): AsyncGenerator<ChannelBatch> {
  const session = await model.trainingSession();
  for await (const { x, y, size } of dataOf(model)) {
    yield { size, ...(await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size })) };
  }
}

async function* magnitudesIn(model: GsnnModel): AsyncGenerator<MagnitudeBatch> {
  const nodes = model.graph.nodeNames.function.length;
  const lists: number[][] = Array.from({ length: nodes }, () => []);
  model.channelGroups.forEach((node, channel) => lists[node]!.push(channel));
  const groups = raggedFromLists(lists);
  for await (const { size, activations, gradients } of valuesIn(model)) {
    const norms = (values: Float32Array): Float32Array => {
      const out = new Float64Array(size * nodes);
      channelNorms(values, size, { channels: model.channelGroups.length, groups, reduction: 'l1' }, out);
      return Float32Array.from(out);
    };
    yield {
      size,
      x: activations.map((values) => norms(values as Float32Array)),
      y: gradients.map((values) => norms(values as Float32Array)),
    };
  }
}

test('values that a host brings give the table of the model that computed them', async () => {
  await using model = await load();
  const external = ExternalModel.read(profileOf(model), 'my model');
  await using own = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await using given = await MagnitudeEdgeInferer.create(external, { backend: 'cpu' });
  const samples = await own.fit(dataOf(model));
  expect(await given.fitValues(valuesIn(model))).toBe(samples);
  expect(given.keepsChannels).toBe(true);
  for (const score of ['corr', 'partial', 'channel'] as const) {
    const [found, expected] = [await given.evaluate({ score }), await own.evaluate({ score })];
    expect(found.toArray().map(String)).toEqual(expected.toArray().map(String));
  }
  // Statistics are of one graph, whoever computed the values.
  await given.mergeStats(await own.saveStats());
  expect(given.samples).toBe(2 * samples);
});

test('magnitudes alone give the scores of magnitudes, and channel scores say what they lack', async () => {
  await using model = await load();
  const external = ExternalModel.read(profileOf(model), 'my model');
  await using own = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await using given = await MagnitudeEdgeInferer.create(external, { backend: 'cpu' });
  await own.fit(dataOf(model));
  await given.fitValues(magnitudesIn(model));
  expect(given.keepsChannels).toBe(false);
  const scores = async (inferer: MagnitudeEdgeInferer) => {
    const table = await inferer.evaluate();
    const [sources, targets, corr] = ['src_idx', 'dst_idx', 'corr'].map((name) => table.getChild(name)!);
    const byPair = new Map<string, number>();
    for (let row = 0; row < table.numRows; row++) {
      byPair.set(`${sources!.get(row)} ${targets!.get(row)}`, corr!.get(row) as number);
    }
    return byPair;
  };
  const expected = await scores(own);
  // Magnitudes are rounded to float32, 6e-8 of each, on their way.
  for (const [pair, corr] of await scores(given)) {
    if (Number.isNaN(corr)) expect(expected.get(pair)).toBeNaN();
    else expect(Math.abs(corr - expected.get(pair)!)).toBeLessThan(1e-6);
  }
  expect((await refusal(given.evaluate({ score: 'channel' }))).message).toMatch(/without channel values/);
});

test('channel values that follow later give the scores of values that came at once', async () => {
  await using model = await load();
  const external = ExternalModel.read(profileOf(model), 'my model');
  await using atOnce = await MagnitudeEdgeInferer.create(external, { backend: 'cpu' });
  await using later = await MagnitudeEdgeInferer.create(external, { backend: 'cpu' });
  await atOnce.fitValues(valuesIn(model));
  await later.fitValues(magnitudesIn(model), { channelsLater: true });
  expect(later.keepsChannels).toBe(true);
  expect((await refusal(later.evaluate({ score: 'channel' }))).message).toMatch(/of all samples/);
  const magnitudeScores = String((await later.evaluate()).toArray());
  for await (const batch of valuesIn(model)) {
    const short = { ...batch, gradients: batch.gradients.slice(1) };
    expect((await refusal(later.addChannelValues(short))).code).toBe('batch-mismatch');
    await later.addChannelValues(batch);
  }
  const tables = [atOnce, later].map(async (inferer) =>
    String((await inferer.evaluate({ score: 'channel' })).toArray()),
  );
  expect((await Promise.all(tables))[1]).toBe(await tables[0]);
  expect(String((await later.evaluate()).toArray())).toBe(magnitudeScores);
});

test('a model that runs elsewhere is not run here, and values are checked like any', async () => {
  await using model = await load();
  const external = ExternalModel.read(profileOf(model), 'my model');
  await using inferer = await MagnitudeEdgeInferer.create(external, { backend: 'cpu' });
  expect((await refusal(inferer.fit(dataOf(model)))).message).toMatch(
    /my model does not: use fitValues with/,
  );
  const short = async function* (): AsyncGenerator<ChannelBatch> {
    for await (const batch of valuesIn(model)) yield { ...batch, gradients: batch.gradients.slice(1) };
  };
  expect((await refusal(inferer.fitValues(short()))).code).toBe('batch-mismatch');
  expect(() => ExternalModel.read({ ...profileOf(model), layers: 1 }, 'my model')).toThrow(/at least 2/);
  expect(() => ExternalModel.read({ ...profileOf(model), channelGroups: [0] }, 'my model')).toThrow(
    /no channels/,
  );
});

test('channel values that are kept are not handed over to the workers that sum', async () => {
  const names = Array.from({ length: 800 }, (_, node) => `F${node}`);
  const profile = {
    ...{ version: 1, layers: 3, norm: 'none', channelGroups: names.map((_, node) => node) },
    nodeNames: { input: ['I'], function: names, output: ['O'] },
    edgeIndex: {
      'input,function': [[0], [0]],
      'function,function': [[0], [1]],
      'function,output': [[1], [0]],
    },
  };
  const layers = (seed: number): Float32Array[] =>
    [0, 1].map((layer) => Float32Array.from({ length: 4 * 800 }, (_, at) => Math.sin(seed + layer + at)));
  const transferable = { size: 4, activations: layers(1), gradients: layers(5), transferable: true };
  await using inferer = await MagnitudeEdgeInferer.create(ExternalModel.read(profile, 'my model'), {
    backend: 'cpu',
  });
  await inferer.fitValues(Readable.from([transferable]));
  expect(inferer.diagnostics.workers).toBeGreaterThan(0);
  const { x, y } = await inferer.pairMagnitudes('F7', 'F9');
  const of = (values: Float32Array[], node: number) =>
    values.map((layer) => [0, 1, 2, 3].map((sample) => Math.abs(layer[sample * 800 + node]!)));
  expect(x.map((layer) => [...layer])).toEqual(of(layers(1), 7));
  expect(y.map((layer) => [...layer])).toEqual(of(layers(5), 9));
});
