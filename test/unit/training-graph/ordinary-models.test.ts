import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildTrainingGraph } from '../../../src/training-graph.ts';
import { npzArrays, type NpyArray } from '../../support/npz-arrays.ts';
import { relativeError, runOnnx, type RunInput } from '../../support/run-onnx.ts';

/** The goldens are torch's float64 gradients; float32 has to hold this on models of this size. */
const TOLERANCE = 1e-5;

const input = ({ shape, data }: NpyArray): RunInput => ({ dims: shape, data });

describe.each(['mlp', 'cnn', 'transformer'])('%s exported from torch', (name) => {
  const folder = new URL(`../../fixtures/ordinary/${name}/`, import.meta.url);
  const bytes = readFileSync(new URL('model.onnx', folder));
  const golden = npzArrays(readFileSync(new URL('golden.npz', folder)));

  test('gradients of the input and of every parameter', async () => {
    const built = buildTrainingGraph(bytes, { wrt: ['input'], parameters: 'all' });
    const parameters = Object.fromEntries(
      Object.entries(built.parameters).map(([parameter, { dims, values }]) => [
        parameter,
        { dims, data: values },
      ]),
    );
    const found = await runOnnx(built.bytes, {
      input: input(golden.input!),
      [built.target]: input(golden.target!),
      ...parameters,
    });
    expect(relativeError(found.output!.data, golden.output!.data)).toBeLessThan(TOLERANCE);
    expect(relativeError(found.loss!.data, golden.loss!.data)).toBeLessThan(TOLERANCE);
    expect(relativeError(found[built.gradients.input!]!.data, golden.grad_input!.data)).toBeLessThan(
      TOLERANCE,
    );
    const trained = Object.keys(golden).filter((key) => key.startsWith('grad:'));
    expect(trained.length).toBeGreaterThan(5);
    // Exporters may rename a parameter; those that keep their name keep their gradient.
    const shared = trained.filter((key) => Object.hasOwn(built.gradients, key.slice('grad:'.length)));
    expect(shared.length).toBeGreaterThan(4);
    for (const key of shared) {
      const output = found[built.gradients[key.slice('grad:'.length)]!]!;
      expect(output.dims, key).toEqual(golden[key]!.shape);
      expect(relativeError(output.data, golden[key]!.data), key).toBeLessThan(TOLERANCE);
    }
  });

  test('training by gradient descent with the parameters as inputs lowers the loss', async () => {
    const built = buildTrainingGraph(bytes, { parameters: 'all' });
    const values = Object.fromEntries(
      Object.entries(built.parameters).map(([parameter, { dims, values }]) => [
        parameter,
        { dims, data: values.slice() },
      ]),
    );
    const losses: number[] = [];
    for (let step = 0; step < 4; step++) {
      const found = await runOnnx(built.bytes, {
        input: input(golden.input!),
        [built.target]: input(golden.target!),
        ...values,
      });
      losses.push(found[built.loss]!.data[0]!);
      for (const [parameter, gradient] of Object.entries(built.gradients)) {
        const { data } = values[parameter]!;
        found[gradient]!.data.forEach((g, i) => (data[i]! -= 0.02 * g));
      }
    }
    expect(losses.toSorted((a, b) => b - a)).toEqual(losses);
    expect(losses[3]).toBeLessThan(losses[0]!);
  });
});
