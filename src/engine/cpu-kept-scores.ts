import { aggregatePairs } from '../scores/aggregate.ts';
import { HostScores } from '../scores/host-scores.ts';
import { KEPT_BYTES, targetsToScore } from '../scores/kept-scores.ts';
import type { PValueRows } from '../scores/p-values.ts';
import type { ScoreMatrices, ScoreRequest, TargetsRequest } from '../scores/score-matrices.ts';
import { aggregateScores } from '../scores/score-statistics.ts';
import { createPacer } from '../statistics/pacer.ts';

type Matrix = Float64Array | Float32Array;

/** Scores the targets of a request: one new matrix per layer pair. */
export type ScoreTargets = (request: TargetsRequest) => Promise<Matrix[]>;

/** The scores of the last request, from which the next one over the same samples takes what has not changed. */
export class KeptScores {
  readonly #nodes: number;
  /** How often the samples have changed */
  #samples = 0;
  #last: { request: ScoreRequest; matrices: ScoreMatrices; handle: HostScores } | undefined;

  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** Forgets them, and those being computed: the samples are others. */
  clear(): void {
    this.#last = undefined;
    this.#samples++;
  }

  /** The scores of a request that has been checked. @param pValues for the handle */
  async scores(
    request: ScoreRequest,
    scoreTargets: ScoreTargets,
    pValues?: (rows: PValueRows) => Promise<Float64Array>,
  ): Promise<HostScores> {
    const last = this.#last;
    const targets = last && targetsToScore(last.request, request);
    const nodes = this.#nodes;
    const pace = createPacer(request.signal);
    const samples = this.#samples;
    let matrices: ScoreMatrices;
    if (last === undefined || targets === undefined) {
      this.#last = undefined;
      const perPair = await scoreTargets(request);
      matrices = { nodes, perPair, aggregated: await aggregateScores(perPair, request, nodes, pace) };
    } else {
      const fresh = targets.length > 0 ? await scoreTargets({ ...request, targets }) : [];
      // Whoever still holds the last ones must not see them change.
      const own = <T extends Matrix>(matrix: T): T => (last.handle.released ? matrix : (matrix.slice() as T));
      const sameWay = last.request.layerAgg === request.layerAgg;
      const perPair = last.matrices.perPair.map(own);
      fresh.forEach((columns, p) => {
        copyColumns(columns, perPair[p]!, targets, nodes);
      });
      let aggregated = last.matrices.aggregated;
      if (sameWay) {
        aggregated = own(aggregated);
        for (const target of targets) {
          for (let at = target; at < aggregated.length; at += nodes) {
            aggregatePairs(perPair, request.layerAgg, at, at + 1, aggregated);
          }
        }
      } else {
        this.#last = undefined;
        aggregated = await aggregateScores(perPair, request, nodes, pace);
      }
      matrices = { nodes, perPair, aggregated };
    }
    const handle = new HostScores(matrices, targets?.length ?? nodes, pValues);
    const bytes = [matrices.aggregated, ...matrices.perPair].reduce(
      (sum, { byteLength }) => sum + byteLength,
      0,
    );
    if (samples === this.#samples)
      this.#last = bytes <= KEPT_BYTES ? { request, matrices, handle } : undefined;
    return handle;
  }
}

function copyColumns(from: Matrix, to: Matrix, columns: Uint32Array, nodes: number): void {
  for (let row = 0; row < from.length; row += nodes) {
    for (const column of columns) to[row + column] = from[row + column]!;
  }
}
