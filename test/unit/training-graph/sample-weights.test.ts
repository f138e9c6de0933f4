import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LossName } from '../../../src/index.ts';
import { buildTrainingGraph, type TrainingGraphOptions } from '../../../src/training-graph.ts';
import { npzArrays } from '../../support/npz-arrays.ts';
import { ndArray } from '../../support/onnx-evaluator/array.ts';
import { evaluate } from '../../support/onnx-evaluator/evaluate.ts';
import { relativeError, runOnnx } from '../../support/run-onnx.ts';
import { attribute, onnxFile } from '../../support/single-op.ts';

const golden = npzArrays(readFileSync(new URL('../../fixtures/losses/losses.npz', import.meta.url)));
const file = onnxFile({
  inputs: { x: ['batch', 4] },
  nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  outputs: ['y'],
});
const x = golden.prediction!.data;
const [ROWS, OUTPUTS] = [6, 4];
const weights = [0.5, 2, 0, 1, -3, 0.1].map(Math.fround);
const names: LossName[] = ['mse', 'l1', 'huber', 'bce-with-logits', 'cross-entropy'];

const targetOf = (loss: LossName): ArrayLike<number> =>
  golden[loss === 'cross-entropy' || loss === 'bce-with-logits' ? 'probabilities' : 'values']!.data;

/** Loss and gradient in float64. */
function inFloat64(options: TrainingGraphOptions, target: ArrayLike<number>, rows = [...weights.keys()]) {
  const built = buildTrainingGraph(file, { wrt: ['x'], ...options });
  const cut = (values: ArrayLike<number>) => {
    const width = values.length / ROWS;
    const kept = rows.flatMap((row) => Array.from(values).slice(row * width, (row + 1) * width));
    return ndArray(width === 1 ? [rows.length] : [rows.length, width], kept);
  };
  const found = evaluate(built.model, {
    x: cut(x),
    [built.target]: cut(target),
    ...(built.sampleWeights === undefined
      ? {}
      : {
          [built.sampleWeights]: ndArray(
            [rows.length, 1],
            rows.map((row) => weights[row]!),
          ),
        }),
  });
  return { built, loss: found.get(built.loss)!.data[0]!, gradient: found.get(built.gradients.x!)!.data };
}

describe.each(names)('%s', (loss) => {
  test.each([
    ['sum', false],
    ['mean', false],
    ['sum', true],
    ['mean', true],
  ] as const)(
    '%s, missing targets %s: the weighted sum of the losses of single samples',
    async (lossReduction, masks) => {
      const isMissing = (i: number): boolean =>
        masks && (loss === 'cross-entropy' ? Math.trunc(i / OUTPUTS) === 2 : i % 5 === 1);
      const target = Array.from(targetOf(loss), (value, i) => (isMissing(i) ? NaN : value));
      const elements = loss === 'cross-entropy' ? ROWS : ROWS * OUTPUTS;
      const missing = loss === 'cross-entropy' ? 1 : target.filter((_, i) => isMissing(i)).length;
      const count = lossReduction === 'sum' ? 1 : elements - (masks ? missing : 0);
      const settings = {
        loss,
        maskMissingTargets: masks,
        outputWeights: [...golden.weights!.data],
      } satisfies TrainingGraphOptions;
      const single = weights.map((_, row) => inFloat64({ ...settings, lossReduction: 'sum' }, target, [row]));
      const expectedLoss = single.reduce((sum, { loss }, row) => sum + (loss * weights[row]!) / count, 0);
      const expected = single.flatMap(({ gradient }, row) =>
        Array.from(gradient, (value) => (value * weights[row]!) / count),
      );

      const options = { ...settings, lossReduction, sampleWeights: true };
      const found = inFloat64(options, target);
      expect(found.loss).toBeCloseTo(expectedLoss, 12);
      // Constants of the graph, the number of elements among them, are float32.
      expect(relativeError(found.gradient, expected)).toBeLessThan(1e-7);

      const { built } = found;
      const run = await runOnnx(built.bytes, {
        x: { dims: [ROWS, OUTPUTS], data: x },
        [built.target]: { dims: [ROWS, OUTPUTS], data: target },
        [built.sampleWeights!]: { dims: [ROWS, 1], data: weights },
      });
      expect(relativeError(run[built.gradients.x!]!.data, expected)).toBeLessThan(2e-6);
    },
  );
});

test('the gradients of torch, times the weights', async () => {
  for (const loss of names) {
    const { built } = inFloat64({ loss, lossReduction: 'sum', sampleWeights: true }, targetOf(loss));
    const run = await runOnnx(built.bytes, {
      x: { dims: [ROWS, OUTPUTS], data: x },
      [built.target]: { dims: [ROWS, OUTPUTS], data: targetOf(loss) },
      [built.sampleWeights!]: { dims: [ROWS, 1], data: weights },
    });
    const expected = golden[`grad:${loss}:sum`]!.data.map(
      (value, i) => value * weights[Math.trunc(i / OUTPUTS)]!,
    );
    expect(relativeError(run[built.gradients.x!]!.data, expected), loss).toBeLessThan(2e-6);
  }
});

test('class indices', async () => {
  const options = { loss: 'cross-entropy', targetKind: 'class-index', lossReduction: 'mean' } as const;
  const built = buildTrainingGraph(file, { wrt: ['x'], ...options, sampleWeights: true });
  const run = await runOnnx(built.bytes, {
    x: { dims: [ROWS, OUTPUTS], data: x },
    [built.target]: { dims: [ROWS], data: golden.labels!.data, type: 'int64' },
    [built.sampleWeights!]: { dims: [ROWS, 1], data: weights },
  });
  const expected = golden['grad:cross-entropy:mean:labels']!.data.map(
    (value, i) => value * weights[Math.trunc(i / OUTPUTS)]!,
  );
  expect(relativeError(run[built.gradients.x!]!.data, expected)).toBeLessThan(2e-6);
});

test('the input comes after the target, has the samples’ axis, and exists only on request', () => {
  const built = buildTrainingGraph(file, { wrt: ['x'], sampleWeights: true });
  expect(built.inputs).toEqual(['x', 'target', 'sample_weights']);
  expect(built.model.graph.inputs[2]!.type.shape).toEqual(['batch', 1]);
  const plain = buildTrainingGraph(file, { wrt: ['x'] });
  expect([plain.sampleWeights, plain.inputs]).toEqual([undefined, ['x', 'target']]);
  const off = buildTrainingGraph(file, { wrt: ['x'], sampleWeights: false });
  expect(off.bytes).toEqual(plain.bytes);
});

test('a custom loss weighs its samples itself; a scalar has no samples', () => {
  const loss: TrainingGraphOptions['loss'] = (graph, prediction) => graph.reduceSum(prediction);
  expect(() => buildTrainingGraph(file, { loss, sampleWeights: true })).toThrow(
    'Sample weights apply only to the built-in losses; a custom loss adds its own.',
  );
  const total = onnxFile({
    inputs: { x: ['batch', 4] },
    nodes: [{ op: 'ReduceSum', inputs: ['x'], outputs: ['y'], attributes: { keepdims: attribute.int(0) } }],
    outputs: ['y'],
  });
  expect(() => buildTrainingGraph(total, { sampleWeights: true })).toThrow("'y' is a scalar");
});
