import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Batch, GsnnModel, type LossSettings, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { expectClose, pairCorrelation, valuesOf } from '../../support/golden-batches.ts';
import { fixture } from '../../support/model-files.ts';
import { npzArrays } from '../../support/npz-arrays.ts';
import { refusal } from '../../support/refusal.ts';

const goldens = npzArrays(readFileSync(new URL('../../fixtures/loss-options/goldens.npz', import.meta.url)));
const float32 = (name: string): Float32Array => Float32Array.from(goldens[name]!.data);
const [x, y, missing] = [float32('x'), float32('y'), float32('missing')];
const outputWeights = Array.from(goldens.weights!.data);
const complete: Batch = { x, y, size: 9 };
const incomplete: Batch = { x, y: missing, size: 9 };

let model: GsnnModel;
beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu'));
});
afterAll(() => model.release());

const settings: Record<string, LossSettings> = {
  sum: { lossReduction: 'sum' },
  weights: { outputWeights },
  missing: { maskMissingTargets: true },
  'missing-sum-weights': { maskMissingTargets: true, lossReduction: 'sum', outputWeights },
};

describe.each(['mse', 'l1', 'huber', 'bce-with-logits'] as const)('%s', (loss) => {
  test.each(Object.keys(settings))('%s: torch’s gradients', async (name) => {
    const session = await model.trainingSession({ loss, ...settings[name] });
    const targets = name.startsWith('missing') ? missing : y;
    const { gradients } = await valuesOf(session, { x, y: targets, size: 9 });
    gradients.forEach((values, pair) => {
      expectClose(values, goldens[`${loss}/${name}/grad_pre_${pair + 1}`]!.data, `pair ${pair}`);
    });
  });
});

test('settings of the load are those of its sessions; a fit overrides them one by one', async () => {
  await using loaded = await GsnnModel.load(fixture('layer-elu'), {
    loss: 'huber',
    lossReduction: 'sum',
    outputWeights,
    maskMissingTargets: true,
  });
  expect([loaded.loss, loaded.lossReduction, loaded.outputWeights, loaded.maskMissingTargets]).toEqual([
    'huber',
    'sum',
    outputWeights,
    true,
  ]);
  const given = await valuesOf(await loaded.trainingSession(), { x, y: missing, size: 9 });
  expectClose(given.gradients[0]!, goldens['huber/missing-sum-weights/grad_pre_1']!.data, 'as loaded');
  const session = await loaded.trainingSession({ loss: 'l1' });
  const { gradients } = await valuesOf(session, { x, y: missing, size: 9 });
  expectClose(gradients[0]!, goldens['l1/missing-sum-weights/grad_pre_1']!.data, 'another loss');
});

describe('fit', () => {
  const create = (): Promise<MagnitudeEdgeInferer> => MagnitudeEdgeInferer.create(model, { backend: 'cpu' });

  test('a NaN target is refused, and the sentence names the way out', async () => {
    await using inferer = await create();
    const error = await refusal(inferer.fit([complete, incomplete]));
    expect(error.code).toBe('non-finite');
    expect(error.message).toBe(
      "Batch 1 holds NaN for output node 'out_1' in sample 0: every value must be finite (maskMissingTargets: true leaves missing targets out of the loss); the statistics of earlier batches are unchanged.",
    );
    expect(inferer.samples).toBe(9);
  });

  test('missing targets are left out, and gradients are those of the rest', async () => {
    await using inferer = await create();
    expect(await inferer.fit([incomplete], { maskMissingTargets: true })).toBe(9);
    // From torch's values alone: activations do not depend on the loss, gradients are those of the known targets.
    const plain = npzArrays(fixture('layer-elu', 'golden.npz'));
    const activations = [0, 1].map((block) => plain[`pre_${block}`]!.data);
    const gradients = [1, 2].map((block) => goldens[`mse/missing/grad_pre_${block}`]!.data);
    const rows = (await inferer.evaluate()).toArray() as { src_idx: number; dst_idx: number; corr: number }[];
    for (const { src_idx, dst_idx, corr } of rows) {
      const expected = pairCorrelation(activations, gradients, model.channelGroups, src_idx, dst_idx);
      // Float32 values are 1e-5 of the largest off, magnitudes of some nodes 1e-4 of their size.
      if (Number.isNaN(expected)) expect(corr).toBeNaN();
      else expect(corr).toBeCloseTo(expected, 4);
    }
    // A batch without any target has gradients of zero: no variance, no score.
    const none = { ...complete, y: new Float32Array(27).fill(NaN) };
    expect(await inferer.fit([none], { maskMissingTargets: true })).toBe(9);
    expect([...(await inferer.evaluate()).getChild('corr')!].every(Number.isNaN)).toBe(true);
  });

  test.each([
    [
      'an infinite target',
      { y: Float32Array.from(y).fill(Infinity, 4, 5) },
      "output node 'out_1' in sample 1",
    ],
    ['a NaN input', { x: Float32Array.from(x).fill(NaN, 5, 6) }, "input node 'in_1' in sample 1"],
  ])('%s is refused all the same', async (_, changed, place) => {
    await using inferer = await create();
    const error = await refusal(inferer.fit([{ ...complete, ...changed }], { maskMissingTargets: true }));
    expect(error.code).toBe('non-finite');
    expect(error.message).toContain(place);
    expect(error.message).not.toContain('maskMissingTargets');
  });

  test('provenance tells the loss with its reduction and weights; other statistics do not go with it', async () => {
    await using inferer = await create();
    await inferer.fit([complete], { loss: 'l1', lossReduction: 'sum', outputWeights: [2, 0.5, 0] });
    expect((await inferer.evaluate()).schema.metadata.get('loss')).toBe('l1 (sum, output weights 2 0.5 0)');
    const error = await refusal(inferer.fit([complete], { loss: 'l1', reset: false }));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toMatch(/of the loss l1 \(sum, .*\), but l1 was asked for/);
    const saved = await inferer.saveStats();
    await using other = await create();
    await other.fit([complete], { loss: 'l1' });
    expect((await refusal(other.mergeStats(saved))).code).toBe('graph-mismatch');
  });

  test.each([
    [{ outputWeights: [1, 2] }, /2 output weights were given, but there are 3 outputs/],
    [{ outputWeights: [1, NaN, 1] }, /not a finite number/],
    [{ lossReduction: 'median' }, /'median' is neither 'mean' nor 'sum'/],
    [{ loss: () => 'yhat', maskMissingTargets: true }, /masks apply only to the built-in losses/],
  ])('%o', async (options, sentence) => {
    await using inferer = await create();
    const error = await refusal(inferer.fit([complete], options as object));
    expect(error.code).toBe('invalid-argument');
    expect(error.message).toMatch(sentence);
  });
});
