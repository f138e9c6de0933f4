/**
 * Factors a symmetric matrix K into R R^T in place: R replaces the lower triangle; the entries above it do not change.
 *
 * @param matrix row-major `[size, size]`
 * @param roundoff of the sums that K was formed from, relative to them; above the default 2^-52 if they were less
 *   precise
 * @returns false if K is numerically singular: a pivot at or below size * roundoff * the largest diagonal of K, or one
 *   that is NaN (method.md, "score = 'partial'"); the matrix is then left partly factored
 */
export function choleskyFactor(
  matrix: Float64Array,
  size: number,
  roundoff: number = Number.EPSILON,
): boolean {
  let largest = 0;
  for (let i = 0; i < size; i++) largest = Math.max(largest, matrix[i * size + i]!);
  const threshold = size * roundoff * largest;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      let sum = matrix[i * size + j]!;
      for (let m = 0; m < j; m++) sum -= matrix[i * size + m]! * matrix[j * size + m]!;
      matrix[i * size + j] = sum / matrix[j * size + j]!;
    }
    let pivot = matrix[i * size + i]!;
    for (let m = 0; m < i; m++) pivot -= matrix[i * size + m]! * matrix[i * size + m]!;
    if (!(pivot > threshold)) return false;
    matrix[i * size + i] = Math.sqrt(pivot);
  }
  return true;
}
