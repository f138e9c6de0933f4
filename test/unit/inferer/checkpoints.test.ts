import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Batch,
  batches,
  type Batches,
  type CheckpointSink,
  encodeTable,
  type FitOptions,
  GsnnModel,
  type InfererOptions,
  MagnitudeEdgeInferer,
} from '../../../src/index.ts';
import { decodeStatistics } from '../../../src/table/statistics-file.ts';
import { fixture } from '../../support/model-files.ts';
import { normalNumbers } from '../../support/random-numbers.ts';
import { refusal } from '../../support/refusal.ts';

const SAMPLES = 700;
const BATCH = 32;

let model: GsnnModel;
let folder: string;
let csv: string;
beforeAll(async () => {
  model = await GsnnModel.load(fixture('layer-elu', 'model.onnx'));
  folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  const normal = normalNumbers(5);
  const { input, output } = model.graph.nodeNames;
  const names = [...input.map((name) => `x:${name}`), ...output.map((name) => `y:${name}`)];
  const rows = Array.from({ length: SAMPLES }, () => names.map(() => normal().toFixed(5)).join());
  csv = [names.join(), ...rows, ''].join('\n');
  await writeFile(join(folder, 'd.csv'), csv);
});
afterAll(async () => {
  await model.release();
  await rm(folder, { recursive: true });
});

const data = (file = 'd.csv', batchSize = BATCH): Batches =>
  batches(pathToFileURL(join(folder, file)), model, { batchSize, name: file });

/** A sink in memory. */
class Memory implements CheckpointSink {
  bytes: Uint8Array | undefined;
  writes = 0;

  read(): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.bytes);
  }

  write(bytes: Uint8Array): Promise<void> {
    this.bytes = bytes;
    this.writes++;
    return Promise.resolve();
  }
}

class Killed extends Error {}

/** A sink for a process that ends during a write: before the bytes are in their place, or after it. */
class Killing extends Memory {
  #left: number;
  readonly #after: boolean;

  constructor(writes: number, after: boolean) {
    super();
    this.#left = writes;
    this.#after = after;
  }

