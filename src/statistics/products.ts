/**
 * Adds `X^T Y` and the upper tiles of `X^T X` of a chunk of samples to running sums, in float64.
 * Implementations own their scratch space and may be called again and again with the same sizes.
 */
export interface ProductKernel {
  /** What it runs on, for diagnostics */
  readonly description: string;
  /**
   * @param x row-major `[rows, nodes]`
   * @param y row-major `[rows, nodes]`
   * @param sumXY row-major `[nodes, nodes]`: `x^T y` is added
   * @param sumXX row-major `[nodes, nodes]`: `x^T x` is added on and above the diagonal; what lies below is left
   *   unspecified until {@link mirrorUpper}
   */
  addProducts(x: Float64Array, y: Float64Array, rows: number, sumXY: Float64Array, sumXX: Float64Array): void;
}

/** Copies the upper triangle of a square row-major matrix onto the lower one, tile by tile for the cache's sake. */
export function mirrorUpper(matrix: Float64Array, nodes: number): void {
  const tile = 32;
  for (let i0 = 0; i0 < nodes; i0 += tile) {
    const iEnd = Math.min(i0 + tile, nodes);
    for (let j0 = i0; j0 < nodes; j0 += tile) {
      const jEnd = Math.min(j0 + tile, nodes);
      for (let i = i0; i < iEnd; i++) {
        for (let j = Math.max(j0, i + 1); j < jEnd; j++) matrix[j * nodes + i] = matrix[i * nodes + j]!;
      }
    }
  }
}
