import { DataType, type Table, type Vector } from 'apache-arrow';
import { MagnitudeEdgeError } from 'magnitude-edge';
import {
  uncertaintyKeys,
  uncertaintyNames,
  type EdgeColumns,
  type FloatColumn,
  type ScoreColumn,
} from './edge-columns.ts';
import { isScoreName, scoreKinds } from './score-kind.ts';

/**
 * The columns of an edge table (method.md, "The edge table"), copied out of Arrow memory. Only the names and `corr` or
 * `score` are required, so that tables thinned out by other tools still open. Throws `invalid-data` if the table is not
 * an edge table.
 */
export function columnsFromArrow(table: Table, file: string): EdgeColumns {
  const rows = table.numRows;
  const sources = required(table, 'src_func', file);
  const targets = required(table, 'dst_func', file);
  const names: string[] = [];
  const src = indices(table.getChild('src_idx'), sources, names, file);
  const dst = indices(table.getChild('dst_idx'), targets, names, file);
  // Rows may have been left out, so that some node indices have no name.
  for (let node = 0; node < names.length; node++) names[node] ??= `node ${node}`;
  const conditioned = table.getChild('n_cond');
  const scoreColumn: ScoreColumn = !table.getChild('corr') && table.getChild('score') ? 'score' : 'corr';
  const score = floats(required(table, scoreColumn, file), rows);
  const pValue = floats(table.getChild('p_value'), rows);
  const metadata = Object.fromEntries(table.schema.metadata);
  const uncertain = uncertaintyNames(scoreColumn);
  return {
    names,
    rows,
    src,
    dst,
    score,
    scoreColumn,
    isSigned: isSigned(metadata.score, scoreColumn, score),
    pValue,
    isTested: pValue.some((p) => !Number.isNaN(p)),
    qValue: floats(table.getChild('q_value'), rows),
    hasEdge: flags(table.getChild('has_edge'), rows),
    conditioned: conditioned && Int32Array.from(floats(conditioned, rows)),
    pairs: table.schema.fields
      .filter(({ name }) => /^(corr|score)_a\d+_g\d+$/.test(name))
      .map(({ name }) => ({ name, values: floats(table.getChild(name), rows) })),
    uncertainty: Object.fromEntries(
      uncertaintyKeys.flatMap((key) => {
        const column = table.getChild(uncertain[key]);
        return column ? [[key, floats(column, rows)]] : [];
      }),
    ),
    metadata,
  };
}

/** Whether the named score is signed; if the table does not name its score, whether any value is negative. */
function isSigned(name: string | undefined, column: ScoreColumn, score: FloatColumn): boolean {
  if (isScoreName(name)) return scoreKinds[name].isSigned;
  return column === 'corr' || score.some((value) => value < 0);
}

function required(table: Table, name: string, file: string): Vector {
  const column = table.getChild(name);
  if (column) return column;
  const found = table.schema.fields.map((field) => field.name).join(', ') || 'no columns';
  throw new MagnitudeEdgeError(
    'invalid-data',
    `${file} is not an edge table: it has no column ${name} (found: ${found}).`,
  );
}

/** More nodes than any table of pairs has; a larger index is not a node index. */
const MOST_NODES = 1 << 20;

/** Node indices of one side. Fills `names`; without an index column, nodes are numbered as their names appear. */
function indices(column: Vector | null, labels: Vector, names: string[], file: string): Int32Array {
  const rows = labels.length;
  const result = new Int32Array(rows);
  if (column) {
    const given = floats(column, rows);
    for (let row = 0; row < rows; row++) {
      const node = given[row]!;
      if (!Number.isInteger(node) || node < 0 || node >= MOST_NODES) {
        const value = column.get(row) === null ? 'no node index' : `the node index ${node}`;
        throw new MagnitudeEdgeError('invalid-data', `${file}: row ${row} has ${value}.`);
      }
      names[node] ??= String(labels.get(row));
      result[row] = node;
    }
    return result;
  }
  // Indices of the other side may leave gaps in the names.
  const seen = new Map<string | undefined, number>(Array.from(names, (name, node) => [name, node]));
  for (let row = 0; row < rows; row++) {
    const name = String(labels.get(row));
    const node = seen.get(name) ?? names.push(name) - 1;
    seen.set(name, node);
    result[row] = node;
  }
  return result;
}

function floats(column: Vector | null, rows: number): FloatColumn {
  if (!column) return new Float64Array(rows).fill(Number.NaN);
  const values: unknown = column.toArray();
  if (column.nullCount === 0 && (values instanceof Float64Array || values instanceof Float32Array))
    return values.slice();
  const result = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const value: unknown = column.get(row);
    result[row] = value === null || value === undefined || value === '' ? Number.NaN : Number(value);
  }
  return result;
}

function flags(column: Vector | null, rows: number): Uint8Array {
  const result = new Uint8Array(rows);
  if (!column) return result;
  let row = 0;
  for (const data of column.data) {
    if (DataType.isBool(data.type)) {
      const bits = data.values as unknown as Uint8Array;
      for (let i = 0; i < data.length; i++, row++) {
        const bit = data.offset + i;
        result[row] = (bits[bit >> 3]! >> (bit & 7)) & 1;
      }
    } else {
      for (let i = 0; i < data.length; i++, row++)
        result[row] = ['true', '1', 'True'].includes(String(column.get(row))) ? 1 : 0;
    }
  }
  return result;
}
