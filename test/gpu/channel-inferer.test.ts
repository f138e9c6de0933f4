import { describe, expect } from 'vitest';
import { ChannelThreads } from '../../src/engine/channels/channel-threads.ts';
import { GsnnModel, MagnitudeEdgeInferer } from '../../src/index.ts';
import { scoreSavedChannels } from '../../src/statistics.ts';
import { regressOnDevice } from '../../src/engine/webgpu/scoring/channel-regression.ts';
import { cheaperForm } from '../../src/scoring/channel/ridge-form.ts';
import { errorOfTable, goldenChannels, goldenChannelScores } from '../support/golden-channels.ts';
import { test } from '../support/gpu.ts';
import { npzArrays } from '../support/npz-arrays.ts';
import { refusal } from '../support/refusal.ts';
import { ridgeProblem, ridgeSystem } from '../support/ridge-oracle.ts';

const fixtures = '/test/fixtures/models';

/** A fixture model, and its golden arrays. @param device to share: its shaders are compiled once */
async function opened(name: string, device?: GPUDevice) {
  const bytes = await (await fetch(`${fixtures}/${name}/golden.npz`)).arrayBuffer();
  const model = await GsnnModel.load(`${fixtures}/${name}/model.onnx`, {
    executionProvider: 'wasm',
    ...(device ? { device } : {}),
  });
  return { model, golden: npzArrays(new Uint8Array(bytes)) };
}

describe('an inferer on WebGPU does channel regressions there', () => {
  test.for([
    ['exact', 'layer-elu-ragged', 'pre'],
    ['exact', 'batch-relu', 'post'],
    ['fast', 'batch-relu', 'post'],
  ] as const)('%s: %s, values %s norm', async ([precision, name, place], { gpu }) => {
    const { model, golden } = await opened(name, gpu.device);
    const nodes = model.graph.nodeNames.function.length;
    const { batches, pairs } = goldenChannels(golden, place);
    const usePreNorm = place === 'pre';
    const options = { usePreNorm, backend: 'webgpu', precision } as const;
    await using inferer = await MagnitudeEdgeInferer.create(model, options);
    await inferer.fit(batches);
    for (const layerAgg of ['mean', 'max', 'pooled'] as const) {
      const table = await inferer.evaluate({ score: 'channel', layerAgg, excludeSelf: false });
      const right = goldenChannelScores(pairs, model.channelGroups, layerAgg);
      // The model's own float32 is in it.
      expect(errorOfTable(table, right, nodes), layerAgg).toBeLessThan(1e-4);
      const { metadata } = table.schema;
      expect([metadata.get('backend'), metadata.get('usePreNorm')]).toEqual(['webgpu', String(usePreNorm)]);
      // 'exact' is what is meant where none is named.
      expect(metadata.get('precision')).toBe(precision === 'fast' ? 'fast' : undefined);
    }
    expect(inferer.diagnostics.notes).toContain(`channel regressions: WebGPU, precision '${precision}'`);
    expect(inferer.diagnostics.notes).toContain(`precision '${precision}'`);
    // Those of magnitudes say so as well, and ranks, which are scored on the CPU, do not.
    const regression = await inferer.evaluate({ score: 'regression' });
    expect(regression.schema.metadata.get('precision')).toBe(precision === 'fast' ? 'fast' : undefined);
    const ranked = await inferer.evaluate({ correlation: 'spearman' });
    expect(ranked.schema.metadata.has('precision')).toBe(false);
    await model.release();
  });

  test('also where it has a device of its own, since the model runs elsewhere', async () => {
    const { model, golden } = await opened('batch-relu');
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'webgpu', precision: 'fast' });
    await inferer.fit(goldenChannels(golden, 'pre').batches);
    const { metadata } = (await inferer.evaluate({ score: 'channel' })).schema;
    expect([metadata.get('backend'), metadata.get('precision')]).toEqual(['webgpu', 'fast']);
    await model.release();
  });

  test('and on the CPU, which has one precision for them, says nothing of it', async () => {
    const { model, golden } = await opened('batch-relu');
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu', precision: 'fast' });
    await inferer.fit(goldenChannels(golden, 'pre').batches);
    const { metadata } = (await inferer.evaluate({ score: 'channel' })).schema;
    expect([metadata.get('backend'), metadata.has('precision')]).toEqual(['cpu', false]);
    await model.release();
  });

  test('a precision that there is not is refused', async () => {
    const { model } = await opened('batch-relu');
    for (const backend of ['webgpu', 'cpu'] as const) {
      const create = MagnitudeEdgeInferer.create(model, { backend, precision: 'half' as 'fast' });
      const { code, message } = await refusal(create);
      expect([code, message]).toEqual([
        'invalid-argument',
        "precision is 'half', one of 'exact', 'fast' was expected.",
      ]);
    }
    await model.release();
  });
});

const single = (rows: readonly (readonly number[])[]) => rows.map((row) => row.map(Math.fround));

test('the precision that was asked for is the one that regressions have', async ({ gpu }) => {
  const system = ridgeSystem(ridgeProblem(129, 0.1));
  const scored = async (precision: 'exact' | 'fast' | undefined): Promise<Float32Array> => {
    let found = new Float32Array();
    await new ChannelThreads(0, () => gpu, precision).run([system], [undefined], (_, __, [norms]) => {
      found = Float32Array.from(norms!);
    });
    return found;
  };
  const [exact, fast] = [await scored(undefined), await scored('fast')];
  for (const [found, precision] of [
    [exact, 'exact'],
    [fast, 'fast'],
  ] as const) {
    const [right] = await regressOnDevice(gpu, system, [undefined], { form: cheaperForm(system), precision });
    expect(found).toEqual(right);
  }
  expect(fast).not.toEqual(exact);
});

test('saved channel values are scored on a device in the precision asked for', async ({ gpu }) => {
  const { golden, model } = await opened('batch-relu');
  // As they are kept: in float32.
  const pairs = goldenChannels(golden, 'pre').pairs.map(({ x, u }) => ({ x: single(x), u: single(u) }));
  const groups = model.channelGroups;
  const nodes = model.graph.nodeNames.function.length;
  const counts = Int32Array.from({ length: nodes }, (_, node) => groups.filter((of) => of === node).length);
  const most = Math.max(...counts);
  const samples = pairs[0]!.x.length;
  const laidOut = (rows: readonly (readonly number[])[]): Float32Array => {
    const out = new Float32Array(nodes * most * samples);
    const seen = new Uint32Array(nodes);
    groups.forEach((node, channel) => {
      const at = (node * most + seen[node]!++) * samples;
      rows.forEach((row, sample) => (out[at + sample] = row[channel]!));
    });
    return out;
  };
  const saved = { samples, most, counts, pairs: pairs.map(({ x, u }) => ({ x: laidOut(x), u: laidOut(u) })) };
  const request = { layerAgg: 'mean', lambda: 3 } as const;
  const right = goldenChannelScores(pairs, groups, 'mean');
  const largest = Math.max(...right.filter((score) => !Number.isNaN(score)));
  for (const precision of [undefined, 'exact', 'fast'] as const) {
    const scores = await scoreSavedChannels(saved, request, gpu.device, precision);
    const found = await scores.aggregate();
    right.forEach((score, at) => {
      if (Number.isNaN(score)) expect(found[at]).toBeNaN();
      else expect(Math.abs(found[at]! - score) / largest).toBeLessThan(1e-5);
    });
    scores.release();
  }
  const refused = await refusal(scoreSavedChannels(saved, request, gpu.device, 'half' as 'fast'));
  expect(refused.code).toBe('invalid-argument');
  await model.release();
});
