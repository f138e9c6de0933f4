import { tableFromIPC } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeInferer } from '../../src/index.ts';
import { expectGoldenEdges, goldenBatches, goldenModels, type GoldenEdges } from '../support/edge-goldens.ts';

const fixtures = '/test/fixtures/models';

async function goldensOf(name: string): Promise<GoldenEdges[]> {
  return (await (await fetch(`${fixtures}/${name}/edges.json`)).json()) as GoldenEdges[];
}

async function readTable(name: string, file: string): Promise<ReturnType<typeof tableFromIPC>> {
  return tableFromIPC(new Uint8Array(await (await fetch(`${fixtures}/${name}/${file}`)).arrayBuffer()));
}

describe('model and statistics on WebGPU, edge tables against the float64 oracle', () => {
  for (const name of goldenModels) {
    test(name, async () => {
      await using model = await GsnnModel.load(`${fixtures}/${name}/model.onnx`, {
        executionProvider: 'webgpu',
      });
      expect(model.diagnostics.executionProvider).toBe('webgpu');
      // One fit for each way of taking magnitudes; the scores are all from its sums.
      const ways = new Map<string, GoldenEdges[]>();
      for (const golden of await goldensOf(name)) {
        const { reduction, usePreNorm, loss } = golden;
        const way = JSON.stringify({ reduction, usePreNorm, loss });
        ways.set(way, [...(ways.get(way) ?? []), golden]);
      }
      for (const goldens of ways.values()) {
        const { reduction, usePreNorm, loss, n } = goldens[0]!;
        await using inferer = await MagnitudeEdgeInferer.create(model, {
          reduction,
          usePreNorm,
          backend: 'webgpu',
        });
        expect(inferer.diagnostics.backend).toBe('webgpu');
        const loader = batches(`${fixtures}/${name}/edges-data.npz`, model, goldenBatches);
        expect(await inferer.fit(loader, { loss })).toBe(n);
        for (const { file, score, layerAgg, ridge, excludeSelf } of goldens) {
          const table = await inferer.evaluate({ score, layerAgg, ridge, excludeSelf });
          expectGoldenEdges(table, await readTable(name, file));
        }
      }
    });
  }
});
