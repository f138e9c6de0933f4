import { tableFromIPC } from 'apache-arrow';
import { expect, onTestFinished, test } from 'vitest';
import { defaultParams } from '../../../demo/src/results/params.ts';
import type { NamedFile } from '../../../demo/src/state/inputs.ts';
import { FitSession } from '../../../demo/src/worker/fit-session.ts';
import type { ScoredTable } from '../../../demo/src/worker/protocol.ts';
import { exampleFile } from '../../support/example-data.ts';

const params = { ...defaultParams, backend: 'cpu' } as const;

async function namedFile(name: string): Promise<NamedFile> {
  const { buffer } = await exampleFile(name);
  return { name, digest: name, bytes: new Uint8Array(buffer), origin: 'disk' };
}

/** A session that has seen the bundled example. */
async function fitted(): Promise<FitSession> {
  const ignore = () => undefined;
  const session = new FitSession({
    download: ignore,
    progress: ignore,
    placement: ignore,
    checkpoint: ignore,
    repeat: ignore,
    resample: ignore,
  });
  await session.openModel(await namedFile('model.onnx'), params);
  await session.openData(await namedFile('data.npz'), params);
  await session.fit(params, 'start', 1);
  onTestFinished(() => session.release());
  return session;
}

const scoresIn = ({ bytes }: ScoredTable) => tableFromIPC(bytes).getChild('corr')!.toArray() as Float64Array;

test('scoring that is stopped, or asked for anew, rejects; samples and scores after it are the same', async () => {
  const session = await fitted();
  const partial = { ...params, score: 'partial' } as const;
  const stopped = session.evaluate(partial);
  session.stopScoring();
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
  const superseded = session.evaluate(partial);
  const latest = session.evaluate(partial);
  await expect(superseded).rejects.toMatchObject({ name: 'AbortError' });
  const found = scoresIn(await latest);
  expect(found).toEqual(scoresIn(await (await fitted()).evaluate(partial)));
  // A stop when nothing is under way reaches nothing that comes later.
  session.stopScoring();
  expect(scoresIn(await session.evaluate(partial))).toEqual(found);
});

test('an opening that is stopped leaves the files that were open; scores say which those are', async () => {
  const session = await fitted();
  const before = await session.evaluate(params);
  expect(before.provenance).toMatchObject({
    run: 1,
    model: { name: 'model.onnx', digest: 'model.onnx' },
    data: { name: 'data.npz', samples: 2000 },
    samples: 2000,
    params: { score: 'corr' },
    resampled: false,
  });
  const model = { ...(await namedFile('model.onnx')), digest: 'another' };
  const data = { ...(await namedFile('data.npz')), digest: 'another' };
  const openings = [session.openModel(model, params), session.openData(data, params)];
  session.stop();
  for (const result of await Promise.allSettled(openings))
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
  await session.rest();
  const after = await session.evaluate({ ...params, score: 'partial' });
  expect(after.provenance).toMatchObject({ model: { digest: 'model.onnx' }, params: { score: 'partial' } });
  expect(scoresIn(await session.evaluate(params))).toEqual(scoresIn(before));

  // Data that were opened since are not what the statistics are of.
  await session.openData(data, params);
  expect((await session.evaluate(params)).provenance.data.digest).toBe('data.npz');
  const { source } = await session.fit(params, 'start', 2);
  expect(source).toMatchObject({ run: 2, data: { digest: 'another' } });
});
