/**
 * Factors a symmetric matrix K into R R^T in place: R replaces the lower triangle, what lies above is left alone.
 *
 * @param matrix row-major `[size, size]`
 * @param roundoff of the sums that K was made of, relative to them; more than float64's where they were kept in less
 * @returns false where K is numerically singular: a pivot at or below size * 2^-52 * the largest diagonal of K, or
 *   one that is not a number (method.md, "score = 'partial'"); the matrix is then half done
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
