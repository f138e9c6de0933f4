import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LossName } from '../../../src/index.ts';
import { buildTrainingGraph, type TrainingGraphOptions } from '../../../src/training-graph.ts';
import { npzArrays } from '../../support/npz-arrays.ts';
import { relativeError, runOnnx, type RunInput } from '../../support/run-onnx.ts';
import { onnxFile } from '../../support/single-op.ts';

const golden = npzArrays(readFileSync(new URL('../../fixtures/losses/losses.npz', import.meta.url)));
const file = onnxFile({
  inputs: { x: ['batch', 4] },
  nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  outputs: ['y'],
});
const x = { dims: [6, 4], data: golden.prediction!.data };
const names: LossName[] = ['mse', 'l1', 'huber', 'bce-with-logits', 'cross-entropy'];

/** Float32 against torch in float64, one operation deep. */
const TOLERANCE = 2e-6;

async function compare(key: string, options: TrainingGraphOptions, target: RunInput): Promise<void> {
  const built = buildTrainingGraph(file, { wrt: ['x'], ...options });
  const found = await runOnnx(built.bytes, { x, [built.target]: target });
  expect(relativeError(found[built.loss]!.data, golden[`loss:${key}`]!.data)).toBeLessThan(TOLERANCE);
  expect(relativeError(found[built.gradients.x!]!.data, golden[`grad:${key}`]!.data)).toBeLessThan(TOLERANCE);
}

describe.each(names)('%s is torch’s', (loss) => {
  const probabilities = loss === 'cross-entropy' || loss === 'bce-with-logits';
  const target = golden[probabilities ? 'probabilities' : 'values']!.data;

  test.each(['mean', 'sum'] as const)('reduced by %s', async (lossReduction) => {
    const options = { loss, lossReduction };
    await compare(`${loss}:${lossReduction}`, options, { dims: [6, 4], data: target });
    const outputWeights = [...golden.weights!.data];
    await compare(
      `${loss}:${lossReduction}:weights`,
      { ...options, outputWeights },
      { dims: [6, 4], data: target },
    );
  });

  test.each(['mean', 'sum'] as const)('with missing targets, reduced by %s', async (lossReduction) => {
    const missing = (i: number): boolean =>
      loss === 'cross-entropy' ? golden.missing_rows!.data[i >> 2] === 1 : golden.missing!.data[i] === 1;
    const data = target.map((value, i) => (missing(i) ? NaN : value));
    const options = { loss, lossReduction, maskMissingTargets: true };
    await compare(`${loss}:${lossReduction}:missing`, options, { dims: [6, 4], data });
  });

  test('without any target it is 0, and so are the gradients', async () => {
    const built = buildTrainingGraph(file, { wrt: ['x'], loss, maskMissingTargets: true });
    const found = await runOnnx(built.bytes, {
      x,
      [built.target]: { dims: [6, 4], data: target.map(() => NaN) },
    });
    expect([...found[built.loss]!.data].map(Math.abs)).toEqual([0]);
    expect([...found[built.gradients.x!]!.data].map(Math.abs)).toEqual(Array(24).fill(0));
  });
});

test('cross-entropy with class indices', async () => {
  const target: RunInput = { dims: [6], data: golden.labels!.data, type: 'int64' };
  for (const lossReduction of ['mean', 'sum'] as const) {
    const options = { loss: 'cross-entropy', targetKind: 'class-index', lossReduction } as const;
    await compare(`cross-entropy:${lossReduction}:labels`, options, target);
  }
});

describe('cross-entropy with class indices that are no class', () => {
  const labels = [...golden.labels!.data];
  const run = async (data: number[], options: TrainingGraphOptions) => {
    const built = buildTrainingGraph(file, {
      ...options,
      wrt: ['x'],
      loss: 'cross-entropy',
      targetKind: 'class-index',
    });
    const found = await runOnnx(built.bytes, { x, [built.target]: { dims: [6], data, type: 'int64' } });
    return { loss: found[built.loss]!.data[0]!, gradient: [...found[built.gradients.x!]!.data] };
  };

  // Ignoring samples is taking the mean over the others: held to the loss of those alone, weighted back to a sum.
  test.each([-100, 3])('samples of index %i do not count', async (ignoreIndex) => {
    const data = labels.map((label, i) => (i % 2 === 0 ? ignoreIndex : label));
    const kept = data.filter((label) => label !== ignoreIndex).length;
    const [mean, sum] = [
      await run(data, { ignoreIndex }),
      await run(data, { ignoreIndex, lossReduction: 'sum' }),
    ];
    expect(mean.loss * kept).toBeCloseTo(sum.loss, 5);
    const all = await run(labels, { lossReduction: 'sum' });
    const rows = data.flatMap((label) => Array<boolean>(4).fill(label !== ignoreIndex));
    sum.gradient.forEach((value, i) => {
      expect(value).toBeCloseTo(rows[i] ? all.gradient[i]! : 0, 6);
    });
  });

  test('without any sample that counts loss and gradients are 0', async () => {
    const { loss, gradient } = await run(Array<number>(6).fill(-100), {});
    expect([Math.abs(loss), ...gradient.map(Math.abs)]).toEqual(Array(25).fill(0));
  });

  test.each([-1, 4])('index %i shows as NaN', async (index) => {
    expect((await run(labels.with(2, index), {})).loss).toBeNaN();
  });
});
