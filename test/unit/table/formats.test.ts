import { Dictionary, Int32, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { encodeRowGroup } from '../../../src/columns/parquet-writer.ts';
import {
  decodeTable,
  encodeBatches,
  encodeTable,
  evaluateTargetRanking,
  tableFormat,
  type TableFormat,
  type TextOptions,
} from '../../../src/index.ts';
import {
  arrowFilePieces,
  encodeBatchesWith,
  onThisThread,
  type RowGroupEncoder,
} from '../../../src/table/encode-batches.ts';
import { encodeFrame } from '../../../src/cli/serve/frames.ts';
import { parsedFrames } from '../../support/parsed-frames.ts';
import { column, tinyBatches, tinyTable } from './tiny.ts';

const formats: readonly TableFormat[] = ['arrow', 'csv', 'tsv', 'parquet'];

/** -0 is written as 0 in CSV, and is the same number. */
const sameZero = (value: unknown): unknown => (value === 0 ? 0 : value);

test.each(formats)('an edge table comes back from %s as it was', async (format) => {
  const table = await tinyTable('partial');
  const back = await decodeTable(encodeTable(table, format), format, 'edges');
  expect(back.schema.fields.map(({ name }) => name)).toEqual(table.schema.fields.map(({ name }) => name));
  for (const { name } of table.schema.fields) {
    expect(column(back, name).map(sameZero), name).toEqual(column(table, name).map(sameZero));
  }
  if (format !== 'csv' && format !== 'tsv') expect(back.schema.metadata).toEqual(table.schema.metadata);
});

test.each(formats)('a table written to %s batch by batch comes back, an empty one too', async (format) => {
  for (const options of [{ rowsPerBatch: 5 }, { rowsPerBatch: 5, top: 0 }]) {
    const table = await tinyTable('partial', options);
    const pieces: Uint8Array[] = [];
    const batches = await tinyBatches('partial', options);
    for await (const piece of encodeBatches(asynchronously(batches), format)) pieces.push(piece);
    const back = await decodeTable(Buffer.concat(pieces), format, 'edges');
    expect(back.numRows).toBe(table.numRows);
    if (format !== 'csv' && format !== 'tsv') expect(back.schema.metadata).toEqual(table.schema.metadata);
    for (const { name } of table.schema.fields) {
      expect(column(back, name).map(sameZero), name).toEqual(column(table, name).map(sameZero));
    }
  }
});

test('row groups that are encoded elsewhere, late and out of turn, make the same file', async () => {
  const batches = await tinyBatches('partial', { rowsPerBatch: 3 });
  expect(batches.length).toBeGreaterThan(3);
  const written = async (rowGroups: RowGroupEncoder): Promise<Buffer> => {
    const pieces: Uint8Array[] = [];
    const encoded = encodeBatchesWith(rowGroups, asynchronously(batches), 'parquet');
    for await (const piece of encoded) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  let asked = 0;
  const late: RowGroupEncoder = {
    maxInFlight: 3,
    encode: async (fields, group) => {
      // The first ones take the longest.
      await new Promise((resolve) => setTimeout(resolve, 20 - 5 * asked++));
      return encodeRowGroup(fields, group);
    },
  };
  expect(Buffer.compare(await written(late), await written(onThisThread))).toBe(0);
  const failing = { maxInFlight: 1, encode: () => Promise.reject(new Error('no room')) };
  await expect(written(failing)).rejects.toThrow('no room');
});

test('a table in pieces is its Arrow file, and one part of a frame', async () => {
  for (const options of [{}, { top: 0 }]) {
    const table = await tinyTable('partial', options);
    const pieces = arrowFilePieces(table);
    expect(pieces.length).toBeGreaterThan(1);
    const frame = Buffer.concat(
      encodeFrame({ header: { id: 7 }, parts: [pieces, Uint8Array.of(1, 2), new Uint8Array()] }),
    );
    // Two frames, of which some bytes come at a time: fewer than a length, and more than a frame.
    for (const step of [1, 3, 1000, 2 ** 20]) {
      const frames = parsedFrames(Buffer.concat([frame, frame]), step);
      expect(frames).toHaveLength(2);
      for (const { header, parts } of frames) {
        expect(header.id).toBe(7);
        expect(Buffer.from(parts[0]!)).toEqual(Buffer.from(encodeTable(table, 'arrow')));
        expect([...parts[1]!]).toEqual([1, 2]);
        expect(parts[2]).toHaveLength(0);
      }
    }
    expect(() => parsedFrames(frame.subarray(0, -1), 1000)).toThrow(
      'are not a frame: the stream ended within it',
    );
  }
});

async function* asynchronously<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

test.each(formats)('a ranking comes back from %s, its null rank too', async (format) => {
  const { detail } = evaluateTargetRanking(await tinyTable(), [
    ['a', 'c'],
    ['c', 'a'],
  ]);
  const back = await decodeTable(encodeTable(detail, format), format, 'ranks');
  expect(column(back, 'rank')).toEqual([2, null]);
  for (const { name } of detail.schema.fields) expect(column(back, name), name).toEqual(column(detail, name));
});

test('CSV text: quoted names, empty cells for NaN', async () => {
  const lines = new TextDecoder().decode(
    encodeTable(await tinyTable('corr', { candidatesOnly: true }), 'csv'),
  );
  expect(
    lines.startsWith(
      'src_func,dst_func,src_idx,dst_idx,corr,has_edge,corr_a0_g1,corr_a1_g2,p_value,q_value\n',
    ),
  ).toBe(true);
  expect(lines).toContain('"b, ""quoted""",a,1,0,0.5,false,0.5,0.5,');
  expect(lines.trimEnd().endsWith('c,a,2,0,,false,,,1,1')).toBe(true);
});

test('what cannot be read is refused by name', async () => {
  const bytes = new TextEncoder().encode('src_func,dst_func,corr\na,b,0.5\nc,d,strong\n');
  const refused = expect.objectContaining({ code: 'invalid-data' }) as Error;
  await expect(decodeTable(bytes, 'csv', 'edges.csv')).rejects.toThrow(
    "edges.csv, line 3, column 'corr' is 'strong'",
  );
  await expect(decodeTable(bytes, 'arrow', 'edges.arrow')).rejects.toThrow(refused);
  await expect(decodeTable(bytes, 'parquet', 'edges.parquet')).rejects.toThrow(refused);
  const ragged = new TextEncoder().encode('src_func,corr\na\n');
  await expect(decodeTable(ragged, 'csv', 'edges.csv')).rejects.toThrow(
    'line 2: 1 cell, but the header has 2',
  );
});

test('a file name says its format', () => {
  expect(formats.map((format) => tableFormat(`some.dir/edges.${format.toUpperCase()}`))).toEqual(formats);
  expect(tableFormat('edges.csv.gz')).toBe('csv');
  expect(() => tableFormat('edges.parquet.gz')).toThrow(/must end in/);
  expect(() => tableFormat('edges.xlsx')).toThrow(
    /must end in \.arrow, \.feather, \.csv, \.tsv or \.parquet/,
  );
});

describe('text of other makers', () => {
  const read = (text: string, name = 'edges.csv'): Promise<Table> =>
    decodeTable(new TextEncoder().encode(text), 'csv', name);

  test('NA and blank cells are missing, never 0; text in columns that nobody knows is text', async () => {
    const table = await read(
      'src_func,dst_func,src_idx,corr,has_edge,weight,note\nNA,b,0,NA,True,,x\nc,"NA",NA, ,FALSE,2,3\nd,e,2,-0,,n/a,\n\n',
    );
    expect(Object.fromEntries(table.schema.fields.map(({ name }) => [name, column(table, name)]))).toEqual({
      src_func: ['NA', 'c', 'd'],
      dst_func: ['b', 'NA', 'e'],
      src_idx: [0, null, 2],
      corr: [NaN, NaN, -0],
      has_edge: [true, false, null],
      weight: [NaN, 2, NaN],
      note: ['x', '3', ''],
    });
    expect(() => evaluateTargetRanking(table, [['c', 'NA']], { scoreCol: 'note' })).toThrow(
      /holds no numbers in its column 'note' \(row 1 is 'x'\)/,
    );
  });

  test('decimal commas between semicolons, numbers of tabs', async () => {
    for (const text of ['src_func;dst_func;corr\na;b;0,25\n', 'src_func\tdst_func\tcorr\r\na\tb\t0.25\r\n'])
      expect(column(await read(text), 'corr')).toEqual([0.25]);
  });

  test.each([
    ['src_func,corr,corr\na,1,2\n', /more than one column 'corr'/],
    ['src_func,src_idx\na,1.5\n', /line 2, column 'src_idx' is '1\.5', not a whole number/],
    ['src_func,src_idx\na,4294967296\n', /not a whole number/],
    ['src_func,has_edge\na,maybe\n', /column 'has_edge' is 'maybe', not true or false/],
    ['', /edges\.csv is empty/],
  ])('refused: %j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});

test('text for spreadsheets: names that would be formulas stand behind an apostrophe, numbers as they are', () => {
  const names = ['=1+1', '+x', '-y', '@z', '\tt', 'a=b', "'q"];
  const table = new Table({ src_func: vectorFromArray(names), corr: vectorFromArray(names.map(() => -0.5)) });
  const text = (options: TextOptions): string => new TextDecoder().decode(encodeTable(table, 'csv', options));
  expect(text({}).split('\n').slice(1, 3)).toEqual(['=1+1,-0.5', '+x,-0.5']);
  expect(text({ spreadsheetSafe: true })).toBe(
    `src_func,corr\n${["'=1+1", "'+x", "'-y", "'@z", "'\tt", 'a=b', "'q"].map((name) => `${name},-0.5\n`).join('')}`,
  );
});

// An Arrow file has one dictionary a column, by its format.
test.each(['csv', 'tsv', 'parquet'] as const)(
  'names of batches with dictionaries of their own are written to %s as they are',
  async (format) => {
    const names = [
      ['a', 'b'],
      ['c', 'a', 'd'],
    ];
    const batches = names.map(
      (words) => new Table({ name: vectorFromArray(words, new Dictionary(new Utf8(), new Int32())) }),
    );
    const table = batches[0]!.concat(batches[1]!);
    const back = await decodeTable(encodeTable(table, format), format, 'names');
    expect(column(back, 'name')).toEqual(names.flat());
  },
);
