/** A row-major matrix in float32; rows are `stride` apart. */
export interface Matrix {
  readonly values: Float32Array;
  readonly stride: number;
}

/**
 * Lays columns out in panels `[panel, rows, width]` for a block kernel. The last panel is filled up with zeros.
 *
 * @param rows `first .. end` of the matrix
 * @param columns likewise
 * @param to receives the panels from place `at` on
 */
export function packColumns(
  { values, stride }: Matrix,
  [firstRow, endRow]: readonly [number, number],
  [firstColumn, endColumn]: readonly [number, number],
  width: number,
  to: Float32Array,
  at = 0,
): void {
  const rows = endRow - firstRow;
  for (let column = firstColumn; column < endColumn; column += width, at += rows * width) {
    const whole = column + width <= endColumn;
    let place = at;
    for (let row = firstRow; row < endRow; row++) {
      const from = row * stride + column;
      if (whole) for (let c = 0; c < width; c++) to[place++] = values[from + c]!;
      else for (let c = 0; c < width; c++) to[place++] = column + c < endColumn ? values[from + c]! : 0;
    }
  }
}

/** {@link packColumns} of the transposed matrix: rows become the columns of the panels. */
export function packRows(
  { values, stride }: Matrix,
  [firstRow, endRow]: readonly [number, number],
  [firstColumn, endColumn]: readonly [number, number],
  width: number,
  to: Float32Array,
  at = 0,
): void {
  const columns = endColumn - firstColumn;
  for (let row = firstRow; row < endRow; row += width, at += columns * width) {
    for (let r = 0; r < width; r++) {
      const from = (row + r) * stride + firstColumn;
      let place = at + r;
      if (row + r < endRow) {
        for (let c = 0; c < columns; c++, place += width) to[place] = values[from + c]!;
      } else {
        for (let c = 0; c < columns; c++, place += width) to[place] = 0;
      }
    }
  }
}

/** The next multiple of `step`. */
export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** The multiple of `step` before. */
export function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
