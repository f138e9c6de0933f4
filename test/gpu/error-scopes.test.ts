import { expect } from 'vitest';
import { conditioningSets, createCpuEngine, createWebGpuEngine } from '../../src/statistics.ts';
import { test } from '../support/gpu.ts';
import { factorBatch } from '../support/score-twins.ts';

test('every buffer is made inside an error scope, so that memory that is missing is told by the call that needs it', async ({
  gpu,
}) => {
  const { device } = gpu;
  const outside: string[] = [];
  let depth = 0;
  const real = {
    push: device.pushErrorScope.bind(device),
    pop: device.popErrorScope.bind(device),
    create: device.createBuffer.bind(device),
  };
  device.pushErrorScope = (filter) => {
    depth++;
    real.push(filter);
  };
  device.popErrorScope = () => {
    depth--;
    return real.pop();
  };
  device.createBuffer = (descriptor) => {
    if (depth === 0) outside.push(descriptor.label ?? 'without a label');
    return real.create(descriptor);
  };
  try {
    const nodes = 20;
    const shape = { nodes, pairs: 1, reduction: 'l1' } as const;
    const other = createCpuEngine(shape, { workers: 0 });
    await other.accumulateMagnitudes(factorBatch(3, 40, nodes));
    for (const precision of ['fast', 'exact'] as const) {
      const engine = await createWebGpuEngine({ device, shape, precision });
      await engine.accumulateMagnitudes(factorBatch(1, 64, nodes));
      await engine.flush();
      const sets = conditioningSets(
        [
          [0, 0, 1, 5, 2],
          [3, 4, 3, 3, 4],
        ],
        nodes,
      );
      for (const score of ['corr', 'partial'] as const) {
        const request = { score, layerAgg: 'mean', ridge: 1e-8, conditioningSets: sets } as const;
        const scores = await engine.scores(request);
        await scores.matrices();
        scores.release();
      }
      await engine.statistics();
      await engine.merge(await other.statistics());
      await engine.score({ score: 'partial', layerAgg: 'max', ridge: 1e-8, conditioningSets: sets });
      await engine.release();
    }
  } finally {
    device.pushErrorScope = real.push;
    device.popErrorScope = real.pop;
    device.createBuffer = real.create;
  }
  expect([...new Set(outside)]).toEqual([]);
});
