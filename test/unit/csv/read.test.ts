import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { CsvNumbers, isMissing } from '../../../src/csv/numbers.ts';
import { mayBeCsv, openCsv } from '../../../src/csv/read.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function read(bytes: Uint8Array | string, name = 'f.csv', columns: readonly string[] = []) {
  const file = openCsv(typeof bytes === 'string' ? utf8(bytes) : bytes, name, (cell) =>
    columns.includes(cell),
  );
  const rows = [...file.rows];
  return {
    delimiter: file.delimiter,
    cells: rows.map(({ cells }) => cells),
    lines: rows.map(({ line }) => line),
  };
}

const refused = (sentence: RegExp): Error =>
  expect.objectContaining({
    code: 'invalid-data',
    message: expect.stringMatching(sentence) as string,
  }) as Error;

test.each([
  ['commas', 'a,b\n1,2\n', 'f.csv', ','],
  ['tabs', 'a\tb\n1\t2\n', 'f.csv', '\t'],
  ['semicolons', 'a;b\n1;2\n', 'f.csv', ';'],
  ['semicolons around decimal commas', 'a;b;c\n1,5;2,5;3,5\n', 'f.csv', ';'],
  ['commas inside the cells of a .tsv', 'IL2, x\tf13\n', 'f.tsv', '\t'],
  ['the same by its second row', 'src\tdst\nIL2, x\tf13\n', 'f.csv', '\t'],
  ['semicolons inside the cells of a .csv', 'P1;P2,P3;P4\n1,2\n', 'f.csv', ','],
  ['a first line that says so', 'sep=|\na|b,c\n1|2\n', 'f.csv', '|'],
  ['the same in quotes, as Excel writes it', '"sep=;"\r\na;b\r\n', 'f.csv', ';'],
  ['compressed', 'a\tb\n', 'f.tsv.gz', '\t'],
  ['one column', 'a\n1\n', 'f.csv', ','],
])('the delimiter of %s', (_, text, name, delimiter) => {
  expect(read(text, name).delimiter).toBe(delimiter);
});

test('names that are looked for decide over even rows', () => {
  const text = 'x;1\ty;1\nx;2\ty;2\n';
  expect(read(text, 'f.tsv').delimiter).toBe('\t');
  expect(read(text, 'f.tsv', ['1\ty']).delimiter).toBe(';');
});

test('lines are those of the file, blank ones and sep= counted and left out', () => {
  expect(read('sep=,\n\na,b\n\n1,2\n \n')).toEqual({
    delimiter: ',',
    cells: [
      ['a', 'b'],
      ['1', '2'],
    ],
    lines: [3, 5],
  });
});

test('a header longer than what is looked at', () => {
  const header = Array.from({ length: 30_000 }, (_, i) => `gene;${i}`);
  const { delimiter, cells } = read(`${header.join(',')}\n${header.map(() => '1').join(',')}\n`);
  expect([delimiter, cells[0]!.length, cells[1]!.length]).toEqual([',', 30_000, 30_000]);
});

test('UTF-8 and UTF-16 with a byte order mark, and nothing that is neither', () => {
  const text = 'é,b\r\n1,2\r\n';
  const cells = [
    ['é', 'b'],
    ['1', '2'],
  ];
  expect(read(`\ufeff${text}`).cells).toEqual(cells);
  const little = Buffer.from(`\ufeff${text}`, 'utf16le');
  for (const bytes of [little, Buffer.from(little).swap16()]) {
    expect(mayBeCsv(bytes)).toBe(true);
    expect(read(bytes).cells).toEqual(cells);
  }
  expect(() => read(Buffer.from(text, 'latin1'))).toThrow(refused(/f\.csv is not UTF-8 text/));
  expect(mayBeCsv(new Uint8Array([65, 0, 66]))).toBe(false);
});

test('gzip, of many members too, and damaged gzip refused', () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `${i},${i * i}\n`);
  const text = rows.join('');
  const whole = gzipSync(text);
  const members = Buffer.concat(rows.slice(0, 300).map((row) => gzipSync(row)));
  expect(read(whole).cells).toHaveLength(20_000);
  expect(read(members).cells).toEqual(rows.slice(0, 300).map((row) => row.trim().split(',')));
  for (const [position, xor] of [
    [whole.length - 6, 1], // its CRC-32
    [whole.length >> 1, 0x55], // its content
  ] as const) {
    const damaged = Buffer.from(whole);
    damaged[position]! ^= xor;
    expect(() => read(damaged)).toThrow(refused(/f\.csv is damaged gzip/));
  }
  expect(() => read(whole.subarray(0, whole.length - 40))).toThrow(refused(/damaged gzip/));
  const firstDamaged = Buffer.from(members);
  firstDamaged[gzipSync(rows[0]!).length - 8]! ^= 1;
  expect(() => read(firstDamaged)).toThrow(refused(/checksum/));
});

test('a file of one endless line is no table', () => {
  expect(() => read(gzipSync(Buffer.alloc(80_000_000, 'a')))).toThrow(refused(/a row of more than/));
});

test('numbers with a decimal point or comma, never both in a file', () => {
  const numbers = new CsvNumbers('f.csv', ';');
  expect([' 1,5 ', '-,5', '2', '1e3', '3,'].map((cell) => numbers.read(cell, 2))).toEqual([
    1.5, -0.5, 2, 1000, 3,
  ]);
  expect(() => numbers.read('1.5', 7)).toThrow(refused(/'1,5' in line 2 and '1\.5' in line 7/));
  expect(numbers.read('1.234,5', 8)).toBeUndefined();
  expect(new CsvNumbers('f.csv', ',').read('1,5', 2)).toBeUndefined();
});

test('what is a number, what is missing, and what is neither', () => {
  const numbers = new CsvNumbers('f.csv', ',');
  expect(['NaN', '-nan', 'Inf', '-Infinity', '+1.', '.5'].map((cell) => numbers.read(cell, 1))).toEqual([
    NaN,
    NaN,
    Infinity,
    -Infinity,
    1,
    0.5,
  ]);
  for (const cell of ['', ' ', 'NA', 'N/A', '#N/A', 'null', 'None']) {
    expect(isMissing(cell), cell).toBe(true);
    expect(numbers.read(cell, 1), cell).toBeUndefined();
  }
  for (const cell of ['0x10', '1 000', 'x', '1e', '--1', '١'])
    expect([isMissing(cell), numbers.read(cell, 1)], cell).toEqual([false, undefined]);
});
