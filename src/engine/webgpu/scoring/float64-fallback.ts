import { BufferPool, createStorage, type BufferView } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { readBack } from '../../../gpu/readback.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import type { RaggedIndices } from '../../../statistics/ragged.ts';
import { panelOf, quantityOf, sumIndex } from '../statistics/layout.ts';
import type { SumSource } from '../statistics/sum-source.ts';
import { isConstant, remainderLimits } from '../../../scoring/constant-nodes.ts';
import { solvePartialColumn } from '../../../scoring/partial-column.ts';
import type { ScoreRequest } from '../../../scoring/score-matrices.ts';

/** Most bytes of sums that are fetched at a time. */
const FETCH_BYTES = 64 * 2 ** 20;

/** Columns of partial correlations in float64 from the sums on the GPU, fetching no more of them than they need. */
export class Float64Fallback {
  readonly #context: GpuContext;
  readonly #sums: SumSource;
  readonly #samples: number;
  readonly #yielder: SubmitThrottle;

  constructor(context: GpuContext, sums: SumSource, samples: number, yielder: SubmitThrottle) {
    this.#context = context;
    this.#sums = sums;
    this.#samples = samples;
    this.#yielder = yielder;
  }

  /**
   * Computes columns of one layer pair as the CPU backend would.
   *
   * @param targets ascending
   * @param take is given each target's `[N]` scores, valid during the call, and whether its set is singular; the next
   *   target waits for what it returns
   */
  async score(
    pair: number,
    targets: readonly number[],
    { conditioningSets: sets, ridge, varianceFloor }: ScoreRequest,
    take: (target: number, scores: Float64Array, singular: boolean) => Promise<void> | undefined,
  ): Promise<void> {
    const { nodes, stride } = this.#sums.layout;
    const scores = new Float64Array(nodes);
    const limits = remainderLimits(varianceFloor);
    const columns = await this.#columns(pair);
    const most = Math.max(2, Math.floor(FETCH_BYTES / (8 * stride)));
    for (const group of groupTargets(targets, sets, most)) {
      const rows = await this.#fetchLines(pair, group.rows);
      const crosses = await this.#fetchTargets(pair, group.targets);
      const rowOf = new Map(group.rows.map((source, row) => [source, rows[row]!]));
      for (const [at, target] of group.targets.entries()) {
        const set = sets.indices.subarray(sets.offsets[target], sets.offsets[target + 1]);
        const fetched = { diagonal: rows.at(-1)!, rowOf, cross: crosses[at]! };
        const system = this.#system(columns, fetched, set, target, varianceFloor);
        const singular = !solvePartialColumn(system, ridge, limits, scores, this.#sums.roundoff);
        await take(target, scores, singular);
      }
    }
  }

  /** The system of one target; covariances are formed as src/scoring/partial.ts forms them. */
  #system(
    columns: Columns,
    fetched: Fetched,
    set: Uint32Array,
    target: number,
    varianceFloor: number | undefined,
  ) {
    const { x, y } = columns;
    const { nodes } = this.#sums.layout;
    const n = this.#samples;
    const covSX = new Float64Array(set.length * nodes);
    const covSS = new Float64Array(set.length * set.length);
    const covXY = new Float64Array(nodes);
    const varX = new Float64Array(nodes);
    const usable = (variance: number, level: number): number =>
      isConstant(variance, variance + level ** 2, varianceFloor) ? NaN : variance;
    for (let i = 0; i < nodes; i++) {
      const variance = fetched.diagonal[i]! / x.scale[i]! ** 2 / n - x.mean[i]! * x.mean[i]!;
      varX[i] = usable(Math.max(variance, 0), x.level[i]!);
      covXY[i] = fetched.cross[i]! / (x.scale[i]! * y.scale[target]!) / n - x.mean[i]! * y.mean[target]!;
    }
    for (const [k, member] of set.entries()) {
      const row = fetched.rowOf.get(member)!;
      for (let i = 0; i < nodes; i++) {
        covSX[k * nodes + i] = row[i]! / (x.scale[member]! * x.scale[i]!) / n - x.mean[member]! * x.mean[i]!;
      }
      for (const [m, other] of set.entries()) covSS[k * set.length + m] = covSX[k * nodes + other]!;
    }
    const covSY = Float64Array.from(set, (member) => covXY[member]!);
    const variance = y.squares[target]! / n - y.mean[target]! * y.mean[target]!;
    const varY = usable(Math.max(variance, 0), y.level[target]!);
    return { set, target, covSS, covSY, covSX, covXY, varX, varY };
  }