  override async write(bytes: Uint8Array): Promise<void> {
    this.#left--;
    if (this.#left < 0 && !this.#after) throw new Killed();
    await super.write(bytes);
    if (this.#left < 0) throw new Killed();
  }
}

/** What can be asked of a fit: numbers as text have all of their digits. */
async function answers(inferer: MagnitudeEdgeInferer, uncertainty: boolean): Promise<unknown[]> {
  const stats = await inferer.saveStats();
  const tables = [
    await inferer.evaluate({ score: 'corr' }),
    await inferer.evaluate({ score: 'partial', uncertainty: false }),
    await inferer.evaluate({ score: 'channel', uncertainty: false }),
  ];
  const { statistics } = decodeStatistics(stats);
  expect(tables[0]!.schema.metadata.has('groups')).toBe(uncertainty);
  return [statistics, ...tables.map((table) => new TextDecoder().decode(encodeTable(table, 'csv')))];
}

async function fit(
  sink: CheckpointSink | undefined,
  options: InfererOptions,
  loader: Iterable<Batch> | AsyncIterable<Batch> = data(),
  settings: FitOptions = {},
): Promise<unknown[]> {
  await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu', ...options });
  const checkpoint = sink && { sink, seconds: 0, resume: true };
  expect(await inferer.fit(loader, { ...settings, checkpoint })).toBe(SAMPLES);
  return await answers(inferer, options.uncertainty !== undefined);
}

const kinds: [string, InfererOptions][] = [
  ['sums', {}],
  ['channel values as rows', { channels: true }],
  // 24 nodes of channels: rows become sums after some batches.
  ['channel values as sums', { channels: { maxBytes: 600_000 } }],
  ['rows for errors and shuffles', { uncertainty: { groups: 5, permutations: 3 } }],
  ['errors of many samples', { uncertainty: { groups: 3 } }],
];

describe('a fit that is killed again and again gives what one without a break gives, to the bit', () => {
  test.each(kinds)('%s', async (_, options) => {
    const whole = await fit(undefined, options);
    const all = Math.ceil(SAMPLES / BATCH);
    // After each batch there is a write; a kill before it does the batch again, a kill after it does not.
    for (const writes of [0, 1, 2, 7, 13, all - 1, all]) {
      const sink = new Killing(writes, writes % 2 === 1);
      await expect(fit(sink, options)).rejects.toThrow(Killed);
      const held = sink.bytes && decodeStatistics(sink.bytes).statistics.samples;
      const done = writes % 2 === 1 ? writes + 1 : writes;
      expect(held).toBe(done === 0 ? undefined : Math.min(done * BATCH, SAMPLES));
      const next = new Killing(3, false);
      next.bytes = sink.bytes;
      if (writes < all - 3) await expect(fit(next, options)).rejects.toThrow(Killed);
      const last = new Memory();
      last.bytes = next.bytes;
      expect(await fit(last, options)).toEqual(whole);
      // Once more from the end: nothing is added.
      expect(await fit(last, options)).toEqual(whole);
    }
  });

  test('batches of the loss in parts, killed within one, or several at once', async () => {
    const path = pathToFileURL(join(folder, 'd.csv'));
    for (const sizes of [{ batchSize: 30 }, { batchSize: 200 }]) {
      const regrouped = () => batches(path, model, { ...sizes, lossBatchSize: 100 });
      const whole = await fit(undefined, {}, regrouped());
      const sink = new Killing(2, false);
      await expect(fit(sink, {}, regrouped())).rejects.toThrow(Killed);
      const other = Object.assign(new Memory(), { bytes: sink.bytes });
      const error = await refusal(fit(other, {}, data('d.csv', 100)));
      expect(error.message).toBe(
        `The checkpoint is of a fit with batches of ${sizes.batchSize === 30 ? 25 : 200} (loss over 100), but this one has 100.`,
      );
      // The second time the batches are gone through from the first one, and their samples looked at.
      const list: Batch[] = [];
      for await (const batch of regrouped()) list.push(batch);
      for (const loader of [regrouped(), list]) {
        const resumed = Object.assign(new Memory(), { bytes: sink.bytes });
        expect(await fit(resumed, {}, loader)).toEqual(whole);
      }
    }
  });

  test('a loader that cannot be gone to any batch is gone through, and its samples are looked at', async () => {
    const all: Batch[] = [];
    for await (const batch of data()) all.push(batch);
    const whole = await fit(undefined, {}, all);
    const sink = new Killing(9, false);
    await expect(fit(sink, {}, all)).rejects.toThrow(Killed);
    const resumed = new Memory();
    resumed.bytes = sink.bytes;
    expect(await fit(resumed, {}, all)).toEqual(whole);
    const other = all.map((batch, k) => {
      if (k !== 4) return batch;
      const x = Float32Array.from(batch.x as Float32Array);
      x[7]! += 1;
      return { ...batch, x };
    });
    for (const changed of [other, all.slice(0, 8), [...all.slice(1), all[0]!]]) {
      const again = new Memory();
      again.bytes = sink.bytes;
      const error = await refusal(fit(again, {}, changed));
      expect([error.code, error.message]).toEqual([
        'invalid-data',
        'The data have changed since the checkpoint was written: the first 9 batches no longer hold the same samples.',
      ]);
    }
  });
});

describe('what a checkpoint does not go with', () => {
  let bytes: Uint8Array;
  beforeAll(async () => {
    const sink = new Killing(5, false);
    await expect(fit(sink, {})).rejects.toThrow(Killed);
    bytes = sink.bytes!;
  });
  const from = (held: Uint8Array): Memory => Object.assign(new Memory(), { bytes: held });

  test('files that were touched are read again; other samples, or another size, are refused', async () => {
    const whole = await fit(undefined, {});
    const later = new Date(Date.now() + 5000);
    await utimes(join(folder, 'd.csv'), later, later);
    expect(await fit(from(bytes), {})).toEqual(whole);
    await writeFile(join(folder, 'd.csv'), csv.replace(/\n(-?)\d/, '\n$19'));
    const changed = await refusal(fit(from(bytes), {}));
    expect(changed.message).toMatch(
      /^The data have changed .* the first 5 batches no longer hold the same samples/,
    );
    await writeFile(join(folder, 'd.csv'), `${csv}\n`);
    const longer = await refusal(fit(from(bytes), {}));
    expect(longer.message).toMatch(/d\.csv had \d+ bytes, but d\.csv has \d+\.$/);
    await writeFile(join(folder, 'd.csv'), csv);
    const two = batches(
      [data, data].map(() => pathToFileURL(join(folder, 'd.csv'))),
      model,
      {
        batchSize: BATCH,
      },
    );
    expect((await refusal(fit(from(bytes), {}, two))).message).toMatch(
      /1 files were read, but now there are 2/,
    );
  });

  test.each<[string, InfererOptions, FitOptions, RegExp]>([
    ['another loss', {}, { loss: 'l1' }, /has loss mse where l1 was expected/],
    ['another reduction', { reduction: 'l2' }, {}, /has reduction l1 where l2 was expected/],
    ['uncertainty', { uncertainty: true }, {}, /with uncertainty none, but this one has \{/],
    ['other channels', { channels: false }, {}, /with channels \{.*\}, but this one has none/],
    ['missing targets', {}, { maskMissingTargets: true }, /with missing targets refused, .* left out/],
  ])('%s', async (_, options, settings, message) => {
    const error = await refusal(fit(from(bytes), options, data(), settings));
    expect(error.message).toMatch(message);
  });

  test('batches of another size', async () => {
    const error = await refusal(fit(from(bytes), {}, data('d.csv', 16)));
    expect(error.message).toBe('The checkpoint is of a fit with batches of 32, but this one has 16.');
  });

  test('a model of the same graph with other weights', async () => {
    const other = Uint8Array.from(fixture('layer-elu', 'model.onnx'));
    // The last bytes of the file are of a weight or of metadata: a copy with one weight changed.
    const { modelWithOtherWeights } = await import('../../support/other-weights.ts');
    const changed = await GsnnModel.load(modelWithOtherWeights(other));
    await using inferer = await MagnitudeEdgeInferer.create(changed, { backend: 'cpu' });
    const error = await refusal(inferer.fit(data(), { checkpoint: { sink: from(bytes), resume: true } }));
    expect([error.code, error.message]).toEqual([
      'graph-mismatch',
      'The checkpoint is of another model: the graph is the same, but the weights differ.',
    ]);
    await changed.release();
  });

  test('damaged bytes, statistics without a fit, another version', async () => {
    for (const at of [0.3, 0.6, 0.9].map((part) => Math.floor(part * bytes.length))) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x40;
      const error = await refusal(fit(from(damaged), {}));
      expect(error.code).toBe('invalid-data');
    }
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    await inferer.fit(data());
    const plain = await refusal(fit(from(await inferer.saveStats()), {}));
    expect(plain.message).toBe('The checkpoint is a statistics file, not a checkpoint.');
    const goesOn = inferer.fit(data(), { reset: false, checkpoint: { sink: new Memory() } });
    expect((await refusal(goesOn)).message).toMatch(/with reset: false cannot write checkpoints/);
    const seconds = inferer.fit(data(), { checkpoint: { sink: new Memory(), seconds: -1 } });
    expect((await refusal(seconds)).message).toMatch(/seconds must be a number of at least 0 and is -1/);
  });

  test('a checkpoint is a statistics file: it is loaded and merged as one', async () => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    await inferer.loadStats(bytes);
    expect(inferer.samples).toBe(5 * BATCH);
  });

  test('without resume it is written over; seconds say how often', async () => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    const sink = from(bytes);
    const resumed: number[] = [];
    const note = (samples: number): void => void resumed.push(samples);
    expect(await inferer.fit(data(), { checkpoint: { sink, onResume: note } })).toBe(SAMPLES);
    // The fit took less than a minute: one at its end.
    expect([sink.writes, resumed]).toEqual([1, []]);
    const progress: number[] = [];
    await inferer.fit(data(), {
      checkpoint: { sink: from(bytes), resume: true, onResume: note },
      onProgress: ({ batch, samples }) => progress.push(batch, samples),
    });
    expect(resumed).toEqual([5 * BATCH]);
    expect(progress.slice(0, 2)).toEqual([6, 6 * BATCH]);
  });
});
