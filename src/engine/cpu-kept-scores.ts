import { aggregatePairs } from '../scores/aggregate.ts';
import { HostScores } from '../scores/host-scores.ts';
import { KEPT_BYTES, targetsToScore } from '../scores/kept-scores.ts';
import { ownArray } from '../scores/new-array.ts';
import type { ScoreMatrices, ScoreRequest, TargetsRequest } from '../scores/score-matrices.ts';
import { aggregateScores } from '../scores/score-statistics.ts';
import { createPacer } from '../statistics/pacer.ts';
import type { CpuSums } from './cpu-sums.ts';
import type { EngineShape } from './engine.ts';

/** What gives the scores of layer pairs. */
export type PairScores = Pick<CpuSums, 'scores' | 'threads'>;

/** Matrices of the CPU engine */
interface HeldMatrices extends ScoreMatrices {
  readonly aggregated: Float64Array;
  readonly perPair: readonly Float64Array[];
}

/** The scores of the last request, from which the next one over the same samples takes what has not changed. */
export class KeptScores {
  readonly #shape: EngineShape;
  /** How often the samples have changed */
  #samples = 0;
  #last: { request: ScoreRequest; matrices: HeldMatrices; handle: HostScores } | undefined;

  constructor(shape: EngineShape) {
    this.#shape = shape;
  }

  /** Forgets them, and those being computed: the samples are others. */
  clear(): void {
    this.#last = undefined;
    this.#samples++;
  }

  /** The scores of a request that has been checked. */
  async scores(request: ScoreRequest, sums: PairScores): Promise<HostScores> {
    const last = this.#last;
    const targets = last && targetsToScore(last.request, request);
    const { nodes, pairs } = this.#shape;
    const samples = this.#samples;
    const newArray = sums.threads?.shared?.newArray ?? ownArray;
    const newMatrix = (): Float64Array => newArray(Float64Array, nodes ** 2);
    const score = (targets: TargetsRequest): Promise<readonly Float64Array[]> =>
      sums.scores(targets, Array.from({ length: pairs }, newMatrix));
    const aggregate = async (perPair: readonly Float64Array[]): Promise<Float64Array> => {
      const aggregated = newMatrix();
      const here = (): Promise<Float64Array> =>
        aggregateScores(perPair, request, nodes, createPacer(request.signal), aggregated);
      const shared = sums.threads?.shared;
      await (shared ? shared.aggregate(perPair, request.layerAgg, aggregated).catch(here) : here());
      return aggregated;
    };
    let matrices: HeldMatrices;
    if (last === undefined || targets === undefined) {
      this.#last = undefined;
      const perPair = await score(request);
      matrices = { nodes, perPair, aggregated: await aggregate(perPair) };
    } else {
      const fresh = targets.length > 0 ? await score({ ...request, targets }) : [];
      // Whoever still holds the last ones must not see them change.
      const own = (matrix: Float64Array): Float64Array => {
        if (last.handle.released) return matrix;
        const copy = newMatrix();
        copy.set(matrix);
        return copy;
      };
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
        aggregated = await aggregate(perPair);
      }
      matrices = { nodes, perPair, aggregated };
    }
    const handle = new HostScores(matrices, targets?.length ?? nodes, sums.threads);
    const bytes = [matrices.aggregated, ...matrices.perPair].reduce(
      (sum, { byteLength }) => sum + byteLength,
      0,
    );
    if (samples === this.#samples)
      this.#last = bytes <= KEPT_BYTES ? { request, matrices, handle } : undefined;
    return handle;
  }
}

function copyColumns(from: Float64Array, to: Float64Array, columns: Uint32Array, nodes: number): void {
  for (let row = 0; row < from.length; row += nodes) {
    for (const column of columns) to[row + column] = from[row + column]!;
  }
}
