import { csvParseRows } from 'd3-dsv';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CsvTokenizer } from '../../../src/csv/tokenizer.ts';

function rowsOf(
  pieces: readonly string[],
  delimiter = ',',
): { rows: string[][]; lines: number[]; complete: boolean } {
  const rows: string[][] = [];
  const lines: number[] = [];
  const tokenizer = new CsvTokenizer(delimiter, (cells, line) => {
    rows.push(cells);
    lines.push(line);
  });
  for (const piece of pieces) tokenizer.push(piece);
  return { complete: tokenizer.end(), rows, lines };
}

test('quotes, doubled quotes, line breaks in quotes, and CRLF', () => {
  const { rows, lines, complete } = rowsOf(['a,"b ""c"""\r\n"1\n2",3\r\n,\r\n"x"']);
  expect(complete).toBe(true);
  expect(rows).toEqual([['a', 'b "c"'], ['1\n2', '3'], ['', ''], ['x']]);
  expect(lines).toEqual([1, 2, 4, 5]);
});

test('a carriage return belongs to its cell unless it ends a line, wherever the text is cut', () => {
  const text = 'a\r,b\r\n"c\r",d\r\r\n"e\r"\r\nf,"g\r"';
  const cells = [['a\r', 'b'], ['c\r', 'd\r'], ['e\r'], ['f', 'g\r']];
  for (let cut = 0; cut <= text.length; cut++)
    expect(rowsOf([text.slice(0, cut), text.slice(cut)]).rows).toEqual(cells);
  expect(rowsOf(['a,b\r']).rows).toEqual([['a', 'b']]);
});

test('other delimiters', () => {
  expect(rowsOf(['a,1\t"b\t2"\n'], '\t').rows).toEqual([['a,1', 'b\t2']]);
  expect(rowsOf(['1,5;2,5\n'], ';').rows).toEqual([['1,5', '2,5']]);
});

test('text that ends inside quotes is incomplete', () => {
  expect(rowsOf(['a,"b']).complete).toBe(false);
});

test('any cells, cut into any pieces, come back as d3-dsv reads them', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '1', ' ', ',', '"', '\n', 'é') });
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(table, fc.array(fc.nat(40)), (cells, cuts) => {
      const text = cells
        .map((row) => row.map((entry) => `"${entry.replaceAll('"', '""')}"`).join(','))
        .join('\n');
      const positions = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length];
      const pieces = positions.slice(1).map((end, index) => text.slice(positions[index], end));
      const { rows, complete } = rowsOf(pieces);
      expect(complete).toBe(true);
      expect(rows).toEqual(cells);
      expect(rows).toEqual(csvParseRows(text));
    }),
  );
});
