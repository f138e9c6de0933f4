import { PIECE_ROWS } from './row-buffer.ts';
import { checkSameShape, copyPair } from './merge.ts';
import { runToEnd } from './yielder.ts';
import { PairAccumulator } from './pair-accumulator.ts';
import { TiledMatmul } from './tiled-matmul.ts';
import type { PairStatistics, SufficientStatistics } from './sufficient-statistics.ts';

/** Bytes of the N x N sums of so many layer pairs. @param plain X^T Y of plain correlations, twice, is beside the others */
export function sumsBytes(nodes: number, pairs: number, plain = false): number {
  return (plain ? 4 : 2) * 8 * nodes ** 2 * pairs;
}

/** Most bytes of one X^T Y that is formed before anybody asks: where only channels are scored, nobody does. */
const AHEAD_BYTES = 2 ** 26;

/** Rows that wait at a time once products are added as samples come: few passes over the sums, little room. */
const WAITING_ROWS = 2 * PIECE_ROWS;

/**
 * How products come about: `magnitudes` keeps rows and forms products when scores or statistics are asked for; `sums`
 * adds the products of rows as they come, since more of them than the sums take room for would have to be kept.
 */
export type Plan = 'sums' | 'magnitudes';

/**
 * Sums over magnitudes in float64, about the column means of the first batch (method.md, "Sufficient statistics");
 * the twin of the accumulation kernels. Rows wait for as long as they take no more room than the sums would (2 N rows
 * of float32): products over many rows at once are cheaper, and those that nobody asks for are never formed.
 */
export class CpuAccumulator {
  readonly #nodes: number;
  readonly #pairs: readonly PairAccumulator[];
  readonly #roomPerPair: number;
  #tiled: boolean;
  #samples = 0;
  #plan: Plan = 'magnitudes';

  /**
   * @param memory bytes that the sums may take. Where they would take more, products are formed tile by tile for every
   *   request and not kept, and it is the caller's to see how many rows are added; else rows wait in half of it at most.
   * @param products shared by accumulators that take turns
   * @param plainProducts those of X^T Y for plain correlations, where they are others: for as long as all rows wait, which they
   *   do in half of `memory` then, or no sums are held
   */
  constructor(
    nodes: number,
    pairs: number,
    {
      memory = Infinity,
      products = new TiledMatmul(nodes),
      plainProducts = products,
    }: { memory?: number; products?: TiledMatmul; plainProducts?: TiledMatmul } = {},
  ) {
    this.#nodes = nodes;
    const formed = { exact: products, plain: plainProducts };
    this.#pairs = Array.from({ length: pairs }, () => new PairAccumulator(nodes, formed));
    const plain = plainProducts !== products;
    this.#roomPerPair = Math.max(
      Math.min(plain ? Infinity : sumsBytes(nodes, 1), memory / pairs / 2),
      // A few rows at least, or products of small graphs would be formed a handful of rows at a time.
      2 * 4 * nodes * WAITING_ROWS,
    );
    this.#tiled = sumsBytes(nodes, pairs, plain) > memory;
  }

  /** N, function nodes */
  get nodes(): number {
    return this.#nodes;
  }

  /** n, samples added */
  get samples(): number {
    return this.#samples;
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** Whether there are no sums: products are formed tile by tile for every request. */
  get tiled(): boolean {
    return this.#tiled;
  }

  get pairs(): readonly PairAccumulator[] {
    return this.#pairs;
  }

  /**
   * Adds one batch. The values must be finite; the arrays may be used again as soon as the call returns.
   * {@link CpuAccumulator.settle} must follow.
   *
   * @param x P entries, row-major `[size, nodes]`
   * @param y P entries, row-major `[size, nodes]`
   */
  add(
    x: readonly (Float64Array | Float32Array)[],
    y: readonly (Float64Array | Float32Array)[],
    size: number,
  ): void {
    this.#pairs.forEach((pair, p) => {
      if (this.#samples === 0) pair.fixPivots(x[p]!, y[p]!, size);
      pair.add(x[p]!, y[p]!, size, this.#tiled);
    });
    this.#samples += size;
  }

  /** Forms the products of waiting rows where they take too much room: some milliseconds of work at a time. */
  *drain(): Generator<undefined, void, undefined> {
    if (this.#tiled) return;
    for (const pair of this.#pairs) {
      if (pair.keptBytes > this.#roomPerPair) this.#plan = 'sums';
      if (this.#plan === 'sums') pair.endPlain();
      if (this.#plan === 'sums' && pair.waitingRows >= WAITING_ROWS) yield* pair.form(true);
    }
  }

  /**
   * Forms a tile of X^T Y over rows that wait, where there are many: nearly every score needs it, and a thread that has nothing
   * to do may as well begin.
   *
   * @returns whether there was such a tile
   * @throws RangeError or `out-of-memory` where it finds no room; nothing is lost
   */
  *formAhead(): Generator<undefined, boolean, undefined> {
    const wanted = !this.#tiled && 8 * this.#nodes ** 2 <= AHEAD_BYTES;
    const pair = this.#pairs.find(({ x, plain }) => wanted && x.rows.end - plain.seen >= WAITING_ROWS);
    if (pair === undefined) return false;
    yield* pair.plain.catchUpTile(pair.x, pair.y);
    return true;
  }

  /**
   * A copy of the statistics, with all products up to date. Where there are no sums none are kept: what is asked later is
   * answered as if this had not been.
   *
   * @throws RangeError where they find no room
   */
  *copy(): Generator<undefined, SufficientStatistics, undefined> {
    const pairs: PairStatistics[] = [];
    for (const pair of this.#pairs) {
      if (this.#tiled) {
        pairs.push(yield* pair.formApart());
      } else {
        yield* pair.form(true);
        pairs.push(copyPair(pair.statistics()));
      }
    }
    return { nodes: this.#nodes, samples: this.#samples, pairs };
  }

  /** {@link CpuAccumulator.copy} without a pause. */
  statistics(): SufficientStatistics {
    return runToEnd(this.copy());
  }

  /**
   * Adds statistics over other samples. Sums are kept from then on, whatever room they take. The rows that wait join them
   * first: what comes of it does not depend on what was asked before.
   *
   * @throws `graph-mismatch` where the shapes differ; RangeError as above
   */
  *merge(other: SufficientStatistics): Generator<undefined, void, undefined> {
    checkSameShape({ nodes: this.#nodes, pairs: this.#pairs }, other);
    if (other.samples === 0) return;
    this.#keepSums();
    for (const pair of this.#pairs) {
      if (pair.formsPlain) this.#plan = 'sums';
      pair.endPlain();
      yield* pair.form(true);
    }
    this.#pairs.forEach((pair, p) => {
      if (this.#samples === 0) {
        pair.x.pivot.set(other.pairs[p]!.pivotX);
        pair.y.pivot.set(other.pairs[p]!.pivotY);
      }
      pair.merge(other.pairs[p]!, other.samples);
    });
    this.#samples += other.samples;
  }

  #keepSums(): void {
    if (!this.#tiled) return;
    // Asked for before anything changes: where there is no room for them, rows and samples stay as they were.
    for (const pair of this.#pairs) pair.statistics();
    this.#tiled = false;
    this.#plan = 'sums';
  }
}
