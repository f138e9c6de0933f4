import { aggregatePairs } from '../../scoring/aggregate.ts';
import { HostScores } from '../scores/host-scores.ts';
import { flagsAfter } from '../../scoring/node-flags.ts';
import { KEPT_BYTES, targetsToScore } from '../../scoring/targets-to-score.ts';
import { ownArrays, type ArrayPool } from '../../scoring/array-pool.ts';
import type { ScoreMatrices, ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import { aggregateScores } from '../../scoring/score-statistics.ts';
import { createYielder } from '../../statistics/yielder.ts';
import type { PairScores } from './score-accumulator.ts';
import type { CpuSums } from './cpu-sums.ts';
import type { EngineShape } from '../engine.ts';

/** What gives the scores of layer pairs. */
type ScoreSource = Pick<CpuSums, 'scores' | 'threads'>;

/** Matrices of the CPU engine */
interface HeldMatrices extends ScoreMatrices {
  readonly aggregated: Float64Array;
  readonly perPair: readonly Float64Array[];
}

/** The scores of the last request, from which the next one over the same samples takes what has not changed. */
export class ScoreCache {
  readonly #shape: EngineShape;
  /** Where matrices come from */
  #arrays: ArrayPool = ownArrays;
  /** How often the samples have changed */
  #samples = 0;
  #last: { request: ScoreRequest; matrices: HeldMatrices; handle: HostScores } | undefined;

  constructor(shape: EngineShape) {
    this.#shape = shape;
  }

  /** Forgets them, and those being computed: the samples are others. */
  clear(): void {
    this.#forget();
    this.#samples++;
  }

  /** The scores of a request that has been checked. */
  async scores(request: ScoreRequest, sums: ScoreSource): Promise<HostScores> {
    this.#arrays = sums.threads?.shared?.arrays ?? ownArrays;
    const last = this.#last;
    const targets = last && targetsToScore(last.request, request);
    const { nodes } = this.#shape;
    const samples = this.#samples;
    let matrices: HeldMatrices;
    if (last === undefined || targets === undefined) {
      this.#forget();
      const { perPair, nodeFlags } = await this.#score(request, sums);
      const aggregated = await this.#aggregate(perPair, request, sums);
      matrices = { nodes, perPair, aggregated, nodeFlags };
    } else {
      const scored = targets.length > 0 ? await this.#score({ ...request, targets }, sums) : undefined;
      const fresh = scored?.perPair ?? [];
      const before = last.matrices.nodeFlags;
      const nodeFlags = scored === undefined ? before : flagsAfter(before, scored.nodeFlags, targets);
      // Whoever still holds the last ones must not see them change.
      const { free } = last.handle;
      const own = (matrix: Float64Array): Float64Array => (free ? matrix : this.#copy(matrix));
      this.#last = undefined;
      const sameWay = last.request.layerAgg === request.layerAgg;
      const perPair = last.matrices.perPair.map(own);
      fresh.forEach((columns, p) => {
        copyColumns(columns, perPair[p]!, targets, nodes);
      });
      this.#arrays.free(fresh);
      let aggregated = last.matrices.aggregated;
      if (sameWay) {
        aggregated = own(aggregated);
        for (const target of targets) {
          for (let at = target; at < aggregated.length; at += nodes) {
            aggregatePairs(perPair, request.layerAgg, at, at + 1, aggregated);
          }
        }
      } else {
        if (free) this.#arrays.free([aggregated]);
        aggregated = await this.#aggregate(perPair, request, sums);
      }
      matrices = { nodes, perPair, aggregated, nodeFlags };
    }
    const handle = new HostScores(matrices, {
      scoredTargets: targets?.length ?? nodes,
      threads: sums.threads,
      onFree: () => {
        if (this.#last?.matrices !== matrices) this.#giveAll(matrices);
      },
    });
    const bytes = 8 * nodes ** 2 * (matrices.perPair.length + 1);
    if (samples === this.#samples && bytes <= KEPT_BYTES) this.#last = { request, matrices, handle };
    return handle;
  }

  #forget(): void {
    const last = this.#last;
    this.#last = undefined;
    if (last?.handle.free) this.#giveAll(last.matrices);
  }

  #giveAll({ aggregated, perPair }: HeldMatrices): void {
    this.#arrays.free([aggregated, ...perPair]);
  }

  #score(request: TargetsRequest, sums: ScoreSource): Promise<PairScores> {
    const out = Array.from({ length: this.#shape.pairs }, () => this.#newMatrix());
    return sums.scores(request, out).catch((error: unknown) => {
      this.#arrays.free(out);
      throw error;
    });
  }

  async #aggregate(
    perPair: readonly Float64Array[],
    { layerAgg, signal }: ScoreRequest,
    sums: ScoreSource,
  ): Promise<Float64Array> {
    const aggregated = this.#newMatrix();
    const here = (): Promise<Float64Array> =>
      aggregateScores(perPair, { layerAgg }, this.#shape.nodes, createYielder(signal), aggregated);
    const shared = sums.threads?.shared;
    await (shared ? shared.aggregate(perPair, layerAgg, aggregated).catch(here) : here());
    return aggregated;
  }

  #newMatrix(): Float64Array {
    return this.#arrays.alloc(Float64Array, this.#shape.nodes ** 2);
  }

  #copy(matrix: Float64Array): Float64Array {
    const copy = this.#newMatrix();
    copy.set(matrix);
    return copy;
  }
}

function copyColumns(from: Float64Array, to: Float64Array, columns: Uint32Array, nodes: number): void {
  for (let row = 0; row < from.length; row += nodes) {
    for (const column of columns) to[row + column] = from[row + column]!;
  }
}
