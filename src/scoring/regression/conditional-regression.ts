import { createYielder, runYielding } from '../../statistics/yielder.ts';
import { mixedBlocks } from '../../statistics/mixed-blocks.ts';
import type { SufficientStatistics } from '../../statistics/sufficient-statistics.ts';
import { aggregatePairs } from '../aggregate.ts';
import type { LayerAggregation } from '../score-matrices.ts';
import type { ConditionalScores } from '../select-edges.ts';
import { solveDefinite } from '../solve-definite.ts';
import { regressPair, type PairRegression, type RidgeSettings } from './regress-pair.ts';

/**
 * Regression scores of targets for which sources have been selected; the coefficients of these sources are no longer
 * penalised (method.md, "Stagewise selection"). With T those sources of target j and A the inverse that all targets
 * share, `beta_T = beta + A_:T (I / lambda - A_TT)^-1 beta_T0` (Woodbury): only a system of size |T| is factored.
 */
export class ConditionalRegression implements ConditionalScores {
  readonly nodes: number;
  readonly #regressions: readonly PairRegression[];
  readonly #lambda: number;
  readonly #layerAgg: LayerAggregation;
  readonly #selected: number[][];

  private constructor(
    nodes: number,
    regressions: readonly PairRegression[],
    { lambda, layerAgg }: RidgeSettings & { readonly layerAgg: LayerAggregation },
  ) {
    this.nodes = nodes;
    this.#regressions = regressions;
    this.#lambda = lambda;
    this.#layerAgg = layerAgg;
    this.#selected = Array.from({ length: nodes }, () => []);
  }

  /** @throws `out-of-memory` or RangeError if memory for inverses runs out; the signal's reason once it is aborted */
  static async create(
    { nodes, samples, pairs }: SufficientStatistics,
    settings: RidgeSettings & {
      readonly layerAgg: LayerAggregation;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<ConditionalRegression> {
    const yielder = createYielder(settings.signal);
    const memory = mixedBlocks();
    const regressions: PairRegression[] = [];
    for (const pair of pairs) {
      regressions.push(
        await runYielding(regressPair(memory, pair, { samples, size: samples }, settings, true), yielder),
      );
    }
    return new ConditionalRegression(nodes, regressions, settings);
  }

  columns(targets: Uint32Array): Promise<Float64Array[]> {
    return Promise.resolve(
      Array.from(targets, (target) => {
        const perPair = this.#regressions.map((regression) => this.#column(regression, target));
        const column = new Float64Array(this.nodes);
        aggregatePairs(perPair, this.#layerAgg, 0, this.nodes, column);
        return column;
      }),
    );
  }

  select(source: number, target: number): void {
    this.#selected[target]!.push(source);
  }

  conditioned(target: number): number {
    return this.#selected[target]!.length;
  }

  #column({ beta, inverse, sourceError }: PairRegression, target: number): Float64Array {
    const { nodes } = this;
    const column = Float64Array.from({ length: nodes }, (_, source) => beta[source * nodes + target]!);
    // Sources that are constant in this layer pair are not in its regression.
    const selected = this.#selected[target]!.filter((source) => !Number.isNaN(sourceError[source]!));
    const weights = ridgeless(
      selected.map((a) => selected.map((b) => inverse!(a, b))),
      selected.map((source) => [column[source]!]),
      this.#lambda,
    );
    if (weights === undefined) return column.fill(NaN);
    for (let source = 0; source < nodes; source++) {
      if (Number.isNaN(column[source]!)) continue;
      for (const [k, a] of selected.entries()) column[source]! += inverse!(source, a) * weights[k]![0]!;
    }
    return column;
  }
}

/**
 * Solves `(I / lambda - A_TT) W = B_T`, which removes the ridge from the rows T of a regression.
 *
 * @returns undefined if the sources T depend on each other, so that without a ridge they have no coefficients
 */
export function ridgeless(
  inverse: readonly (readonly number[])[],
  right: readonly (readonly number[])[],
  lambda: number,
): number[][] | undefined {
  const size = inverse.length;
  const factor = Float64Array.from({ length: size ** 2 }, (_, at) => {
    const [a, b] = [Math.floor(at / size), at % size];
    return (a === b ? 1 / lambda : 0) - inverse[a]![b]!;
  });
  return solveDefinite(factor, right, DEPENDENT);
}

/** If sources depend on each other, the remaining pivot is rounding error of A, well below this share of it. */
const DEPENDENT = 1e-12;
