import { tableFromIPC, type Table } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Batch, batches, type FitOptions, GsnnModel, MagnitudeEdgeInferer } from '../../../src/index.ts';
import { fixture } from '../../support/model-files.ts';
import { refusal } from '../../support/refusal.ts';

let model: GsnnModel;
let data: Batch[];
const samples = 107;

beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu'));
  data = [];
  const loader = batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 32 });
  for await (const batch of loader) data.push(batch);
  // A second fit with another loss starts at once.
  await model.trainingSession({ loss: 'l1' });
});
afterAll(() => model.release());

async function fitted(options: FitOptions = { loss: 'mse' }, given = data): Promise<MagnitudeEdgeInferer> {
  const inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  await inferer.fit(given, options);
  return inferer;
}

const corr = (table: Table): number[] => [...table.getChild('corr')!] as number[];

/** Scores of a fit that nothing overlaps. */
async function alone(options?: FitOptions, given?: Batch[]): Promise<number[]> {
  await using inferer = await fitted(options, given);
  return corr(await inferer.evaluate());
}

test('saved statistics name the loss that they are of, whatever is fitted meanwhile', async () => {
  await using inferer = await fitted();
  const expected = await inferer.saveStats();
  const saved = inferer.saveStats();
  const next = inferer.fit(data, { loss: 'l1' });
  expect(await saved).toEqual(expected);
  expect(tableFromIPC(await saved).schema.metadata.get('loss')).toBe('mse');
  await next;
  expect(tableFromIPC(await inferer.saveStats()).schema.metadata.get('loss')).toBe('l1');
});

test.each(['mergeStats', 'loadStats'] as const)(
  '%s keeps a fit out until it is through, and everything else that changes the statistics',
  async (call) => {
    await using inferer = await fitted();
    const bytes = await inferer.saveStats();
    const taken = inferer[call](bytes);
    const error = await refusal(inferer.fit(data));
    expect(error.code).toBe('busy');
    expect(error.message).toBe(`fit cannot run while ${call} is running on the same inferer.`);
    expect((await refusal(inferer.mergeStats(bytes))).code).toBe('busy');
    expect((await refusal(inferer.loadStats(bytes))).code).toBe('busy');
    expect(() => {
      inferer.resetStats();
    }).toThrow(/resetStats cannot run while/);
    await taken;
    const held = call === 'mergeStats' ? 2 * samples : samples;
    expect(inferer.samples).toBe(held);
    expect((await inferer.evaluate()).schema.metadata.get('n')).toBe(String(held));
    expect(await inferer.fit(data)).toBe(samples);
  },
);

test('the bytes of a file are read at once: they may be used for something else afterwards', async () => {
  await using inferer = await fitted();
  const bytes = await inferer.saveStats();
  const scored = inferer.scores();
  const merged = inferer.mergeStats(bytes);
  bytes.fill(0);
  await merged;
  (await scored).release();
  expect(inferer.samples).toBe(2 * samples);
});

test('scores are of the moment of the call: the samples that a reset, a fit or a load then forgets', async () => {
  const expected = await alone();
  await using inferer = await fitted();
  const saved = await inferer.saveStats();
  const change: (() => unknown)[] = [
    () => {
      inferer.resetStats();
      expect(inferer.samples).toBe(0);
    },
    () => inferer.fit(data.slice(1), { loss: 'l1' }),
    () => inferer.mergeStats(saved),
    () => inferer.loadStats(saved),
  ];
  for (const next of change) {
    await inferer.fit(data);
    const scored = inferer.evaluate();
    const handle = inferer.scores();
    const inBatches = inferer.evaluateBatches();
    const changed = next();
    const table = await scored;
    expect(corr(table)).toEqual(expected);
    expect(table.schema.metadata.get('loss')).toBe('mse');
    expect(table.schema.metadata.get('n')).toBe(String(samples));
    expect(corr(await (await handle).table())).toEqual(expected);
    (await handle).release();
    const found: number[] = [];
    for await (const batch of inBatches) found.push(...(batch.getChild('corr')!.toArray() as number[]));
    expect(found).toEqual(expected);
    await changed;
  }
  inferer.resetStats();
  expect((await refusal(inferer.evaluate())).code).toBe('too-few-samples');
  expect((await refusal(inferer.evaluateBatches().next())).code).toBe('too-few-samples');
});

test('options are of the moment of the call, too', async () => {
  await using inferer = await fitted();
  const options = { top: 3 };
  const scored = inferer.evaluate(options);
  options.top = 5;
  expect((await scored).numRows).toBe(3);
});

test('a release waits for all that was asked before it, and refuses what is asked after it', async () => {
  const expected = await alone();
  for (const before of ['fit', 'evaluate', 'saveStats'] as const) {
    const inferer = await fitted();
    const order: string[] = [];
    const asked = inferer[before](data as never).then((result) => {
      order.push(before);
      return result;
    });
    const released = inferer.release().then(() => order.push('release'));
    expect((await refusal(inferer.evaluate())).code).toBe('released');
    expect((await refusal(inferer.fit(data))).code).toBe('released');
    expect(() => {
      inferer.resetStats();
    }).toThrow(/released/);
    const result = await asked;
    await released;
    expect(order).toEqual([before, 'release']);
    if (before === 'fit') expect(result).toBe(samples);
    if (before === 'evaluate') expect(corr(result as Table)).toEqual(expected);
  }
});

test('a table in batches that nobody wants is let go; scores asked for next are right', async () => {
  await using inferer = await fitted();
  const unwanted = inferer.evaluateBatches();
  await unwanted.return();
  expect(await unwanted.next()).toEqual({ done: true, value: undefined });
  expect(corr(await inferer.evaluate())).toEqual(await alone());
});

test('a fit that is aborted before its first batch leaves the statistics as they were', async () => {
  await using inferer = await fitted();
  const controller = new AbortController();
  const reason = new Error('enough');
  const next = inferer.fit(data, { loss: 'huber', signal: controller.signal });
  controller.abort(reason);
  await expect(next).rejects.toBe(reason);
  expect(inferer.samples).toBe(samples);
  expect(corr(await inferer.evaluate())).toEqual(await alone());
});
