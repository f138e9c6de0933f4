import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { RecordBatchFileWriter, RecordBatchStreamWriter, tableFromArrays } from 'apache-arrow';
import { zipSync } from 'fflate';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryBudget } from '../../../src/columns/memory-budget.ts';
import { openArrowSamples } from '../../../src/data/arrow.ts';
import { type Batch, batches, type GsnnGraph } from '../../../src/index.ts';
import { openCsvSamples } from '../../../src/data/csv.ts';
import { openNpz } from '../../../src/data/npz.ts';
import { openParquetSamples } from '../../../src/data/parquet.ts';
import type { OpenFormat, OpenSamples, Reading } from '../../../src/data/reading.ts';
import { CountedSource } from '../../support/counted-source.ts';
import { refusal } from '../../support/refusal.ts';

const graph: GsnnGraph = {
  nodeNames: { input: ['in_0', 'in_1', 'in_2'], function: ['f'], output: ['out_0', 'out_1'] },
  edgeIndex: { 'input,function': [[], []], 'function,function': [[], []], 'function,output': [[], []] },
};
const model = { graph };
const columns = [...graph.nodeNames.input, ...graph.nodeNames.output];
/** Samples of a large file, and of a row group or record batch of it */
const ROWS = 40_000;
const GROUP = 1_000;
/** Every value of every sample is another one, and exact in float32. */
const value = (row: number, column: number): number => row * 8 + column;
const column = (c: number): Float32Array => Float32Array.from({ length: ROWS }, (_, row) => value(row, c));

function npy(width: number, first: number, fortran = false): Uint8Array {
  const order = fortran ? 'True' : 'False';
  const shape = `(${ROWS}, ${width})`;
  const header = `{'descr': '<f4', 'fortran_order': ${order}, 'shape': ${shape}, }`.padEnd(117) + '\n';
  const npy = new Uint8Array(128 + 4 * ROWS * width);
  npy.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]);
  npy.set(new TextEncoder().encode(header), 10);
  const values = Float32Array.from({ length: ROWS * width }, (_, at) =>
    fortran
      ? value(at % ROWS, first + Math.floor(at / ROWS))
      : value(Math.floor(at / width), first + (at % width)),
  );
  npy.set(new Uint8Array(values.buffer), 128);
  return npy;
}

function arrow(kind: 'file' | 'stream'): Uint8Array {
  const table = tableFromArrays(Object.fromEntries(columns.map((name, c) => [name, column(c)])));
  const writer = kind === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
  for (let start = 0; start < ROWS; start += GROUP)
    writer.write(table.slice(start, start + GROUP).batches[0]);
  writer.finish();
  return writer.toUint8Array(true);
}

function parquet(): Uint8Array {
  const columnData = columns.map((name, c) => ({ name, data: column(c), type: 'FLOAT' as const }));
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: GROUP }));
}

function csv(): Uint8Array {
  const lines = Array.from({ length: ROWS }, (_, row) => columns.map((_, c) => value(row, c)).join());
  return new TextEncoder().encode([columns.join(), ...lines, ''].join('\n'));
}

/** Budgets of this many bytes leave no room for a whole file: 40,000 samples are 800,000 bytes at least. */
const BUDGET = 200_000;

function readingWith(budget: number): Reading {
  return { graph, name: 'the file', budget: new MemoryBudget(budget), missingTargets: false };
}

/** Numbers of the samples that come from one on, after their values were looked at. */
async function checkFrom(opened: OpenSamples, first: number): Promise<{ samples: number; largest: number }> {
  let row = opened.rows === undefined ? 0 : first;
  let largest = 0;
  for await (const { x, y } of opened.blocks(row)) {
    largest = Math.max(largest, x.rows);
    for (let r = 0; r < x.rows; r++, row++) {
      for (const [c, found] of [
        ...x.values.subarray(3 * r, 3 * r + 3),
        ...y.values.subarray(2 * r, 2 * r + 2),
      ].entries())
        if (found !== value(row, c)) throw new Error(`row ${row}, column ${c} is ${found}`);
    }
  }
  return { samples: row, largest };
}

