import { addShifted, checkSameShape, emptyPair } from './merge.ts';
import { mirrorUpper, type ProductKernel } from './products.ts';
import { createScalarProducts } from './scalar-products.ts';
import type { PairStatistics, SufficientStatistics } from './sufficient-statistics.ts';
import { createWasmProducts } from './wasm-products.ts';

/** Samples applied per read and write of the N x N sums: enough to hide that traffic behind the products. */
const CHUNK_ROWS = 256;

/**
 * Sums over magnitudes in float64, about the column means of the first batch (method.md, "Sufficient statistics");
 * the twin of the accumulation kernels. Samples wait in a chunk until it is full, because the products are cheap per
 * sample only when many samples share one pass over the sums.
 */
export class CpuAccumulator {
  readonly #nodes: number;
  readonly #pairs: readonly PairStatistics[];
  readonly #products: ProductKernel;
  /** Deviations from the pivots that wait for their products: row-major `[CHUNK_ROWS, nodes]` per pair */
  readonly #chunkX: readonly Float64Array[];
  readonly #chunkY: readonly Float64Array[];
  #chunkRows = 0;
  #samples = 0;
  /** Whether the lower triangles of sumXX are up to date */
  #mirrored = true;

  constructor(nodes: number, pairs: number) {
    this.#nodes = nodes;
    this.#pairs = Array.from({ length: pairs }, () => emptyPair(nodes));
    this.#products = createWasmProducts(nodes, CHUNK_ROWS) ?? createScalarProducts(nodes, CHUNK_ROWS);
    this.#chunkX = this.#pairs.map(() => new Float64Array(CHUNK_ROWS * nodes));
    this.#chunkY = this.#pairs.map(() => new Float64Array(CHUNK_ROWS * nodes));
  }

  /** What the products run on, for diagnostics */
  get products(): string {
    return this.#products.description;
  }

  /** n, samples added since the last reset */
  get samples(): number {
    return this.#samples;
  }

  /**
   * Adds one batch. The values must be finite; the arrays may be used again as soon as the call returns.
   *
   * @param x P entries, row-major `[size, nodes]`
   * @param y P entries, row-major `[size, nodes]`
   */
  add(
    x: readonly (Float64Array | Float32Array)[],
    y: readonly (Float64Array | Float32Array)[],
    size: number,
  ): void {
    if (this.#samples === 0) {
      this.#pairs.forEach((pair, p) => {
        columnMeans(x[p]!, size, pair.pivotX);
        columnMeans(y[p]!, size, pair.pivotY);
      });
    }
    for (let first = 0; first < size;) {
      const rows = Math.min(size - first, CHUNK_ROWS - this.#chunkRows);
      this.#pairs.forEach((pair, p) => {
        const from = first * this.#nodes;
        const to = this.#chunkRows * this.#nodes;
        addDeviations(x[p]!, from, rows, pair.pivotX, this.#chunkX[p]!, to, pair.sumX);
        addDeviations(y[p]!, from, rows, pair.pivotY, this.#chunkY[p]!, to, pair.sumY, pair.sumY2);
      });
      this.#chunkRows += rows;
      first += rows;
      if (this.#chunkRows === CHUNK_ROWS) this.#applyChunk();
    }
    this.#samples += size;
  }

  /** The statistics held, not a copy: valid until the next call that changes them. */
  statistics(): SufficientStatistics {
    this.#applyChunk();
    if (!this.#mirrored) for (const pair of this.#pairs) mirrorUpper(pair.sumXX, this.#nodes);
    this.#mirrored = true;
    return { nodes: this.#nodes, samples: this.#samples, pairs: this.#pairs };
  }

  /** Adds statistics over other samples. @throws `graph-mismatch` where the shapes differ */
  merge(other: SufficientStatistics): void {
    checkSameShape({ nodes: this.#nodes, pairs: this.#pairs }, other);
    if (other.samples === 0) return;
    this.statistics().pairs.forEach((pair, p) => {
      if (this.#samples === 0) {
        pair.pivotX.set(other.pairs[p]!.pivotX);
        pair.pivotY.set(other.pairs[p]!.pivotY);
      }
      addShifted(pair, other.pairs[p]!, other.samples);
    });
    this.#samples += other.samples;
  }

  /** Forgets all samples. */
  reset(): void {
    for (const pair of this.#pairs) for (const array of Object.values(pair) as Float64Array[]) array.fill(0);
    this.#chunkRows = 0;
    this.#samples = 0;
    this.#mirrored = true;
  }

  #applyChunk(): void {
    if (this.#chunkRows === 0) return;
    this.#pairs.forEach((pair, p) => {
      this.#products.addProducts(this.#chunkX[p]!, this.#chunkY[p]!, this.#chunkRows, pair.sumXY, pair.sumXX);
    });
    this.#chunkRows = 0;
    this.#mirrored = false;
  }
}

/** Means over the rows of a row-major `[rows, means.length]` matrix. */
function columnMeans(values: Float64Array | Float32Array, rows: number, means: Float64Array): void {
  const columns = means.length;
  means.fill(0);
  for (let k = 0; k < rows; k++) {
    for (let i = 0; i < columns; i++) means[i]! += values[k * columns + i]!;
  }
  for (let i = 0; i < columns; i++) means[i]! /= rows;
}

/** Writes deviations from the pivots into a chunk, and adds them (and their squares, where asked) to the sums. */
function addDeviations(
  values: Float64Array | Float32Array,
  from: number,
  rows: number,
  pivot: Float64Array,
  chunk: Float64Array,
  to: number,
  sum: Float64Array,
  sumOfSquares?: Float64Array,
): void {
  const columns = pivot.length;
  for (let k = 0; k < rows; k++, from += columns, to += columns) {
    for (let i = 0; i < columns; i++) {
      const deviation = values[from + i]! - pivot[i]!;
      chunk[to + i] = deviation;
      sum[i]! += deviation;
      if (sumOfSquares !== undefined) sumOfSquares[i]! += deviation * deviation;
    }
  }
}
