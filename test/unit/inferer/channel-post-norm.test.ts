import { expect, test } from 'vitest';
import { GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { scoreSavedChannels } from '../../../src/statistics.ts';
import { decodeStatistics } from '../../../src/table/statistics-file.ts';
import { errorOfTable, goldenChannels, goldenChannelScores } from '../../support/golden-channels.ts';
import { fixture } from '../../support/model-files.ts';
import { npzArrays } from '../../support/npz-arrays.ts';
import { refusal } from '../../support/refusal.ts';

// One of each norm that leaves magnitudes after it.
test.each(['batch-relu', 'groupbatch-tanh-unshared', 'none-elu-no-bias-no-residual'])(
  '%s: channel scores of values after the norm are those of torch in float64',
  async (name) => {
    await using model = await GsnnModel.load(fixture(name));
    const nodes = model.graph.nodeNames.function.length;
    const { batches, pairs } = goldenChannels(npzArrays(fixture(name, 'golden.npz')), 'post');
    const before = goldenChannels(npzArrays(fixture(name, 'golden.npz')), 'pre').pairs;
    const options = { usePreNorm: false, backend: 'cpu', uncertainty: { groups: 3 } } as const;
    await using inferer = await MagnitudeEdgeInferer.create(model, options);
    await inferer.fit(batches);
    for (const layerAgg of ['mean', 'max', 'pooled'] as const) {
      const asked = { score: 'channel', layerAgg, excludeSelf: false } as const;
      const table = await inferer.evaluate(asked);
      const right = goldenChannelScores(pairs, model.channelGroups, layerAgg);
      // The model's own float32 is in it.
      expect(errorOfTable(table, right, nodes), layerAgg).toBeLessThan(1e-4);
      const others = goldenChannelScores(before, model.channelGroups, layerAgg);
      expect(errorOfTable(table, others, nodes), layerAgg).toBeGreaterThan(1e-2);
      expect(table.schema.metadata.get('usePreNorm')).toBe('false');
      expect(table.getChild('score_se')!.nullCount).toBeLessThan(table.numRows);
    }
    // From a file, and joined with samples of the other kind never.
    const bytes = await inferer.saveStats({ channels: true });
    const saved = decodeStatistics(bytes);
    expect(saved.origin.usePreNorm).toBe(false);
    const scores = await scoreSavedChannels(saved.channels!, { layerAgg: 'mean', lambda: 3 });
    const right = goldenChannelScores(pairs, model.channelGroups, 'mean');
    const found = await scores.aggregate();
    const largest = Math.max(...right.filter((score) => !Number.isNaN(score)));
    right.forEach((score, at) => {
      if (Number.isNaN(score)) expect(found[at]).toBeNaN();
      else expect(Math.abs(found[at]! - score) / largest).toBeLessThan(1e-4);
    });
    await using other = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    expect((await refusal(other.loadStats(bytes))).message).toContain('usePreNorm');
    const selected = await inferer.select({ score: 'channel', steps: 2 });
    const best = await inferer.evaluate({ score: 'channel', candidatesOnly: true, top: 1 });
    expect(selected.getChild('src_func')!.get(0)).toBe(best.getChild('src_func')!.get(0));
    expect(selected.schema.metadata.get('usePreNorm')).toBe('false');
  },
);

test.each(['layer-elu', 'rms-silu', 'softmax-elu-after'])(
  '%s: values after a norm that erases magnitudes are refused, for channel scores, too',
  async (name) => {
    await using model = await GsnnModel.load(fixture(name));
    const refused = await refusal(MagnitudeEdgeInferer.create(model, { usePreNorm: false, backend: 'cpu' }));
    expect(refused.code).toBe('unsupported-model');
    expect(refused.message).toContain('usePreNorm');
  },
);
