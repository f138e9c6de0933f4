import { uncertaintyOf, type EdgeColumns } from '../edges/edge-columns.ts';

/** Rows as text, in pieces of a few thousand rows, so that no single string holds a million. */
export function* delimitedRows(
  columns: EdgeColumns,
  rows: Iterable<number>,
  delimiter: string,
): Generator<string> {
  const fields = fieldsOf(columns);
  yield fields.map(({ name }) => quoted(name, delimiter)).join(delimiter) + '\n';
  yield* inPieces(rows, (row) => fields.map(({ at }) => quoted(at(row), delimiter)).join(delimiter) + '\n');
}

/** The column names of arboreto's GRNBoost2 and GENIE3; pairs without a score are left out. */
export function* arboretoRows(columns: EdgeColumns, rows: Iterable<number>): Generator<string> {
  yield 'TF\ttarget\timportance\n';
  yield* inPieces(rows, (row) => {
    const score = columns.score[row]!;
    if (Number.isNaN(score)) return '';
    const { names, src, dst } = columns;
    return [names[src[row]!]!, names[dst[row]!]!, String(score)]
      .map((field) => quoted(field, '\t'))
      .join('\t')
      .concat('\n');
  });
}

/** The columns of the Arrow table, under their names there; NaN becomes an empty field. */
function fieldsOf(columns: EdgeColumns): { name: string; at: (row: number) => string }[] {
  const number = (values: ArrayLike<number>) => (row: number) => {
    const value = values[row]!;
    return Number.isNaN(value) ? '' : String(value);
  };
  return [
    { name: 'src_func', at: (row) => columns.names[columns.src[row]!]! },
    { name: 'dst_func', at: (row) => columns.names[columns.dst[row]!]! },
    { name: 'src_idx', at: number(columns.src) },
    { name: 'dst_idx', at: number(columns.dst) },
    { name: columns.scoreColumn, at: number(columns.score) },
    { name: 'has_edge', at: (row) => (columns.hasEdge[row] ? 'true' : 'false') },
    ...(columns.conditioned ? [{ name: 'n_cond', at: number(columns.conditioned) }] : []),
    ...columns.pairs.map(({ name, values }) => ({ name, at: number(values) })),
    { name: 'p_value', at: number(columns.pValue) },
    { name: 'q_value', at: number(columns.qValue) },
    ...uncertaintyOf(columns).map(({ name, values }) => ({ name, at: number(values) })),
  ];
}

function* inPieces(rows: Iterable<number>, line: (row: number) => string): Generator<string> {
  let piece: string[] = [];
  for (const row of rows) {
    piece.push(line(row));
    if (piece.length === 8192) {
      yield piece.join('');
      piece = [];
    }
  }
  yield piece.join('');
}

/** RFC 4180: a field with a delimiter, a quote or a line break is quoted, quotes inside are doubled. */
export const quoted = (field: string, delimiter: string): string =>
  field.includes(delimiter) || /["\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
