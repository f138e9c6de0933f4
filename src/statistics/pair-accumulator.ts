import { meanSquares, type PairMoments } from './covariances.ts';
import { IncrementalProduct } from './incremental-product.ts';
import { RowBuffer } from './row-buffer.ts';
import { addShifted } from './merge.ts';
import { PairSnapshot, type PairMatmuls } from './pair-snapshot.ts';
import type { Deviations } from './tiled-matmul.ts';
import type { PairStatistics } from './sufficient-statistics.ts';

/** Deviations whose rows are kept until their products are formed. */
interface WaitingDeviations extends Deviations {
  readonly rows: RowBuffer;
}

/**
 * State of an accumulator for one layer pair: sums of columns about the pivots, updated with every batch, and rows
 * whose products are formed later.
 */
export class PairAccumulator {
  readonly nodes: number;
  readonly matmuls: PairMatmuls;
  readonly x: WaitingDeviations;
  readonly y: WaitingDeviations;
  readonly xy: IncrementalProduct;
  readonly xx: IncrementalProduct;
  #plain: IncrementalProduct | undefined;
  readonly #sumX: Float64Array;
  readonly #sumX2: Float64Array;
  readonly #sumY: Float64Array;
  readonly #sumY2: Float64Array;

  constructor(nodes: number, matmuls: PairMatmuls) {
    const zeros = (): Float64Array => new Float64Array(nodes);
    this.nodes = nodes;
    this.matmuls = matmuls;
    this.x = { rows: new RowBuffer(nodes), pivot: zeros() };
    this.y = { rows: new RowBuffer(nodes), pivot: zeros() };
    this.xy = new IncrementalProduct(nodes, matmuls.exact, false);
    this.xx = new IncrementalProduct(nodes, matmuls.exact, true);
    if (matmuls.plain !== matmuls.exact) this.#plain = new IncrementalProduct(nodes, matmuls.plain, false);
    [this.#sumX, this.#sumX2, this.#sumY, this.#sumY2] = [zeros(), zeros(), zeros(), zeros()];
  }

  /** Memory of the kept rows, in bytes */
  get keptBytes(): number {
    return this.x.rows.bytes + this.y.rows.bytes;
  }

  /** Rows that some product has not seen */
  get waitingRows(): number {
    return this.x.rows.end - Math.min(this.xy.seen, this.xx.seen);
  }

  /** X^T Y for plain correlations */
  get plain(): IncrementalProduct {
    return this.#plain ?? this.xy;
  }

  /** Whether that has products of its own. If so, all rows are kept until {@link PairAccumulator.endPlain}. */
  get formsPlain(): boolean {
    return this.#plain !== undefined;
  }

  /** Makes plain correlations use X^T Y of the statistics from now on: rows need not be kept for them any more. */
  endPlain(): void {
    this.#plain = undefined;
  }

  /** Sets the pivots to the column means of the first batch. */
  fixPivots(x: Float32Array | Float64Array, y: Float32Array | Float64Array, rows: number): void {
    columnMeans(x, rows, this.x.pivot);
    columnMeans(y, rows, this.y.pivot);
  }

  /** @param single keeps float64 in half the memory, see {@link RowBuffer.appendCentred} */
  add(x: Float32Array | Float64Array, y: Float32Array | Float64Array, rows: number, single: boolean): void {
    addColumns(x, rows, this.x.pivot, this.#sumX, this.#sumX2);
    addColumns(y, rows, this.y.pivot, this.#sumY, this.#sumY2);
    for (const [side, values] of [[this.x, x] as const, [this.y, y] as const]) {
      if (single && values instanceof Float64Array) side.rows.appendCentred(values, rows, side.pivot);
      else side.rows.append(values, rows);
    }
  }

  /** Forms X^T Y over all rows: for plain correlations, or for partial ones and statistics, which also need X^T X. */
  *form(forStatistics: boolean): Generator<undefined, void, undefined> {
    yield* (forStatistics ? this.xy : this.plain).catchUp(this.x, this.y);
    if (forStatistics) yield* this.xx.catchUp(this.x, this.x);
    if (this.formsPlain || this.waitingRows > 0) return;
    this.x.rows.dropAll();
    this.y.rows.dropAll();
  }

  /** The statistics, all arrays new, with products that are not kept; requires that no rows were dropped. */
  *formCopy(): Generator<undefined, PairStatistics, undefined> {
    const xy = new IncrementalProduct(this.nodes, this.matmuls.exact, false);
    const xx = new IncrementalProduct(this.nodes, this.matmuls.exact, true);
    yield* xy.catchUp(this.x, this.y);
    yield* xx.catchUp(this.x, this.x);
    return {
      pivotX: this.x.pivot.slice(),
      pivotY: this.y.pivot.slice(),
      sumX: this.#sumX.slice(),
      sumY: this.#sumY.slice(),
      sumY2: this.#sumY2.slice(),
      sumXY: xy.sums,
      sumXX: xx.sums,
      sumX2: this.#sumX2.slice(),
    };
  }

  /** Means and variances, from the sums of columns. */
  moments(samples: number): PairMoments {
    const scale = 1 / samples;
    const mean = (sums: Float64Array): Float64Array => sums.map((sum) => sum * scale);
    const variance = (squares: Float64Array, means: Float64Array): Float64Array =>
      squares.map((sum, i) => Math.max(sum * scale - means[i]! * means[i]!, 0));
    const [meanX, meanY] = [mean(this.#sumX), mean(this.#sumY)];
    const [varX, varY] = [variance(this.#sumX2, meanX), variance(this.#sumY2, meanY)];
    const meanX2 = meanSquares(this.x.pivot, meanX, varX);
    const meanY2 = meanSquares(this.y.pivot, meanY, varY);
    return { meanX, meanY, varX, varY, meanX2, meanY2 };
  }

  /** A snapshot of the current samples, which later batches do not change; requires that no rows were dropped. */
  snapshot(samples: number): PairSnapshot {
    const { x, y } = this;
    return new PairSnapshot(
      this.matmuls,
      samples,
      { rows: x.rows.snapshot(), pivot: x.pivot },
      { rows: y.rows.snapshot(), pivot: y.pivot },
      this.moments(samples),
    );
  }

  /** The current sums, not a copy, with the products formed so far. */
  statistics(): PairStatistics {
    return {
      pivotX: this.x.pivot,
      pivotY: this.y.pivot,
      sumX: this.#sumX,
      sumY: this.#sumY,
      sumY2: this.#sumY2,
      sumXY: this.xy.sums,
      sumXX: this.xx.sums,
      sumX2: this.#sumX2,
    };
  }

  /** Adds statistics over other samples. No rows may be pending. */
  merge(other: PairStatistics, samples: number): void {
    addShifted(this.statistics(), other, samples);
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

/**
 * Adds deviations from the pivots, and their squares, column by column. Four rows at a time, summed in order: the sums
 * are read and written once for four values.
 */
function addColumns(
  values: Float64Array | Float32Array,
  rows: number,
  pivot: Float64Array,
  sum: Float64Array,
  sumOfSquares: Float64Array,
): void {
  const columns = pivot.length;
  const fours = rows - (rows % 4);
  for (let k = 0; k < fours; k += 4) {
    const row0 = k * columns;
    const [row1, row2, row3] = [row0 + columns, row0 + 2 * columns, row0 + 3 * columns];
    for (let i = 0; i < columns; i++) {
      const shift = pivot[i]!;
      const d0 = values[row0 + i]! - shift;
      const d1 = values[row1 + i]! - shift;
      const d2 = values[row2 + i]! - shift;
      const d3 = values[row3 + i]! - shift;
      sum[i] = sum[i]! + d0 + d1 + d2 + d3;
      sumOfSquares[i] = sumOfSquares[i]! + d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3;
    }
  }
  for (let k = fours; k < rows; k++) {
    for (let i = 0; i < columns; i++) {
      const deviation = values[k * columns + i]! - pivot[i]!;
      sum[i]! += deviation;
      sumOfSquares[i]! += deviation * deviation;
    }
  }
}
