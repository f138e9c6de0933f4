import type { Table } from 'apache-arrow';
import { expect, test } from 'vitest';
import { batches, GsnnModel, MagnitudeEdgeError, MagnitudeEdgeInferer } from '../../src/index.ts';
import { createWebGpuEngine } from '../../src/statistics.ts';
import { acquireDevice, adoptDevice, releaseDevice } from '../../src/gpu/device.ts';
import { channelBatch, magnitudeBatch, request, shape } from '../support/cpu-workers-case.ts';
import { loseAfter } from '../support/losing-device.ts';
import { refusal } from '../support/refusal.ts';

/** VITE_FORCED_LOSSES=400 loses so many devices; the points are spread over all calls. */
const losses = Number(import.meta.env.VITE_FORCED_LOSSES ?? 8);

/** Milliseconds: a bound for what never ends, however many losses there are. */
const LIMIT = 75_000 * losses;

/** Points among so many calls, the first and the last with them. */
function points(calls: number): number[] {
  const count = Math.min(losses, calls);
  return [
    ...new Set(Array.from({ length: count }, (_, k) => 1 + Math.round((k * (calls - 1)) / (count - 1)))),
  ];
}

/** All that an engine does, on one device; the device is lost after so many calls. */
async function workEngine(calls: number): Promise<{ readonly calls: number; readonly error?: unknown }> {
  const context = await acquireDevice();
  const made = loseAfter(context.device, calls);
  try {
    const engine = await createWebGpuEngine({ device: context.device, shape });
    try {
      await engine.accumulate(channelBatch(40, 1));
      await engine.accumulateMagnitudes(magnitudeBatch(30, 2));
      const scores = await engine.scores(request);
      await scores.matrices();
      scores.release();
      const statistics = await engine.statistics();
      await engine.merge(statistics);
      await engine.accumulateMagnitudes(magnitudeBatch(30, 3));
      await engine.flush();
      await engine.score({ ...request, score: 'corr' });
    } finally {
      await engine.release();
    }
    return { calls: made() };
  } catch (error) {
    return { calls: made(), error };
  } finally {
    releaseDevice(context);
  }
}

test(
  'an engine whose device is lost says device-lost, wherever in its work that is',
  async () => {
    const { calls, error } = await workEngine(Infinity);
    expect(error).toBeUndefined();
    expect(calls).toBeGreaterThan(50);
    for (const point of points(calls)) {
      const { error } = await workEngine(point);
      // A loss in the very last calls may come too late to be noticed.
      if (error === undefined && point > calls - 5) continue;
      expectLost(error, `lost after call ${point} of ${calls}`);
    }
  },
  LIMIT,
);

function expectLost(error: unknown, when: string): void {
  expect(error, when).toBeInstanceOf(MagnitudeEdgeError);
  const { code, message } = error as MagnitudeEdgeError;
  expect(code, `${when}: ${message}`).toBe('device-lost');
}

const folder = '/test/fixtures/models/layer-elu';
const scoresOf = (table: Table): number[] =>
  [...(table.getChild('corr') ?? table.getChild('score'))!] as number[];

test(
  'the next fit starts again on another device, model and statistics; it gives what the one before did',
  async () => {
    await using model = await GsnnModel.load(`${folder}/model.onnx`, { executionProvider: 'webgpu' });
    const uncertainty = { groups: 3 };
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'webgpu', uncertainty });
    const data = batches(`${folder}/edges-data.npz`, model, { batchSize: 32 });
    const work = async (): Promise<number[]> => {
      await inferer.fit(data);
      const tables = [
        await inferer.evaluate({ score: 'partial' }),
        await inferer.evaluate({ score: 'channel' }),
      ];
      return tables.flatMap(scoresOf);
    };
    const expected = await work();
    const first = model.device!;
    const made = loseAfter(first, Infinity);
    expect(await work()).toEqual(expected);
    const calls = made();
    // Each loss takes the runtime a session, so that there are fewer of them.
    for (const point of points(calls).filter((_, k) => k % 4 === 0)) {
      const device = model.device!;
      loseAfter(device, point);
      try {
        await work();
      } catch (error) {
        expectLost(error, `lost after call ${point} of ${calls}`);
      }
      device.destroy();
      await device.lost;
      // Where it went before the first batch, there is nothing to score besides.
      const { code } = await refusal(inferer.evaluate({ score: 'corr' }));
      expect(['device-lost', 'too-few-samples']).toContain(code);
      expect(await work()).toEqual(expected);
      expect(model.device).not.toBe(device);
    }
  },
  LIMIT,
);

test("a device of the caller's that is lost stays lost: the fit after it says so", async () => {
  const context = await acquireDevice();
  const { device } = context;
  await using model = await GsnnModel.load(`${folder}/model.onnx`, { executionProvider: 'webgpu', device });
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'webgpu' });
  const data = batches(`${folder}/edges-data.npz`, model, { batchSize: 32 });
  await inferer.fit(data);
  releaseDevice(context);
  expect((await refusal(inferer.fit(data))).code).toBe('device-lost');
  expect((await refusal(inferer.fit(data))).code).toBe('device-lost');
});

test('a device that is adopted twice is listened to once', async () => {
  const context = await acquireDevice();
  const { device } = context;
  let asked = 0;
  const { lost } = device;
  Object.defineProperty(device, 'lost', {
    get: () => {
      asked++;
      return lost;
    },
  });
  const adopted = [adoptDevice(device), adoptDevice(device), adoptDevice(device)];
  expect(asked).toBe(0);
  releaseDevice(context);
  await lost;
  await Promise.resolve();
  for (const { lostReason } of adopted) expect(lostReason).toBe(context.lostReason);
  expect(context.lostReason).toMatch(/^destroyed/);
});
