import { expect } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeInferer } from '../../src/index.ts';
import {
  createCpuEngine,
  createWebGpuEngine,
  raggedFromLists,
  resampleScores,
  SampleStore,
} from '../../src/statistics.ts';
import { channelNorms } from '../../src/statistics/channel-norms.ts';
import { MagnitudeReader } from '../../src/engine/webgpu/statistics/magnitude-reader.ts';
import { floats } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';
import { normalNumbers } from '../support/random-numbers.ts';

test('magnitudes come to the host as the twin has them, in one piece or several', async ({ gpu }) => {
  const [nodes, channels, rows] = [9, 21, 150];
  const lists = Array.from({ length: nodes }, (_, node) =>
    Array.from({ length: channels }, (__, c) => c).filter((c) => c % nodes === node),
  );
  const source = { nodes, channels, channelGroups: raggedFromLists(lists), reduction: 'l2' } as const;
  const normal = normalNumbers(5);
  const values = [1, 2].map(() => Float32Array.from({ length: rows * channels }, normal));
  const buffers = values.map((value) => floats(gpu, value).buffer);
  const read = async (pieceBytes?: number): Promise<Float32Array[]> => {
    const reader = await MagnitudeReader.create(gpu, source, pieceBytes);
    const magnitudes = await reader.read(buffers, rows);
    reader.destroy();
    return magnitudes;
  };
  const whole = await read();
  values.forEach((value, quantity) => {
    const expected = new Float64Array(rows * nodes);
    channelNorms(value, rows, { channels, groups: source.channelGroups, reduction: 'l2' }, expected);
    // A square root of at most three squares, in float32.
    expected.forEach((norm, e) => {
      expect(Math.abs(whole[quantity]![e]! - norm)).toBeLessThanOrEqual(3e-7 * norm);
    });
  });
  // Two pieces of 64 rows and one of 22.
  expect(await read(1)).toEqual(whole);
});

test('both engines resample alike', async ({ gpu }) => {
  const shape = { nodes: 10, pairs: 2, reduction: 'l1' } as const;
  const samples = 90;
  const normal = normalNumbers(6);
  const some = (): Float32Array => Float32Array.from({ length: samples * shape.nodes }, () => 6 + normal());
  const record = new SampleStore(shape, 1e6);
  record.reserve(samples);
  const x = [some(), some()];
  const y = x.map((values) => values.map((value, k) => 0.3 * value + 6 + (k % 3) + normal()));
  record.add({ size: samples, x, y });
  const plan = { groups: 6, permutations: 8, seed: 1 };
  const sets = raggedFromLists(
    Array.from({ length: 10 }, (_, j) => (j % 2 === 0 ? [] : [0, j - 1].slice(+(j === 1)))),
  );
  const onGpu = await createWebGpuEngine({ device: gpu.device, shape });
  const onCpu = createCpuEngine(shape);
  for (const score of ['corr', 'partial'] as const) {
    const request = { score, layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets } as const;
    await onCpu.accumulateMagnitudes({ size: samples, x, y });
    const { aggregated } = await onCpu.score(request);
    const found = await resampleScores(record, aggregated, request, { plan, engine: onGpu });
    const expected = await resampleScores(record, aggregated, request, { plan, engine: onCpu });
    onCpu.reset();
    // Scores of the engines agree to 1e-6, and a jackknife multiplies by h - 1 = 5 what it takes the root of the sum of.
    found.standardError.forEach((error, e) => {
      const twin = expected.standardError[e]!;
      if (Number.isNaN(twin)) expect(error).toBeNaN();
      else expect(Math.abs(error - twin)).toBeLessThan(1e-5);
    });
    expect(found.signStability).toEqual(expected.signStability);
    expect(found.empiricalP).toEqual(expected.empiricalP);
  }
  await onGpu.release();
});

test('model and engine on one device: the columns of the CPU', async () => {
  const folder = '/test/fixtures/models/layer-elu';
  const columns = async (
    executionProvider: 'webgpu' | 'wasm',
    backend: 'webgpu' | 'cpu',
  ): Promise<Map<string, number[]>> => {
    await using model = await GsnnModel.load(`${folder}/model.onnx`, { executionProvider });
    await using inferer = await MagnitudeEdgeInferer.create(model, {
      backend,
      uncertainty: { groups: 5, permutations: 4, seed: 2 },
    });
    await inferer.fit(batches(`${folder}/edges-data.npz`, model, { batchSize: 32 }));
    const table = await inferer.evaluate({ score: 'partial' });
    const [sources, targets] = ['src_func', 'dst_func'].map(
      (name) => [...table.getChild(name)!] as unknown[],
    );
    const values = ['corr_se', 'sign_stability', 'p_empirical'].map(
      (name) => [...table.getChild(name)!] as number[],
    );
    return new Map(
      sources!.map((source, row) => [
        `${String(source)} ${String(targets![row])}`,
        values.map((column) => column[row]!),
      ]),
    );
  };
  const expected = await columns('wasm', 'cpu');
  for (const found of [await columns('webgpu', 'webgpu'), await columns('wasm', 'webgpu')]) {
    expect(found.size).toBe(42);
    for (const [edge, [error, stability, p]] of found) {
      const [twin, ...others] = expected.get(edge)!;
      if (Number.isNaN(twin)) expect(error).toBeNaN();
      // Both the model and the statistics in float32: 1e-5 of the scores, times h - 1 = 4.
      else expect(Math.abs(error! - twin!)).toBeLessThan(4e-5);
      expect([stability, p]).toEqual(others);
    }
  }
});
