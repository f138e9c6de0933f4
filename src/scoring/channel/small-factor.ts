/**
 * The inverse L^-1 of the Cholesky factor, A = L L', of a small symmetric positive definite matrix.
 *
 * @param element A_ij for j <= i
 * @returns row-major `[size, size]`, zeros above the diagonal
 * @throws RangeError if the matrix is not positive definite
 */
export function inverseFactor(element: (i: number, j: number) => number, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = element(i, j);
      for (let k = 0; k < j; k++) sum -= lower[i * size + k]! * lower[j * size + k]!;
      if (i > j) lower[i * size + j] = sum / lower[j * size + j]!;
      else if (sum > 0) lower[i * size + i] = Math.sqrt(sum);
      else throw new RangeError(`A ridge regression's system is not positive definite (pivot ${sum}).`);
    }
  }
  for (let j = 0; j < size; j++) {
    lower[j * size + j] = 1 / lower[j * size + j]!;
    for (let i = j + 1; i < size; i++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum -= lower[i * size + k]! * lower[k * size + j]!;
      lower[i * size + j] = sum / lower[i * size + i]!;
    }
  }
  return lower;
}
