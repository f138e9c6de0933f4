import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildTrainingGraph } from '../../../src/training-graph.ts';
import { npzArrays } from '../../support/npz-arrays.ts';
import { runOnnx } from '../../support/run-onnx.ts';

// The runtime's LayerNormalization divides by zero on an empty batch, so that the transformer does not run at all.
test.each(['mlp', 'cnn'])('%s: a batch without samples has gradients of zeros', async (name) => {
  const folder = new URL(`../../fixtures/ordinary/${name}/`, import.meta.url);
  const golden = npzArrays(readFileSync(new URL('golden.npz', folder)));
  const built = buildTrainingGraph(readFileSync(new URL('model.onnx', folder)), {
    wrt: ['input'],
    parameters: 'all',
    lossReduction: 'sum',
  });
  const parameters = Object.fromEntries(
    Object.entries(built.parameters).map(([parameter, { dims, values }]) => [
      parameter,
      { dims, data: values },
    ]),
  );
  const found = await runOnnx(built.bytes, {
    input: { dims: [0, ...golden.input!.shape.slice(1)], data: [] },
    [built.target]: { dims: [0, ...golden.target!.shape.slice(1)], data: [] },
    ...parameters,
  });
  expect(found[built.gradients.input!]!.dims).toEqual([0, ...golden.input!.shape.slice(1)]);
  for (const [parameter, { dims }] of Object.entries(built.parameters)) {
    const gradient = found[built.gradients[parameter]!]!;
    expect(gradient.dims, parameter).toEqual(dims);
    expect(
      gradient.data.every((g) => g === 0),
      parameter,
    ).toBe(true);
  }
});
