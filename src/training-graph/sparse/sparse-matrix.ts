import { counted } from './index-array.ts';

/** A constant matrix in compressed sparse rows: each row in ascending column order, without duplicates or zeros. */
export interface SparseMatrix {
  readonly rows: number;
  readonly columns: number;
  /** `rows + 1` offsets into `column` and `value`. */
  readonly starts: Int32Array;
  readonly column: Int32Array;
  readonly value: Float64Array;
}

export function entryCount({ column }: SparseMatrix): number {
  return column.length;
}

export function identityMatrix(size: number): SparseMatrix {
  return selectionMatrix(counted(size), size);
}

/** One entry 1 per row, at `source[row]`. */
export function selectionMatrix(source: Int32Array, columns: number): SparseMatrix {
  return {
    rows: source.length,
    columns,
    starts: counted(source.length + 1),
    column: source,
    value: new Float64Array(source.length).fill(1),
  };
}

export function zeroMatrix(rows: number, columns: number): SparseMatrix {
  return {
    rows,
    columns,
    starts: new Int32Array(rows + 1),
    column: new Int32Array(),
    value: new Float64Array(),
  };
}

/** Whether each row has the single entry 1. */
export function isSelection({ rows, starts, value }: SparseMatrix): boolean {
  return value.length === rows && starts.every((start, row) => start === row) && value.every((v) => v === 1);
}

/** Row `r` of the result is row `source[r]` of `matrix`. */
export function selectRows(matrix: SparseMatrix, source: ArrayLike<number>): SparseMatrix {
  const starts = new Int32Array(source.length + 1);
  for (let row = 0; row < source.length; row++) {
    const from = source[row]!;
    starts[row + 1] = starts[row]! + matrix.starts[from + 1]! - matrix.starts[from]!;
  }
  const column = new Int32Array(starts[source.length]!);
  const value = new Float64Array(column.length);
  for (let row = 0, to = 0; row < source.length; row++) {
    const from = source[row]!;
    for (let e = matrix.starts[from]!; e < matrix.starts[from + 1]!; e++, to++) {
      column[to] = matrix.column[e]!;
      value[to] = matrix.value[e]!;
    }
  }
  return { rows: source.length, columns: matrix.columns, starts, column, value };
}

/** Each row times its factor. A factor of 0 empties the row: the padding of a gather. */
export function scaleRows(matrix: SparseMatrix, factor: (row: number) => number): SparseMatrix {
  const starts = new Int32Array(matrix.rows + 1);
  const column = new Int32Array(matrix.column.length);
  const value = new Float64Array(matrix.column.length);
  let to = 0;
  for (let row = 0; row < matrix.rows; row++) {
    const by = factor(row);
    for (let e = matrix.starts[row]!; e < matrix.starts[row + 1]! && by !== 0; e++, to++) {
      column[to] = matrix.column[e]!;
      value[to] = by * matrix.value[e]!;
    }
    starts[row + 1] = to;
  }
  return { ...matrix, starts, column: column.subarray(0, to), value: value.subarray(0, to) };
}

/** Row `r` of the result is the sum of the rows that `target` maps to `r`. */
export function sumRows(matrix: SparseMatrix, target: ArrayLike<number>, rows: number): SparseMatrix {
  // Groups the rows by target with a counting sort.
  const first = new Int32Array(rows + 1);
  for (let row = 0; row < matrix.rows; row++) first[target[row]! + 1]!++;
  for (let row = 0; row < rows; row++) first[row + 1]! += first[row]!;
  const next = first.slice();
  const members = new Int32Array(matrix.rows);
  for (let row = 0; row < matrix.rows; row++) members[next[target[row]!]!++] = row;

  const starts = new Int32Array(rows + 1);
  const column = new Int32Array(matrix.column.length);
  const value = new Float64Array(matrix.column.length);
  const sums = new Float64Array(matrix.columns);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const from = to;
    for (let m = first[row]!; m < first[row + 1]!; m++) {
      const member = members[m]!;
      for (let e = matrix.starts[member]!; e < matrix.starts[member + 1]!; e++) {
        const c = matrix.column[e]!;
        if (sums[c] === 0) column[to++] = c;
        sums[c]! += matrix.value[e]!;
      }
    }
    column.subarray(from, to).sort();
    to = closeRow(column, value, sums, from, to);
    starts[row + 1] = to;
  }
  return {
    rows,
    columns: matrix.columns,
    starts,
    column: column.subarray(0, to),
    value: value.subarray(0, to),
  };
}

/** Moves the sums of a row's columns into its values and clears them; columns that cancelled out are dropped. */
function closeRow(
  column: Int32Array,
  value: Float64Array,
  sums: Float64Array,
  from: number,
  to: number,
): number {
  let end = from;
  for (let e = from; e < to; e++) {
    const c = column[e]!;
    // A column whose sum passed through 0 on the way is listed twice; the second time its sum is already cleared.
    if (sums[c] === 0) continue;
    column[end] = c;
    value[end++] = sums[c]!;
    sums[c] = 0;
  }
  return end;
}

/** Stacks matrices vertically. */
export function stackRows(matrices: readonly SparseMatrix[]): SparseMatrix {
  const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
  const entries = matrices.reduce((sum, matrix) => sum + matrix.column.length, 0);
  const starts = new Int32Array(rows + 1);
  const column = new Int32Array(entries);
  const value = new Float64Array(entries);
  let row = 0;
  let at = 0;
  for (const matrix of matrices) {
    column.set(matrix.column, at);
    value.set(matrix.value, at);
    for (let r = 0; r < matrix.rows; r++) starts[++row] = at + matrix.starts[r + 1]!;
    at += matrix.column.length;
  }
  return { rows, columns: matrices[0]!.columns, starts, column, value };
}

/** Memoizes a function of a matrix: blocks of a network share their matrices, and so do products and gradients. */
export function oncePerMatrix<T extends object>(
  make: (matrix: SparseMatrix) => T,
): (matrix: SparseMatrix) => T {
  const known = new WeakMap<SparseMatrix, T>();
  return (matrix) => {
    let made = known.get(matrix);
    if (made === undefined) known.set(matrix, (made = make(matrix)));
    return made;
  };
}

export const transposeMatrix = oncePerMatrix((matrix): SparseMatrix => {
  const starts = new Int32Array(matrix.columns + 1);
  for (const column of matrix.column) starts[column + 1]!++;
  for (let column = 0; column < matrix.columns; column++) starts[column + 1]! += starts[column]!;
  const next = starts.slice();
  const rowOf = new Int32Array(matrix.column.length);
  const value = new Float64Array(matrix.column.length);
  for (let row = 0; row < matrix.rows; row++) {
    for (let e = matrix.starts[row]!; e < matrix.starts[row + 1]!; e++) {
      const place = next[matrix.column[e]!]!++;
      rowOf[place] = row;
      value[place] = matrix.value[e]!;
    }
  }
  return { rows: matrix.columns, columns: matrix.rows, starts, column: rowOf, value };
});