describe('no more of a file is held than some rows, and every byte is read once', () => {
  const files: Record<string, { make: () => Uint8Array; open: OpenFormat; largestRead: number }> = {
    'a stored archive': {
      make: () => zipSync({ 'x.npy': npy(3, 0), 'y.npy': npy(2, 3) }, { level: 0 }),
      open: openNpz,
      // A piece of a stored file is 4 MiB: larger than this one.
      largestRead: ROWS * 3 * 4 + 128,
    },
    'a stored archive, column by column': {
      make: () => zipSync({ 'x.npy': npy(3, 0, true), 'y.npy': npy(2, 3, true) }, { level: 0 }),
      open: openNpz,
      // Where the list of files is looked for: a comment of 65,535 bytes may follow it.
      largestRead: 22 + 65_535 + 20,
    },
    'a packed archive': {
      make: () => zipSync({ 'x.npy': npy(3, 0), 'y.npy': npy(2, 3) }),
      open: openNpz,
      largestRead: ROWS * 3 * 4,
    },
    'an Arrow file': { make: () => arrow('file'), open: openArrowSamples, largestRead: 1 << 15 },
    'an Arrow stream': { make: () => arrow('stream'), open: openArrowSamples, largestRead: 1 << 15 },
    'a Parquet file': { make: parquet, open: openParquetSamples, largestRead: 1 << 16 },
    text: { make: csv, open: openCsvSamples, largestRead: 1 << 20 },
    'compressed text': { make: () => gzipSync(csv()), open: openCsvSamples, largestRead: 1 << 16 },
  };

  test.each(Object.entries(files))('%s', async (kind, { make, open, largestRead }) => {
    const source = new CountedSource(make());
    const budget = kind.includes('text') ? 2 ** 20 : BUDGET;
    const opened = await open(source, readingWith(budget));
    const toOpen = source.total;
    const { samples, largest } = await checkFrom(opened, 0);
    expect(samples).toBe(ROWS);
    expect(source.largest).toBeLessThanOrEqual(largestRead);
    // Text comes in pieces of a mebibyte, whatever they hold.
    if (!kind.includes('text')) expect(20 * largest).toBeLessThanOrEqual(BUDGET);
    // Local headers, and the metadata of record batches, are read before what follows them is.
    expect(source.total - toOpen).toBeLessThanOrEqual(source.size + 1000);
    // What has been read before is passed over by its place where that is known.
    if (opened.rows === undefined) return;
    expect(opened.rows).toBe(ROWS);
    const before = source.total;
    expect((await checkFrom(opened, ROWS - 1500)).samples).toBe(ROWS);
    if (kind !== 'a packed archive') expect(source.total - before).toBeLessThan(source.size / 4);
  });

  test('rows that have no room are refused before they are read', async () => {
    const source = new CountedSource(parquet());
    const opened = await openParquetSamples(source, readingWith(GROUP * 5 * 4 - 1));
    const before = source.total;
    const error = await refusal(checkFrom(opened, 0));
    expect(error.message).toMatch(/1000 rows of 5 columns would take 20000 bytes .* budget is 19999/);
    expect(source.total).toBe(before);
  });
});

test.each(['zip64.npz', 'zip64-deflated.npz', 'zip64-unseekable.npz'])(
  '%s: 64-bit sizes and places, as Python writes them',
  async (file) => {
    const bytes = await readFile(new URL(`../../fixtures/data/${file}`, import.meta.url));
    let row = 0;
    for await (const { x, y } of batches(bytes, model, { batchSize: 1 })) {
      expect(x).toEqual(Float32Array.of(10 * row + 0.5, 10 * row + 1.5, 10 * row + 2.5));
      expect(y).toEqual(Float32Array.of(-10 * row, -10 * row - 1));
      row++;
    }
    expect(row).toBe(5);
  },
);

test('damage in the middle of an archive is told at the end of what it holds', async () => {
  const bytes = zipSync({ 'x.npy': npy(3, 0), 'y.npy': npy(2, 3) }, { level: 0 });
  bytes[1000]! ^= 1;
  const opened = await openNpz(new CountedSource(bytes), readingWith(BUDGET));
  const seen: number[] = [];
  const error = await refusal(
    (async () => {
      for await (const { x } of opened.blocks(0)) seen.push(x.rows);
    })(),
  );
  expect(error.message).toBe('the file is a damaged .npz archive: x.npy does not match its CRC-32.');
  expect(seen.length).toBeGreaterThan(10);
});

async function sizesAndFirsts(loader: AsyncIterable<Batch>): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for await (const { x, size } of loader) found.push([size, (x as Float32Array)[0]!]);
  return found;
}

/** What batches of all samples, one after the other, begin with. */
const expectedFrom = (batch: number, total: number, size = 128): [number, number][] =>
  Array.from({ length: Math.ceil(total / size) - batch }, (_, k) => {
    const first = (batch + k) * size;
    return [Math.min(size, total - first), first] as const;
  }).map(([count, first]) => [count, value(first % ROWS, 0)]);

