import { afterAll, expect, vi } from 'vitest';
import { type CustomLoss, GsnnModel, type LossName, type LossSettings } from '../../src/index.ts';
import { buildGsnnTrainingGraph } from '../../src/model/gsnn-training-graph.ts';
import { completeLoss, defaultLoss } from '../../src/model/loss-settings.ts';
import { readModel } from '../../src/model/read-model.ts';
import { readProfile } from '../../src/model/profile.ts';
import { test } from '../support/gpu.ts';

const files = import.meta.glob<string>('../fixtures/models/*/model.onnx', {
  query: '?url',
  import: 'default',
  eager: true,
});
const fixtures = Object.entries(files).map(([path, url]) => ({ name: path.split('/').at(-2)!, url }));
const urlOf = (name: string): string => fixtures.find((fixture) => fixture.name === name)!.url;

/**
 * The runtime binds the console's `error` when it is loaded, so a listener takes its place before. What the runtime writes
 * with its log on is the oracle; with the log as the package sets it, nothing may be written.
 */
const written: string[] = [];
const listener = vi.spyOn(console, 'error').mockImplementation((...parts: unknown[]) => {
  written.push(parts.join(' '));
});
afterAll(() => {
  listener.mockRestore();
});

/** Operators by the number of their nodes. */
type Placed = Record<string, number>;

/** What the package reports of the training graph that a fit would run. */
async function reported(device: GPUDevice, url: string, loss: LossSettings): Promise<Placed> {
  await using model = await GsnnModel.load(url, { executionProvider: 'webgpu', device, ...loss });
  expect(model.diagnostics.cpuOperators).toBeUndefined();
  const before = written.length;
  await model.trainingSession({ onGpu: true });
  expect(written.slice(before)).toEqual([]);
  const { cpuOperators, fallbacks } = model.diagnostics;
  expect(fallbacks.filter((sentence) => sentence.includes('runs some operators'))).toHaveLength(
    cpuOperators!.length > 0 ? 1 : 0,
  );
  return Object.fromEntries(cpuOperators!.map(({ operator, nodes }) => [operator, nodes.length]));
}

/** What the runtime's own log says of the same graph, and how many values it copies out of the GPU. */
async function logged(
  device: GPUDevice,
  url: string,
  loss: LossSettings,
): Promise<{ onCpu: Placed; copiedOut: number }> {
  const { model, name } = await readModel(url);
  const profile = readProfile(model, name);
  const ofModel = profile.joint ? { ...defaultLoss, loss: profile.joint.lossKind } : defaultLoss;
  const options = { ...completeLoss(loss, ofModel), usePreNorm: true };
  const { bytes } = buildGsnnTrainingGraph(model, profile, options);
  const ort = await ('Suspending' in WebAssembly
    ? import('onnxruntime-web/jspi')
    : import('onnxruntime-web/webgpu'));
  const from = written.length;
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [{ name: 'webgpu', device }],
    logSeverityLevel: 0,
  });
  await session.release();
  const lines = written.slice(from).filter((line) => line.includes('VerifyEachNodeIsAssignedToAnEp'));
  expect(lines.length).toBeGreaterThan(1);
  const onCpu: Placed = {};
  let copiedOut = 0;
  let cpu = false;
  for (const line of lines) {
    if (line.includes('placed on [')) cpu = line.includes('[CPUExecutionProvider]');
    const operator = / {3}(\w+) \(/.exec(line)?.[1];
    if (operator === 'MemcpyToHost') copiedOut++;
    if (cpu && operator) onCpu[operator] = (onCpu[operator] ?? 0) + 1;
  }
  return { onCpu, copiedOut };
}

/**
 * Shape arithmetic that torch writes into a joint export. Sizes are kept on the host, so only single numbers go to the
 * GPU and nothing comes from there.
 */
const shapeArithmetic: Record<string, Placed> = {
  'layer-elu-joint': { Squeeze: 1, Mul: 1, Cast: 1, Concat: 6, ConstantOfShape: 1 },
  'attention-signed-joint': { Squeeze: 1, Mul: 1, Cast: 1, Concat: 8, ConstantOfShape: 1 },
};

test.for(fixtures)('$name runs on the GPU as a whole', async ({ name, url }, { gpu: { device } }) => {
  const expected = shapeArithmetic[name] ?? {};
  expect(await reported(device, url, {})).toEqual(expected);
  expect(await logged(device, url, {})).toEqual({ onCpu: expected, copiedOut: 0 });
});

// A shader compiler may take every number for finite, so targets are tested for NaN on the host, where they are.
const missing = { IsNaN: 1 };

test.for<LossName>(['mse', 'l1', 'huber', 'bce-with-logits', 'cross-entropy'])(
  '%s runs on the GPU as a whole; of missing targets only the test is on the CPU',
  async (loss, { gpu: { device } }) => {
    const url = urlOf('layer-elu');
    for (const [options, expected] of [
      [{ lossReduction: 'sum' }, {}],
      [{ outputWeights: [1, 2, 3] }, {}],
      [{ maskMissingTargets: true }, missing],
    ] as const) {
      expect(await reported(device, url, { loss, ...options })).toEqual(expected);
      expect(await logged(device, url, { loss, ...options })).toEqual({ onCpu: expected, copiedOut: 0 });
    }
  },
);

test('operators without a kernel are reported by name', async ({ gpu: { device } }) => {
  // Softsign and Cast from int64 have no kernel; Gather has, but the sizes that it reads are kept on the host.
  const loss: CustomLoss = (graph, prediction, target) => {
    const error = graph.op('Softsign', [graph.sub(prediction, target)]);
    const batch = graph.gather(graph.op('Shape', [error]), graph.ints([0]), 0);
    const share = graph.div(error, graph.cast(batch, 1));
    return graph.reduceSum(graph.mul(share, share));
  };
  const found = await reported(device, urlOf('layer-elu'), { loss });
  expect(found).toMatchObject({ Softsign: 1, Gather: 1, Cast: 1 });
  expect((await logged(device, urlOf('layer-elu'), { loss })).onCpu).toEqual(found);
});
