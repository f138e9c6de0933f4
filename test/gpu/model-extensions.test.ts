import { expect, test } from 'vitest';
import {
  batches,
  type FitOptions,
  GsnnModel,
  type LoadOptions,
  MagnitudeEdgeInferer,
} from '../../src/index.ts';
import { npzArrays } from '../support/npz-arrays.ts';

const models = '/test/fixtures/models';

async function samples(missing: boolean): Promise<{ x: Float32Array; y: Float32Array; size: number }> {
  const file = await fetch(`${models}/layer-elu/edges-data.npz`);
  const { x, y } = npzArrays(new Uint8Array(await file.arrayBuffer()));
  const targets = Float32Array.from(y!.data, (value, k) => (missing && k % 5 === 2 ? NaN : value));
  return { x: Float32Array.from(x!.data), y: targets, size: x!.shape[0]! };
}

/** Scores by row and column, NaN where there is none. */
async function scores(name: string, load: LoadOptions, fit: FitOptions): Promise<Map<string, number>> {
  await using model = await GsnnModel.load(`${models}/${name}/model.onnx`, load);
  expect(model.diagnostics.executionProvider).toBe(load.executionProvider);
  const backend = load.executionProvider === 'webgpu' ? 'webgpu' : 'cpu';
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend });
  const data = await samples(fit.maskMissingTargets === true);
  expect(await inferer.fit([data], fit)).toBe(107);
  const rows = (await inferer.evaluate()).toArray() as { src_idx: number; dst_idx: number; corr: number }[];
  return new Map(rows.map(({ src_idx, dst_idx, corr }) => [`${src_idx} -> ${dst_idx}`, corr]));
}

// The numbers of wasm and the CPU backend are held to torch in test/unit/model; here WebGPU is held to them.
test.each<[string, string, FitOptions]>([
  ['masked edges', 'layer-elu-mask', { maskedEdges: [['gene_0', 'gene_2']] }],
  ['a joint export', 'layer-elu-joint', {}],
  ['missing targets', 'layer-elu', { maskMissingTargets: true, outputWeights: [2, 0.5, 1] }],
])('%s on WebGPU: the scores of wasm', async (_, name, fit) => {
  const found = await scores(name, { executionProvider: 'webgpu' }, fit);
  const expected = await scores(name, { executionProvider: 'wasm' }, fit);
  expect(found.size).toBe(42);
  for (const [pair, corr] of expected) {
    // Values of both agree to 1e-5 of the largest of their batch: small magnitudes of a node to some 1e-4.
    if (Number.isNaN(corr)) expect(found.get(pair), pair).toBeNaN();
    else expect(found.get(pair), pair).toBeCloseTo(corr, 4);
  }
});

test('batches of the loss in parts and several at once, on WebGPU: the scores of plain batches on wasm', async () => {
  const path = `${models}/layer-elu/model.onnx`;
  const run = async (provider: 'webgpu' | 'wasm', batchSize: number): Promise<number[]> => {
    await using model = await GsnnModel.load(path, { executionProvider: provider });
    const backend = provider === 'webgpu' ? 'webgpu' : 'cpu';
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend });
    const loader = batches(await samples(true), model, {
      batchSize,
      lossBatchSize: 32,
      maskMissingTargets: true,
    });
    expect(await inferer.fit(loader, { maskMissingTargets: true })).toBe(107);
    // The mask's own; the weights add none.
    const onCpu = (model.diagnostics.cpuOperators ?? []).map(({ operator }) => operator);
    expect(onCpu).toEqual(provider === 'webgpu' ? ['IsNaN'] : []);
    const { aggregated } = await inferer.scores().then((scores) => scores.matrices());
    return Array.from(aggregated);
  };
  const expected = await run('wasm', 32);
  for (const batchSize of [16, 96]) {
    const found = await run('webgpu', batchSize);
    found.forEach((corr, pair) => {
      // As above
      if (Number.isNaN(expected[pair])) expect(corr).toBeNaN();
      else expect(corr).toBeCloseTo(expected[pair]!, 4);
    });
  }
});
