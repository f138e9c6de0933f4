/** Products between two yields: some milliseconds of work. */
const STEP = 4e6;

/**
 * Products of the rows of a matrix with some vectors, in float64.
 *
 * @param matrix row-major `[rows, length]`
 * @param vectors row-major `[count, length]`
 * @returns row-major `[count, rows]`, times the factor
 */
export function* timesRows(
  matrix: Float32Array | Float64Array,
  length: number,
  vectors: Float64Array,
  count: number,
  factor = 1,
): Generator<undefined, Float64Array, undefined> {
  const rows = length === 0 ? 0 : matrix.length / length;
  const out = new Float64Array(count * rows);
  // One type of array for the loops below, whatever the matrix is.
  const row = new Float64Array(length);
  const four = new Float64Array(4);
  let done = 0;
  for (let r = 0; r < rows; r++) {
    row.set(matrix.subarray(r * length, (r + 1) * length));
    let v = 0;
    for (; v + 4 <= count; v += 4) {
      fourProducts(row, vectors, v * length, four);
      for (let k = 0; k < 4; k++) out[(v + k) * rows + r] = factor * four[k]!;
    }
    for (; v < count; v++) out[v * rows + r] = factor * product(row, vectors, v * length);
    done += count * length;
    if (done < STEP) continue;
    done = 0;
    yield;
  }
  return out;
}

/**
 * Subtracts sums of the rows of a matrix, weighted by some vectors, in float64.
 *
 * @param matrix row-major `[rows, length]`
 * @param weights row-major `[count, rows]`
 * @param from row-major `[count, length]`, changed
 */
export function* subtractWeighted(
  matrix: Float32Array,
  length: number,
  weights: Float64Array,
  from: Float64Array,
): Generator<undefined, void, undefined> {
  const rows = matrix.length / length;
  const row = new Float64Array(length);
  let done = 0;
  for (let r = 0; r < rows; r++) {
    row.set(matrix.subarray(r * length, (r + 1) * length));
    for (let at = 0, v = r; at < from.length; at += length, v += rows) {
      addMultiple(from, at, row, -weights[v]!);
    }
    done += from.length;
    if (done < STEP) continue;
    done = 0;
    yield;
  }
}

/** Adds a multiple of `values` to the elements of `out` from `at` on. */
export function addMultiple(out: Float64Array, at: number, values: Float64Array, factor: number): void {
  for (let k = 0; k < values.length; k++) out[at + k]! += factor * values[k]!;
}

/** Products of a row with four consecutive vectors; each element of the row is read once. */
function fourProducts(row: Float64Array, vectors: Float64Array, first: number, out: Float64Array): void {
  const length = row.length;
  const [second, third, fourth] = [first + length, first + 2 * length, first + 3 * length];
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let k = 0; k < length; k++) {
    const value = row[k]!;
    a += value * vectors[first + k]!;
    b += value * vectors[second + k]!;
    c += value * vectors[third + k]!;
    d += value * vectors[fourth + k]!;
  }
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

/** In four partial sums, so that additions need not wait for each other. */
function product(row: Float64Array, vectors: Float64Array, first: number): number {
  const length = row.length;
  let [a, b, c, d] = [0, 0, 0, 0];
  let k = 0;
  for (; k + 4 <= length; k += 4) {
    a += row[k]! * vectors[first + k]!;
    b += row[k + 1]! * vectors[first + k + 1]!;
    c += row[k + 2]! * vectors[first + k + 2]!;
    d += row[k + 3]! * vectors[first + k + 3]!;
  }
  for (; k < length; k++) a += row[k]! * vectors[first + k]!;
  return a + b + (c + d);
}
