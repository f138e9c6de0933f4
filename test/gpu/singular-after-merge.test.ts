import { expect } from 'vitest';
import { createCpuEngine, createWebGpuEngine } from '../../src/statistics.ts';
import file from '../fixtures/engines/singular-after-merge.json' with { type: 'json' };
import { engineCase } from '../support/engine-case.ts';
import { test } from '../support/gpu.ts';

test('a set that only the ridge keeps regular is singular after a merge as well: its column is NaN', async ({
  gpu,
}) => {
  const given = engineCase(file);
  const { shape, request } = given;
  const { nodes, samples, accumulatedFirst, target } = file;
  const other = createCpuEngine(shape, { workers: 0 });
  await other.accumulateMagnitudes(given.batch(accumulatedFirst, samples));
  const statistics = await other.statistics();
  for (const merges of [true, false]) {
    const engine = await createWebGpuEngine({ device: gpu.device, shape });
    await engine.accumulateMagnitudes(given.batch(0, merges ? accumulatedFirst : samples));
    if (merges) await engine.merge(statistics);
    const { perPair } = await engine.score(request);
    const column = Array.from({ length: nodes }, (_, source) => perPair[0]![source * nodes + target]!);
    expect(column).toEqual(new Array<number>(nodes).fill(NaN));
    await engine.release();
  }
  await other.release();
});
