import { CsvNumbers } from '../csv/numbers.ts';
import { openCsv, type CsvRow } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';

/** Source and target of an edge by name. */
export type NamedPair = readonly [src: string, dst: string];

/** Common names of the two columns, in lower case; if a header has several, the first pair counts. */
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

/** Common names of a column that labels each pair as an edge or not, in lower case. */
const labelNames = ['label', 'class', 'truth', 'y', 'positive', 'is_positive', 'is_edge', 'known'];

const isColumn = (cell: string): boolean =>
  columnNames.some((pair) => (pair as readonly string[]).includes(cell.toLowerCase()));

/**
 * Reads positive edges: delimited text (comma, tab or semicolon, gzip-compressed or not) with the columns `src` and
 * `dst` (or `src_func` and `dst_func`, `source` and `target`, `TF` and `target`, `Gene1` and `Gene2`, `regulator` and
 * `target`, `TF` and `gene`, `from` and `to`, in upper or lower case), or without a header: then the first two columns,
 * or the two after a column of running numbers.
 *
 * Lists that include negatives have a column of labels: called `label` (or `class`, `truth`, `y`, `positive`,
 * `is_positive`, `is_edge`, `known`), or the last of three without a header, and holding only 1 and 0, or true and
 * false. Rows with 0 are not positives. Other columns are ignored.
 *
 * @param name the file's name in error messages
 * @throws MagnitudeEdgeError `invalid-data` naming a line without source or target, `no-positives` for a file without
 * any
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
  const label = labelColumn(data, named ? header : undefined, positions);
  const labelled = data.filter(({ cells }) => label === undefined || !isNegative(cells[label]!));
  if (labelled.length === 0 && data.length > 0) {
    throw new MagnitudeEdgeError(
      'no-positives',
      `${name} labels all of its ${data.length} pairs as negative.`,
      {
        details: { source: name },
      },
    );
  }
  const pairs = labelled.map(({ cells, line }): NamedPair => {
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

/** The column that labels each pair as an edge or not; undefined if there is none. */
function labelColumn(
  rows: readonly CsvRow[],
  header: readonly string[] | undefined,
  positions: readonly number[],
): number | undefined {
  const after = Math.max(...positions) + 1;
  const at = header ? header.findIndex((column) => labelNames.includes(column)) : after;
  if (at < 0 || (!header && rows.some(({ cells }) => cells.length !== after + 1))) return undefined;
  return rows.every(({ cells }) => isLabel.test(cells[at]?.trim() ?? '')) ? at : undefined;
}

const isLabel = /^([01](\.0*)?|true|false)$/i;

function isNegative(label: string): boolean {
  return /^(0|false)/i.test(label.trim());
}

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
