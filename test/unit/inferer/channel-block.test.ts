import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Batch, batches, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { channelBlocksByDefinition, type ChannelPair } from '../../support/channel-definition.ts';
import { valuesOf } from '../../support/golden-batches.ts';
import { fixture } from '../../support/model-files.ts';

let model: GsnnModel;
let inferer: MagnitudeEdgeInferer;
/** What the model gives for the data */
let pairs: ChannelPair[];

beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu-ragged'));
  const data: Batch[] = [];
  const source = fixture('layer-elu-ragged', 'edges-data.npz');
  for await (const batch of batches(source, model, { batchSize: 32 })) data.push(batch);
  const session = await model.trainingSession();
  const width = model.channelGroups.length;
  const rowsIn = (values: ArrayLike<number>): number[][] =>
    Array.from({ length: values.length / width }, (_, row) =>
      Array.from({ length: width }, (_, c) => values[row * width + c]!),
    );
  const all = Array.from({ length: model.layers - 1 }, () => ({ x: [] as number[][], u: [] as number[][] }));
  for (const { x, y, size } of data) {
    const run = await valuesOf(session, { x: x as Float32Array, y: y as Float32Array, size });
    all.forEach((pair, p) => {
      pair.x.push(...rowsIn(run.activations[p]!));
      pair.u.push(...rowsIn(run.gradients[p]!));
    });
  }
  pairs = all;
  inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await inferer.fit(data);
});
afterAll(async () => {
  await inferer.release();
  await model.release();
});

/** Every block against the definition: to 1e-6 of the largest entry, which is what float32 channels in F and U give. */
async function expectBlocks(
  found: (
    source: string,
    target: string,
  ) => Promise<{ values: Float64Array; sourceChannels: readonly number[] }>,
  expected: number[][][][],
): Promise<void> {
  const names = model.graph.nodeNames.function;
  const largest = Math.max(...expected.flat(3).map(Math.abs));
  for (const [i, source] of names.entries()) {
    for (const [j, target] of names.entries()) {
      const block = expected[i]![j]!.flat();
      const { values, sourceChannels } = await found(source, target);
      expect(sourceChannels).toHaveLength(expected[i]![j]!.length);
      expect(values).toHaveLength(block.length);
      block.forEach((value, at) => {
        expect(Math.abs(values[at]! - value)).toBeLessThan(1e-6 * largest);
      });
    }
  }
}

test('blocks of every pair of nodes and layer pair are those of the definition', async () => {
  for (const [p, pair] of pairs.entries()) {
    await expectBlocks(
      async (source, target) => {
        const [block] = await inferer.channelBlock(source, target, { layerPair: p });
        expect(block!.layerPair).toBe(p);
        return block!;
      },
      channelBlocksByDefinition([pair], model.channelGroups, 3),
    );
  }
});

test('pooled blocks and another lambda, too', async () => {
  await expectBlocks(
    async (source, target) => {
      const [block] = await inferer.channelBlock(source, target, { layerAgg: 'pooled', lambda: 0.5 });
      expect(block!.layerPair).toBeUndefined();
      return block!;
    },
    channelBlocksByDefinition(pairs, model.channelGroups, 0.5),
  );
});

test('scores are the norms of blocks over the root of the target channels', async () => {
  const table = await inferer.evaluate({ score: 'channel' });
  const read = (name: string, row: number): unknown => table.getChild(name)!.get(row);
  for (const row of [0, 5, 40]) {
    const [source, target] = [String(read('src_func', row)), String(read('dst_func', row))];
    for (const { layerPair, values, targetChannels } of await inferer.channelBlock(source, target)) {
      const norm = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / targetChannels.length);
      const score = Number(read(`score_a${layerPair}_g${layerPair! + 1}`, row));
      if (values.length === 0) expect(score).toBeNaN();
      else expect(Math.abs(norm - score)).toBeLessThan(1e-6);
    }
  }
});

test('names, layer pairs and lambdas that are none are refused', async () => {
  const [name] = model.graph.nodeNames.function as [string];
  const code = 'invalid-argument';
  await expect(inferer.channelBlock('nobody', name)).rejects.toMatchObject({
    code,
    message: "There is no function node named 'nobody'.",
  });
  await expect(inferer.channelBlock(name, name, { layerPair: pairs.length })).rejects.toMatchObject({ code });
  await expect(inferer.channelBlock(name, name, { lambda: 0 })).rejects.toMatchObject({ code });
  const without = await MagnitudeEdgeInferer.create(model, { backend: 'cpu', channels: false });
  await expect(without.channelBlock(name, name)).rejects.toMatchObject({ code });
  await without.release();
});
