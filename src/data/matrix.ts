/** A dense matrix on the host, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Length `rows * columns`. */
  readonly values: Float32Array;
}

/** Inputs `[samples, inputs]` and targets `[samples, outputs]` of the same samples. */
export interface Samples {
  readonly x: Matrix;
  readonly y: Matrix;
}

/** Rows `start .. end` of samples, as views. */
export function rowsOf({ x, y }: Samples, start: number, end: number): Samples {
  const cut = ({ values, columns }: Matrix): Matrix => ({
    rows: end - start,
    columns,
    values: values.subarray(start * columns, end * columns),
  });
  return { x: cut(x), y: cut(y) };
}

/** The samples without the first `first`. */
export function withoutRows(samples: Samples, first: number): Samples {
  return first === 0 ? samples : rowsOf(samples, first, samples.x.rows);
}
