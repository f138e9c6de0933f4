import { PIECE_ROWS } from './row-buffer.ts';
import { checkSameShape, copyPair } from './merge.ts';
import { runToEnd } from './yielder.ts';
import { PairAccumulator } from './pair-accumulator.ts';
import { TiledMatmul } from './tiled-matmul.ts';
import type { PairStatistics, SufficientStatistics } from './sufficient-statistics.ts';

/**
 * Bytes of the N x N sums of `pairs` layer pairs. @param plain counts, twice, a separate X^T Y of plain correlations
 */
export function sumsBytes(nodes: number, pairs: number, plain = false): number {
  return (plain ? 4 : 2) * 8 * nodes ** 2 * pairs;
}

/** Most bytes of one X^T Y that is formed ahead of any request: no request comes if only channels are scored. */
const AHEAD_BYTES = 2 ** 26;

/** Pending rows per pass once products are added as samples arrive: few passes over the sums, little memory. */
const WAITING_ROWS = 2 * PIECE_ROWS;

/**
 * When products are formed: `magnitudes` keeps rows and forms products once scores or statistics are requested; `sums`
 * adds the products of rows as they arrive, because the rows would take more memory than the sums.
 */
export type Plan = 'sums' | 'magnitudes';

/**
 * Sums over magnitudes in float64, about the column means of the first batch (method.md, "Sufficient statistics"); the
 * twin of the accumulation kernels. Rows are kept as long as they take no more memory than the sums would (2 N rows of
 * float32): products over many rows at once are cheaper, and products that are never requested are never formed.
 */
export class CpuAccumulator {
  readonly #nodes: number;
  readonly #pairs: readonly PairAccumulator[];
  readonly #maxBytesPerPair: number;
  #tiled: boolean;
  #samples = 0;
  #plan: Plan = 'magnitudes';

  /**
   * @param memory bytes that the sums may take. If they would take more, products are formed tile by tile for every
   *   request and not kept, and the caller limits how many rows are added; otherwise kept rows take at most half of it.
   * @param matmul shared by accumulators that take turns
   * @param plainMatmul forms X^T Y for plain correlations, if that differs: as long as all rows are kept, which may
   *   then take at most half of `memory`, or no sums are held
   */
  constructor(
    nodes: number,
    pairs: number,
    {
      memory = Infinity,
      matmul = new TiledMatmul(nodes),
      plainMatmul = matmul,
    }: { memory?: number; matmul?: TiledMatmul; plainMatmul?: TiledMatmul } = {},
  ) {
    this.#nodes = nodes;
    const matmuls = { exact: matmul, plain: plainMatmul };
    this.#pairs = Array.from({ length: pairs }, () => new PairAccumulator(nodes, matmuls));
    const plain = plainMatmul !== matmul;
    this.#maxBytesPerPair = Math.max(
      Math.min(plain ? Infinity : sumsBytes(nodes, 1), memory / pairs / 2),
      // At least a few rows, or products of small graphs would be formed a handful of rows at a time.
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

  /** Whether no sums are held: products are formed tile by tile for every request. */
  get tiled(): boolean {
    return this.#tiled;
  }

  get pairs(): readonly PairAccumulator[] {
    return this.#pairs;
  }

  /**
   * Adds one batch. The values must be finite; the arrays may be reused as soon as the call returns.
   * {@link CpuAccumulator.drain} must follow.
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

  /** Forms the products of kept rows that take too much memory, some milliseconds of work at a time. */
  *drain(): Generator<undefined, void, undefined> {
    if (this.#tiled) return;
    for (const pair of this.#pairs) {
      if (pair.keptBytes > this.#maxBytesPerPair) this.#plan = 'sums';
      if (this.#plan === 'sums') pair.endPlain();
      if (this.#plan === 'sums' && pair.waitingRows >= WAITING_ROWS) yield* pair.form(true);
    }
  }

  /**
   * Forms a tile of X^T Y over pending rows, if there are many: nearly every score needs it, so an idle thread may as
   * well begin.
   *
   * @returns whether there was such a tile
   * @throws RangeError or `out-of-memory` if memory runs out; nothing is lost
   */
  *formAhead(): Generator<undefined, boolean, undefined> {
    const worthwhile = !this.#tiled && 8 * this.#nodes ** 2 <= AHEAD_BYTES;
    const pair = this.#pairs.find(({ x, plain }) => worthwhile && x.rows.end - plain.seen >= WAITING_ROWS);
    if (pair === undefined) return false;
    yield* pair.plain.catchUpTile(pair.x, pair.y);
    return true;
  }

  /**
   * A copy of the statistics, with all products up to date. If no sums are held, this keeps none: it does not affect
   * later requests.
   *
   * @throws RangeError if memory runs out
   */
  *copy(): Generator<undefined, SufficientStatistics, undefined> {
    const pairs: PairStatistics[] = [];
    for (const pair of this.#pairs) {
      if (this.#tiled) {
        pairs.push(yield* pair.formCopy());
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
   * Adds statistics over other samples. From then on sums are held, whatever memory they take. Pending rows are added
   * first, so that the result does not depend on earlier requests.
   *
   * @throws `graph-mismatch` if the shapes differ; RangeError as above
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
    // Allocated before anything changes: if memory runs out, rows and samples stay as they were.
    for (const pair of this.#pairs) pair.statistics();
    this.#tiled = false;
    this.#plan = 'sums';
  }
}