  /** Means, mean squares and scales of a layer pair's columns. */
  async #columns(pair: number): Promise<Columns> {
    const bytes = await readBack(this.#context, [this.#sums.pivots, this.#sums.columnSums]);
    const [pivots, columnSums] = bytes.map((words) => new Float32Array(words)) as [
      Float32Array,
      Float32Array,
    ];
    const { nodes, stride } = this.#sums.layout;
    const read = (quantity: number): Column => {
      const every = (value: (at: number, scale: number) => number): Float64Array =>
        Float64Array.from({ length: nodes }, (_, node) => {
          const at = quantity * stride + node;
          return value(at, pivots[2 * at + 1]!);
        });
      const mean = every(
        (at, scale) => (columnSums[4 * at]! + columnSums[4 * at + 1]!) / scale / this.#samples,
      );
      return {
        scale: every((_, scale) => scale),
        mean,
        level: mean.map((deviation, node) => pivots[2 * (quantity * stride + node)]! + deviation),
        squares: every((at, scale) => (columnSums[4 * at + 2]! + columnSums[4 * at + 3]!) / scale ** 2),
      };
    };
    return { x: read(quantityOf.x(pair)), y: read(quantityOf.y(pair)) };
  }

  /** Brings lines of X^T X and, after them, its diagonal to the host: `[N]` sums each, still scaled. */
  async #fetchLines(pair: number, sources: readonly number[]): Promise<Float64Array[]> {
    const { nodes, stride } = this.#sums.layout;
    const pool = new BufferPool();
    try {
      const create = async (label: string, lines: number): Promise<BufferView> =>
        pool.keep(
          await created(this.#context, label, () => createStorage(this.#context, label, 8 * stride * lines)),
        );
      const lines = await create('lines of X^T X', sources.length);
      const diagonal = await create('diagonal of X^T X', 1);
      await this.#sums.rowsXX(pair, Uint32Array.from(sources), lines, this.#yielder);
      await this.#sums.diagonalXX(pair, diagonal, this.#yielder);
      const [fetched, last] = await readBack(this.#context, [lines, diagonal]);
      const words = new Float32Array(stride * 2 * (sources.length + 1));
      words.set(new Float32Array(fetched!, 0, stride * 2 * sources.length));
      words.set(new Float32Array(last!, 0, stride * 2), stride * 2 * sources.length);
      return Array.from({ length: sources.length + 1 }, (_, line) =>
        Float64Array.from({ length: nodes }, (_, node) => {
          const at = 2 * (line * stride + node);
          return words[at]! + words[at + 1]!;
        }),
      );
    } finally {
      pool.destroy();
    }
  }

  /** Brings the sums of targets with all sources to the host: `[N]` each, still scaled. */
  async #fetchTargets(pair: number, targets: readonly number[]): Promise<Float64Array[]> {
    const { layout } = this.#sums;
    const { nodes, stride } = layout;
    const sums: Float64Array[] = [];
    for (const panel of layout.panels) {
      const rows = targets.filter((target) => panelOf(layout, target) === panel);
      if (rows.length === 0) continue;
      const { buffer, offset } = await this.#sums.sumXY(pair, panel, this.#yielder);
      const size = 8 * stride;
      const views = rows.map((target) => ({ buffer, offset: offset + (target - panel.row) * size, size }));
      for (const bytes of await readBack(this.#context, views)) {
        const words = new Float32Array(bytes);
        sums.push(
          Float64Array.from({ length: nodes }, (_, node) => {
            const at = sumIndex(0, node, stride);
            return words[at]! + words[at + 4]!;
          }),
        );
      }
    }
    return sums;
  }
}

interface Column {
  readonly scale: Float64Array;
  /** Of the deviations from the pivot */
  readonly mean: Float64Array;
  /** Mean of the magnitudes themselves */
  readonly level: Float64Array;
  /** Sum of their squares */
  readonly squares: Float64Array;
}

interface Columns {
  readonly x: Column;
  readonly y: Column;
}

interface Fetched {
  readonly diagonal: Float64Array;
  readonly rowOf: ReadonlyMap<number, Float64Array>;
  readonly cross: Float64Array;
}

/** Cuts targets into groups that need at most `most` lines, or hold a single target. */
function* groupTargets(
  targets: readonly number[],
  sets: RaggedIndices,
  most: number,
): Generator<{ targets: number[]; rows: number[] }> {
  let group: number[] = [];
  let rows = new Set<number>();
  for (const target of targets) {
    const set = sets.indices.subarray(sets.offsets[target], sets.offsets[target + 1]);
    const together = new Set([...rows, ...set]);
    if (group.length > 0 && together.size + group.length + 2 > most) {
      yield { targets: group, rows: [...rows] };
      group = [];
      rows = new Set(set);
    } else {
      rows = together;
    }
    group.push(target);
  }
  if (group.length > 0) yield { targets: group, rows: [...rows] };
}