describe('files and addresses', () => {
  let folder: string;
  let bytes: Uint8Array;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streaming-'));
    bytes = parquet();
    await writeFile(join(folder, 'd.parquet'), bytes);
    await writeFile(join(folder, 'd.csv'), csv());
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('several files one after the other, from any batch on, as one would be', async () => {
    const urls = ['d.parquet', 'd.csv', 'd.parquet'].map((file) => pathToFileURL(join(folder, file)));
    const loader = batches(urls, model, { batchSize: 128 });
    expect(loader.length).toBeUndefined();
    for (const batch of [0, 311, 313, 600, 937])
      expect(await sizesAndFirsts(loader.from(batch))).toEqual(expectedFrom(batch, 3 * ROWS));
    expect(loader.length).toBe(Math.ceil((3 * ROWS) / 128));
    const files = await loader.files();
    expect(files.map(({ name, size }) => [name, size])).toEqual(
      urls.map((url, k) => [url.href, k === 1 ? csv().length : bytes.length]),
    );
    expect(files.every(({ modified }) => Date.now() - modified! < 600_000)).toBe(true);
  });

  test('a File of a page', async () => {
    const file = new File([new Uint8Array(bytes)], 'd.parquet', { lastModified: 12345 });
    const loader = batches(file, model);
    expect(await sizesAndFirsts(loader)).toEqual(expectedFrom(0, ROWS));
    expect(await loader.files()).toEqual([{ name: 'd.parquet', size: bytes.length, modified: 12345 }]);
  });

  test('a file that becomes shorter while it is read', async () => {
    const path = join(folder, 'shrinks.parquet');
    await writeFile(path, bytes);
    const loader = batches(pathToFileURL(path), model, { name: 'shrinks.parquet' })[Symbol.asyncIterator]();
    await loader.next();
    await truncate(path, 20_000);
    const error = await refusal(
      (async () => {
        while (!(await loader.next()).done);
      })(),
    );
    expect(error.message).toBe(
      'shrinks.parquet could not be read: it became shorter while it was being read.',
    );
  });

  type Answer = (request: IncomingMessage, response: ServerResponse) => void;
  async function withServer<T>(
    answer: Answer,
    work: (url: string, asked: string[]) => Promise<T>,
  ): Promise<T> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.range ?? 'all');
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/d.parquet`, asked);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }
  const ranges =
    (etag: () => string): Answer =>
    (request, response) => {
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!.map(Number);
      const part = bytes.subarray(from, to! + 1);
      response.writeHead(206, {
        'content-range': `bytes ${from}-${from! + part.length - 1}/${bytes.length}`,
        etag: etag(),
      });
      response.end(part);
    };

  test('an address whose server answers ranges', async () => {
    await withServer(
      ranges(() => '"1"'),
      async (url, asked) => {
        const loader = batches(url, model);
        expect(await sizesAndFirsts(loader)).toEqual(expectedFrom(0, ROWS));
        const groups = ROWS / GROUP;
        // The beginning, the footer, and inputs and targets of each group.
        expect(asked.length).toBeLessThanOrEqual(2 * groups + 3);
        expect(asked).not.toContain('all');
      },
    );
  });

  test('an address whose server answers none is read as a whole, once, within the budget', async () => {
    const whole: Answer = (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.end(bytes);
    };
    await withServer(whole, async (url, asked) => {
      const loader = batches(url, model);
      expect(await sizesAndFirsts(loader)).toEqual(expectedFrom(0, ROWS));
      expect(await sizesAndFirsts(loader.from(300))).toEqual(expectedFrom(300, ROWS));
      expect(asked).toEqual(['bytes=0-65535', 'all']);
      const error = await refusal(sizesAndFirsts(batches(url, model, { memoryBudget: 100_000 })));
      expect(error.message).toMatch(/all of it, since it cannot be read in ranges, would take \d+ bytes/);
    });
  });

  test('a file at an address that changes, and one that is gone', async () => {
    let served = 0;
    await withServer(
      ranges(() => `"${served++ < 5 ? 1 : 2}"`),
      async (url) => {
        const error = await refusal(sizesAndFirsts(batches(url, model)));
        expect(error.message).toBe(`${url} could not be read: it changed while it was being read.`);
      },
    );
    const gone: Answer = (_, response) => {
      response.writeHead(404);
      response.end();
    };
    await withServer(gone, async (url) => {
      const error = await refusal(sizesAndFirsts(batches(url, model)));
      expect(error.message).toBe(`${url} could not be read: the server answered 404 Not Found.`);
    });
    // As servers of single-page applications and of notebooks answer.
    const page: Answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end('<!doctype html>');
    };
    await withServer(page, async (url) => {
      const error = await refusal(sizesAndFirsts(batches(url, model)));
      expect(error.message).toBe(`${url} could not be read: this address answered with an HTML page.`);
    });
  });
});
