import { expect, test } from 'vitest';
import {
  type Batch,
  batches,
  encodeTable,
  GsnnModel,
  MagnitudeEdgeInferer,
  originPrivateCheckpoint,
} from '../../src/index.ts';
import { decodeStatistics } from '../../src/table/statistics-file.ts';

const fixture = '/test/fixtures/models/layer-elu';

class Closed extends Error {}

/** Batches until the page is closed. */
async function* until(loader: AsyncIterable<Batch>, count: number): AsyncGenerator<Batch> {
  for await (const batch of loader) {
    if (count-- === 0) throw new Closed();
    yield batch;
  }
}

/** The batches of the file, anew. */
async function dataOf(model: GsnnModel): Promise<() => AsyncIterable<Batch>> {
  const bytes = await (await fetch(`${fixture}/edges-data.npz`)).arrayBuffer();
  const file = new File([bytes], 'd.npz');
  return () => batches(file, model, { batchSize: 16 });
}

test('a fit in a page goes on, to the bit, from what another page has left in the private file system', async () => {
  await using model = await GsnnModel.load(`${fixture}/model.onnx`, { executionProvider: 'wasm' });
  const data = await dataOf(model);
  const sink = originPrivateCheckpoint('a fit.arrow');
  await sink.remove();
  expect(await sink.read()).toBeUndefined();
  const fit = async (loader: AsyncIterable<Batch>, resumed: number[] = []): Promise<string> => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    const onResume = (samples: number): void => void resumed.push(samples);
    await inferer.fit(loader, { checkpoint: { sink, seconds: 0, resume: true, onResume } });
    return new TextDecoder().decode(encodeTable(await inferer.evaluate(), 'csv'));
  };
  const whole = await fit(data());
  await sink.remove();
  await expect(fit(until(data(), 3))).rejects.toThrow(Closed);
  // Another handle: nothing of it is in memory.
  const there = await originPrivateCheckpoint('a fit.arrow').read();
  expect(there!.length).toBeGreaterThan(1000);
  await expect(fit(until(data(), 5))).rejects.toThrow(Closed);
  const resumed: number[] = [];
  expect(await fit(data(), resumed)).toBe(whole);
  expect(resumed).toEqual([5 * 16]);
  await sink.remove();
});

test('on WebGPU a fit goes on to the rounding of its sums, and from no checkpoint of the CPU', async () => {
  await using model = await GsnnModel.load(`${fixture}/model.onnx`, { executionProvider: 'webgpu' });
  const data = await dataOf(model);
  const sink = originPrivateCheckpoint('a fit on webgpu.arrow');
  await sink.remove();
  const fit = async (backend: 'cpu' | 'webgpu', loader: AsyncIterable<Batch>) => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend });
    await inferer.fit(loader, { checkpoint: { sink, seconds: 0, resume: true } });
    return decodeStatistics(await inferer.saveStats(), 'statistics').statistics;
  };
  await expect(fit('webgpu', until(data(), 3))).rejects.toThrow(Closed);
  await expect(fit('cpu', data())).rejects.toThrow(/backend webgpu, but this one has cpu/);
  const resumed = await fit('webgpu', data());
  await sink.remove();
  const whole = await fit('webgpu', data());
  await sink.remove();
  expect(resumed.samples).toBe(107);
  whole.pairs.forEach((pair, p) => {
    for (const [name, wanted] of Object.entries(pair) as [keyof typeof pair, Float64Array][]) {
      const found = resumed.pairs[p]![name]!;
      const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // Sums of the file are rounded to two float32, 48 bits, and so is each sum of a batch after them.
      wanted.forEach((value, k) => {
        expect(Math.abs(found[k]! - value)).toBeLessThanOrEqual(2 ** -46 * largest);
      });
    }
  });
});
