import { expect } from 'vitest';
import { activationGraph } from '../support/activation-graph.ts';
import { slopeErrors, TOLERANCE } from '../support/activation-slopes.mjs';
import { test } from '../support/gpu.ts';
import { npzArrays } from '../support/npz-arrays.ts';

const folder = '/test/fixtures/activations';
const files = import.meta.glob<string>('../fixtures/activations/*.onnx', {
  query: '?url',
  import: 'default',
  eager: true,
});
const names = Object.keys(files).map((path) => path.split('/').at(-1)!.slice(0, -5));
const read = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await (await fetch(path)).arrayBuffer());

test.for(names)('WebGPU: the slope of %s is right wherever torch in float32 is', async (name, { gpu }) => {
  const slopes = npzArrays(await read(`${folder}/slopes.npz`));
  const grid = slopes.x!.data;
  const { graph, gradient, feeds } = activationGraph(name, await read(`${folder}/${name}.onnx`), grid);
  const ort = await ('Suspending' in WebAssembly
    ? import('onnxruntime-web/jspi')
    : import('onnxruntime-web/webgpu'));
  const session = await ort.InferenceSession.create(graph.bytes, {
    executionProviders: [{ name: 'webgpu', device: gpu.device }],
    logSeverityLevel: 3,
  });
  try {
    const tensors = Object.entries(feeds).map(
      ([input, data]) => [input, new ort.Tensor('float32', data, [data.length])] as const,
    );
    const found = (await session.run(Object.fromEntries(tensors)))[gradient]!.data as Float32Array;
    const errors = slopeErrors(grid, found, slopes[name]!.data, slopes[`${name}.torch`]!.data);
    expect(errors.points).toBeGreaterThan(30);
    expect(errors.ours, `at ${errors.at}`).toBeLessThan(TOLERANCE);
  } finally {
    await session.release();
  }
});
