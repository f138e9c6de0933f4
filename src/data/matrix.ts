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
