import { CsvNumbers } from '../csv/numbers.ts';
import { openCsv, type CsvRow } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';

/** Source and target of an edge by name. */
export type NamedPair = readonly [src: string, dst: string];

/** What tools call the two columns, in lower case; of a header with several, the first pair counts. */
const columnNames = [
  ['src', 'dst'],
  ['src_func', 'dst_func'],
  ['source', 'target'],
  ['tf', 'target'],
  ['gene1', 'gene2'],
  ['regulator', 'target'],
  ['tf', 'gene'],
  ['from', 'to'],
] as const;

const isColumn = (cell: string): boolean =>
  columnNames.some((pair) => (pair as readonly string[]).includes(cell.toLowerCase()));

/**
 * Reads positive edges: delimited text (comma, tab or semicolon, gzip-compressed or not) with the columns `src` and `dst`
 * (or `src_func` and `dst_func`, `source` and `target`, `TF` and `target`, `Gene1` and `Gene2`, `regulator` and `target`,
 * `TF` and `gene`, `from` and `to`, in upper or lower case), or without a header: then the first two columns, after one of
 * running numbers where there is one. Other columns are ignored.
 *
 * @param name what messages call the file
 * @throws MagnitudeEdgeError `invalid-data` naming a line without source or target, `no-positives` for a file of none
 */
export function readPositiveEdges(bytes: Uint8Array, name: string): NamedPair[] {
  const file = openCsv(bytes, name, isColumn);
  const rows = [...file.rows].filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  const header = rows[0]?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const named = columnNames.find((pair) => pair.every((column) => header.includes(column)));
  const data = named ? rows.slice(1) : rows;
  const positions = named
    ? named.map((column) => header.indexOf(column))
    : positionsWithoutHeader(data, file.delimiter, name);
  const pairs = data.map(({ cells, line }): NamedPair => {
    const [source, target] = positions.map((position) => cells[position]?.trim() ?? '');
    if (!source || !target)
      throw refusal(name, `${name}, line ${line} lacks a source or a target: ${expected}`);
    return [source, target];
  });
  if (pairs.length > 0) return pairs;
  throw new MagnitudeEdgeError('no-positives', `${name} holds no pairs: ${expected}.`, {
    details: { source: name },
  });
}

const expected = 'two columns, src and dst, were expected';

/** The first two columns, or the two after running numbers such as a table's index. */
function positionsWithoutHeader(rows: readonly CsvRow[], delimiter: string, name: string): [number, number] {
  const first = Number(rows[0]?.cells[0]);
  const running =
    (first === 0 || first === 1) &&
    rows.every(({ cells }, row) => cells.length > 2 && cells[0]!.trim() === String(first + row));
  if (!running) return [0, 1];
  const numbers = new CsvNumbers(name, delimiter);
  const allNumbers = rows.every(({ cells, line }) => numbers.read(cells[2]!, line) !== undefined);
  if (!allNumbers) return [1, 2];
  throw refusal(
    name,
    `${name} has no header, and its first column, ${first}, ${first + 1}, …, may be names or an index: ${expected}`,
  );
}

function refusal(name: string, sentence: string): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-data', `${sentence}.`, { details: { source: name } });
}
