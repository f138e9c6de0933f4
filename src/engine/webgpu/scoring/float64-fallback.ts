import { BufferPool, createStorage, type BufferView } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { readBack } from '../../../gpu/readback.ts';
import type { SubmitThrottle } from '../../../gpu/submit-throttle.ts';
import type { RaggedIndices } from '../../../statistics/ragged.ts';
import { createYielder, runYielding } from '../../../statistics/yielder.ts';
import { panelOf, quantityOf, sumIndex } from '../statistics/layout.ts';
import type { SumSource } from '../statistics/sum-source.ts';
import { scoredMoments } from '../../../scoring/constant-nodes.ts';
import { NODE_FLAG } from '../../../scoring/node-flags.ts';
import { PartialScorer } from '../../../scoring/partial.ts';
import type { PairBasis } from '../../../scoring/product-source.ts';
import type { ScoreRequest } from '../../../scoring/score-matrices.ts';

/** Most bytes of sums fetched at a time. */
const FETCH_BYTES = 64 * 2 ** 20;

/** Computes columns of partial correlations in float64 on the host, fetching only the sums that they need. */
export class Float64Fallback {
  readonly #context: GpuContext;
  readonly #sums: SumSource;
  readonly #samples: number;
  readonly #throttle: SubmitThrottle;

  constructor(context: GpuContext, sums: SumSource, samples: number, throttle: SubmitThrottle) {
    this.#context = context;
    this.#sums = sums;
    this.#samples = samples;
    this.#throttle = throttle;
  }

  /**
   * Computes columns of one layer pair as the CPU backend would.
   *
   * @param targets ascending
   * @param take receives each target's `[N]` scores, valid during the call, and whether its set is singular; its
   *   promise is awaited before the next target
   */
  async score(
    pair: number,
    targets: readonly number[],
    { conditioningSets: sets, ridge, varianceFloor, signal }: ScoreRequest,
    take: (target: number, scores: Float64Array, singular: boolean) => Promise<void> | undefined,
  ): Promise<void> {
    const { nodes, stride } = this.#sums.layout;
    const scorer = new PartialScorer(
      nodes,
      { conditioningSets: sets, ridge, varianceFloor },
      this.#sums.roundoff,
    );
    const scores = new Float64Array(nodes);
    const flags = new Uint8Array(nodes);
    const yielder = createYielder(signal);
    const columns = await this.#columns(pair);
    const most = Math.max(2, Math.floor(FETCH_BYTES / (8 * stride)));
    for (const group of groupTargets(targets, sets, most)) {
      const rows = await this.#fetchLines(pair, group.rows);
      const crosses = await this.#fetchTargets(pair, group.targets);
      const basis = this.#basis(columns, group.rows, rows, varianceFloor);
      for (const [at, target] of group.targets.entries()) {
        const scale = columns.y.scale[target]!;
        const values = crosses[at]!.map((sum, i) => sum / (columns.x.scale[i]! * scale));
        const tile = { values, stride: 1, first: target, end: target + 1 };
        const out = { values: scores, stride: 1, first: target };
        await runYielding(scorer.score(basis, tile, out, flags), yielder);
        await take(target, scores, (flags[target]! & NODE_FLAG.singularSet) !== 0);
      }
    }
  }

  /** What the scores need besides X^T Y. @param lines rows of X^T X for `members` and, after them, its diagonal */
  #basis(
    { x, y }: Columns,
    members: readonly number[],
    lines: readonly Float64Array[],
    varianceFloor: number | undefined,
  ): PairBasis {
    const { nodes } = this.#sums.layout;
    const samples = this.#samples;
    const lineOf = new Map(members.map((member, line) => [member, lines[line]!]));
    const diagonal = lines.at(-1)!;
    const variance = (squares: number, mean: number): number => Math.max(squares / samples - mean * mean, 0);
    const varX = x.mean.map((mean, i) => variance(diagonal[i]! / x.scale[i]! ** 2, mean));
    const varY = y.mean.map((mean, j) => variance(y.squares[j]!, mean));
    const moments = {
      ...{ meanX: x.mean, meanY: y.mean, varX, varY },
      meanX2: varX.map((own, i) => own + x.level[i]! ** 2),
      meanY2: varY.map((own, j) => own + y.level[j]! ** 2),
    };
    const at = (member: number, other: number): number =>
      lineOf.get(member)![other]! / (x.scale[member]! * x.scale[other]!);
    return {
      nodes,
      samples,
      moments: scoredMoments(moments, varianceFloor),
      sources: {
        at,
        copyPart: (member, first, end, out, to) => {
          for (let other = first; other < end; other++) out[to + other - first] = at(member, other);
        },
      },
    };
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

  /** Reads rows of X^T X and, after them, its diagonal back to the host: `[N]` sums each, still scaled. */
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
      await this.#sums.rowsXX(pair, Uint32Array.from(sources), lines, this.#throttle);
      await this.#sums.diagonalXX(pair, diagonal, this.#throttle);
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

  /** Reads the sums of targets with all sources back to the host: `[N]` each, still scaled. */
  async #fetchTargets(pair: number, targets: readonly number[]): Promise<Float64Array[]> {
    const { layout } = this.#sums;
    const { nodes, stride } = layout;
    const sums: Float64Array[] = [];
    for (const panel of layout.panels) {
      const rows = targets.filter((target) => panelOf(layout, target) === panel);
      if (rows.length === 0) continue;
      const { buffer, offset } = await this.#sums.sumXY(pair, panel, this.#throttle);
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
  /** Mean of the deviations from the pivot */
  readonly mean: Float64Array;
  /** Mean of the magnitudes themselves */
  readonly level: Float64Array;
  /** Sum of squares of the deviations */
  readonly squares: Float64Array;
}

interface Columns {
  readonly x: Column;
  readonly y: Column;
}

/** Splits targets into groups that need at most `most` rows of sums, or hold a single target. */
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
