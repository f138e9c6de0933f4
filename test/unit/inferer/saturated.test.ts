import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { buildTrainingGraph, decodeModel } from '../../../src/training-graph.ts';
import { npzArrays } from '../../support/npz-arrays.ts';
import { runOnnx } from '../../support/run-onnx.ts';

const folder = new URL('../../fixtures/saturated/', import.meta.url);
const pairs = ['corr_a0_g1', 'corr_a1_g2', 'corr_a2_g3'] as const;

/** Scores by edge and pair of layers in float64; NaN where there is none. */
function rightScores(file: string): Map<string, number> {
  const [, ...lines] = readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n');
  return new Map(
    lines.flatMap((line) => {
      const [source, target, ...scores] = line.split(',');
      return pairs.map((pair, i) => [
        `${source} -> ${target}, ${pair}`,
        scores[i] === '' ? NaN : Number(scores[i]),
      ]);
    }),
  );
}

test.each([
  // A node whose ELU is saturated: slopes formed as y + 1 were off by 5e-5 here.
  ['elu', 'sum', 'elu-sum.csv'],
  // Gates that are all but closed: with the runtime's Sigmoid scores were off by 3e-5, in torch's float32 by 1e-5.
  ['attention', 'mean', 'attention-mean.csv'],
] as const)('scores of a saturated network, %s, %s loss', async (name, lossReduction, file) => {
  await using model = await GsnnModel.load(new URL(`${name}.onnx`, folder), { lossReduction });
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await inferer.fit(batches(new URL('data.npz', folder), model, { batchSize: 128 }));
  // The right scores have none below this variance.
  const table = await inferer.evaluate({ varianceFloor: 1e-12 });
  const found = new Map<string, unknown>(
    table.toArray().flatMap((row) => {
      const { src_func, dst_func, ...scores } = row as Record<string, unknown>;
      return pairs.map(
        (pair) => [`${String(src_func)} -> ${String(dst_func)}, ${pair}`, scores[pair]] as const,
      );
    }),
  );
  let worst = 0;
  for (const [key, score] of rightScores(file)) {
    const other = found.get(key);
    if (Number.isNaN(score)) expect(other, key).toSatisfy((value) => value === null || Number.isNaN(value));
    else worst = Math.max(worst, Math.abs(Number(other) - score));
  }
  // Float32 leaves 1e-7 to 3e-7 in correlations of 500 samples.
  expect(worst).toBeLessThan(6e-7);
});

test('gradients through a closed gate', async () => {
  const bytes = readFileSync(new URL('attention.onnx', folder));
  const profile = JSON.parse(decodeModel(bytes).metadata.get('gsnn')!) as {
    output: string;
    preNorm: string[];
    stopGradient: string[];
    channelGroups: number[];
    nodeNames: { function: string[] };
  };
  const built = buildTrainingGraph(bytes, {
    prediction: profile.output,
    wrt: profile.preNorm,
    stopGradient: profile.stopGradient,
  });
  const { x, y } = npzArrays(readFileSync(new URL('data.npz', folder)));
  const node = profile.nodeNames.function.indexOf('func20');
  const largest = profile.preNorm.map(() => 0);
  for (let from = 0; from < 500; from += 128) {
    const size = Math.min(128, 500 - from);
    const rows = ({ data }: { data: Float64Array }) => ({
      dims: [size, 8],
      data: data.subarray(from * 8, (from + size) * 8),
    });
    const found = await runOnnx(built.bytes, { [built.inputs[0]!]: rows(x!), [built.target]: rows(y!) });
    profile.preNorm.forEach((value, block) => {
      const { data } = found[built.gradients[value]!]!;
      const channels = profile.channelGroups.length;
      for (let sample = 0; sample < size; sample++) {
        let sum = 0;
        profile.channelGroups.forEach((group, channel) => {
          if (group === node) sum += Math.abs(data[sample * channels + channel]!);
        });
        largest[block] = Math.max(largest[block]!, sum);
      }
    });
  }
  // Largest sum over the node's channels, of all samples; in float64.
  const right = [0.00011983650100990637, 7.093728304113211e-12, 1.5347840797798438e-12, 0.02836591483962747];
  right.forEach((value, block) => {
    expect(Math.abs(largest[block]! / value - 1)).toBeLessThan(1e-5);
  });
});
