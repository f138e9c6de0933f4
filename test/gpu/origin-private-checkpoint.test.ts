import { expect, test } from 'vitest';
import { batches, type Batch } from '../../src/data/batches.ts';
import { MagnitudeEdgeInferer } from '../../src/inferer/inferer.ts';
import { originPrivateCheckpoint } from '../../src/inferer/origin-private-checkpoint.ts';
import { GsnnModel } from '../../src/model/gsnn-model.ts';
import { encodeTable } from '../../src/table/formats.ts';

const fixture = '/test/fixtures/models/layer-elu';

class Closed extends Error {}

/** Batches until the page is closed. */
async function* until(loader: AsyncIterable<Batch>, count: number): AsyncGenerator<Batch> {
  for await (const batch of loader) {
    if (count-- === 0) throw new Closed();
    yield batch;
  }
}

test('a fit in a page goes on, to the bit, from what another page has left in the private file system', async () => {
  await using model = await GsnnModel.load(`${fixture}/model.onnx`, { executionProvider: 'wasm' });
  const file = new File([await (await fetch(`${fixture}/edges-data.npz`)).arrayBuffer()], 'd.npz');
  const data = () => batches(file, model, { batchSize: 16 });
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
