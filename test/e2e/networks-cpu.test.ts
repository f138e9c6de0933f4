import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeInferer } from 'magnitude-edge';
import { expectFigures, expectScores64, networkCases } from '../support/network-case.ts';

const hits = [1, 5, 20];

test.each(networkCases)(
  '$name: scores of the library on the CPU are those of float64, and find as much',
  async (network) => {
    await using model = await GsnnModel.load(new Uint8Array(readFileSync(network.model)));
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    await inferer.fit(batches(new Uint8Array(readFileSync(network.data)), model, { name: 'data.npz' }));
    for (const score of ['corr', 'regression', 'channel'] as const) {
      const table = await inferer.evaluate({ score, excludeSelf: false });
      if (score !== 'corr') expectScores64(network, score, table);
      const found = MagnitudeEdgeInferer.evaluateRecovery(table, network.positives, { hits, resamples: 0 });
      expectFigures(network, score, found);
    }
    const pooled = await inferer.evaluate({ score: 'channel', layerAgg: 'pooled' });
    const { figures } = MagnitudeEdgeInferer.evaluateRecovery(pooled, network.positives, { resamples: 0 });
    expect(figures.auc).toBeGreaterThan(0.7);
  },
  // A bound for what never ends.
  600_000,
);
