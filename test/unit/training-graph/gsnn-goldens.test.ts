import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildTrainingGraph, decodeModel } from '../../../src/training-graph.ts';
import { npzArrays, type NpyArray } from '../../support/npz-arrays.ts';
import { openOnnx, relativeError, type RunInput } from '../../support/run-onnx.ts';

const folder = new URL('../../fixtures/models/', import.meta.url);

interface Profile {
  readonly preNorm: readonly string[];
  readonly activation: readonly string[];
  readonly stopGradient: readonly string[];
  readonly output: string;
}

/** The goldens are torch's float64 gradients; the bound is what float32 has to hold on every variant. */
const TOLERANCE = 1e-5;

function rows({ shape, data }: NpyArray, from: number, count: number): RunInput {
  const width = data.length / shape[0]!;
  return { dims: [count, ...shape.slice(1)], data: data.subarray(from * width, (from + count) * width) };
}

/** A joint export computes its gradients itself. */
const variants = readdirSync(folder).filter((name) => !name.endsWith('-joint'));

describe.each(variants)('GSNN variant %s', (name) => {
  const bytes = readFileSync(new URL(`${name}/model.onnx`, folder));
  const golden = npzArrays(readFileSync(new URL(`${name.replace(/-torchscript$/, '')}/golden.npz`, folder)));
  const profile = JSON.parse(decodeModel(bytes).metadata.get('gsnn')!) as Profile;

  test.each(['mse', 'l1'] as const)('gradients of %s are torch autograd’s', async (loss) => {
    const built = buildTrainingGraph(bytes, {
      loss,
      wrt: [...profile.preNorm, ...profile.activation],
      outputs: [profile.output, ...profile.preNorm, ...profile.activation],
      stopGradient: profile.stopGradient,
      prediction: profile.output,
    });
    // Sparse layers are gathers and products, whatever the model wrote them as, and no size is read from the host.
    expect(built.model.graph.nodes.filter(({ opType }) => /^(Scatter|Size$)/.test(opType))).toEqual([]);
    const session = await openOnnx(built.bytes);
    const prefix = loss === 'mse' ? '' : 'l1_';
    let from = 0;
    for (const [batch, size] of golden.batch_sizes!.data.entries()) {
      const found = await session.run({
        x: rows(golden.x!, from, size),
        [built.target]: rows(golden.y!, from, size),
        ...(golden.edge_mask
          ? { edge_mask: { dims: golden.edge_mask.shape, data: golden.edge_mask.data } }
          : {}),
      });
      const compare = (output: string, expected: ArrayLike<number>): void => {
        expect(relativeError(found[output]!.data, expected), `${output}, batch ${batch}`).toBeLessThan(
          TOLERANCE,
        );
      };
      compare(built.loss, [golden[`loss_${loss}`]!.data[batch]!]);
      compare(profile.output, rows(golden.yhat!, from, size).data);
      profile.preNorm.forEach((value, l) => {
        compare(value, rows(golden[`pre_${l}`]!, from, size).data);
        compare(built.gradients[value]!, rows(golden[`${prefix}grad_pre_${l}`]!, from, size).data);
      });
      profile.activation.forEach((value, l) => {
        compare(value, rows(golden[`post_${l}`]!, from, size).data);
        compare(built.gradients[value]!, rows(golden[`${prefix}grad_post_${l}`]!, from, size).data);
      });
      from += size;
    }
    await session.release();
  });
});
