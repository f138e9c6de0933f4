import { discardedArrays, ownArrays, type ArrayPool } from '../../scoring/array-pool.ts';
import { flagsAfter } from '../../scoring/node-flags.ts';
import { RunningAggregate } from '../../scoring/running-aggregate.ts';
import type { ScoreMatrices, ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import { aggregateScores } from '../../scoring/score-statistics.ts';
import { areFew } from '../../scoring/target-panels.ts';
import { KEPT_BYTES, targetsToScore } from '../../scoring/targets-to-score.ts';
import { createYielder } from '../../statistics/yielder.ts';
import { HostScores, ScoreArrays } from '../scores/host-scores.ts';
import type { CpuSums } from './cpu-sums.ts';
import { FormedPairScores, type RunQueued } from './formed-pair-scores.ts';
import { SharedSnapshot, type CpuSnapshot } from './snapshot.ts';

/** Maximum bytes of an aggregate kept alone for the next request: 11,585 nodes. */
const KEPT_AGGREGATE_BYTES = 2 ** 30;

/** Arrays of the CPU engine's scores */
interface FormedScores extends ScoreMatrices {
  readonly aggregated: Float64Array;
  readonly perPair: readonly Float64Array[];
}

/** How scores are formed: from what, and where they go. */
interface Forming {
  readonly sums: Pick<CpuSums, 'threads'>;
  readonly samples: CpuSnapshot;
  /** Whether there is memory for the scores of all layer pairs at once */
  readonly holdsPairs: boolean;
  readonly arrays: ArrayPool;
}

/**
 * The scores of the last request; the next one over the same samples reuses what has not changed. If sums are held, so
 * are the scores of layer pairs; otherwise these are added to the aggregate as they are formed, and only the aggregate
 * is held.
 */
export class ScoreCache {
  readonly #shape: { readonly nodes: number; readonly pairs: number };
  readonly #run: RunQueued;
  /** Number of changes to the samples */
  #changes = 0;
  #snapshot: SharedSnapshot | undefined;
  #last: { readonly request: ScoreRequest; readonly scores: ScoreArrays } | undefined;

  /** @param run for scores of layer pairs that are formed again when a handle requests them */
  constructor(shape: { readonly nodes: number; readonly pairs: number }, run: RunQueued) {
    this.#shape = shape;
    this.#run = run;
  }

  /** Forgets the scores, including those being computed: the samples have changed. */
  clear(): void {
    this.#forget();
    this.#snapshot?.release();
    this.#snapshot = undefined;
    this.#changes++;
  }

  /** Scores of a request that has been checked. */
  async scores(request: ScoreRequest, sums: CpuSums): Promise<HostScores> {
    const { nodes } = this.#shape;
    const changes = this.#changes;
    const snapshot = this.#snapshot?.retain() ?? new SharedSnapshot(await sums.snapshot());
    try {
      const forming = formingOf(sums, snapshot.samples);
      const targets = this.#targetsToScore(request, forming.holdsPairs);
      const scores =
        targets === undefined
          ? await this.#scoreAll(request, forming)
          : await this.#rescore({ ...request, targets }, forming);
      if (changes === this.#changes) {
        this.#snapshot ??= snapshot.retain();
        this.#keep(request, scores);
      }
      return new HostScores(scores, {
        scoredTargets: targets?.length ?? nodes,
        threads: sums.threads,
        pairScores: forming.holdsPairs
          ? undefined
          : new FormedPairScores(this.#shape, request, snapshot.retain(), this.#run),
      });
    } finally {
      snapshot.release();
    }
  }

  /** All scores of a checked request, in new arrays; nothing is cached. */
  async matrices(request: ScoreRequest, sums: CpuSums): Promise<ScoreMatrices> {
    const snapshot = this.#snapshot?.retain() ?? new SharedSnapshot(await sums.snapshot());
    try {
      const { samples } = snapshot;
      return await this.#form(request, { sums: {}, samples, holdsPairs: true, arrays: ownArrays });
    } finally {
      snapshot.release();
    }
  }

  /** Undefined: all targets */
  #targetsToScore(request: ScoreRequest, holdsPairs: boolean): Uint32Array | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const targets = targetsToScore(last.request, request);
    if (holdsPairs || targets === undefined) return targets;
    // Another aggregation needs scores of layer pairs that are no longer held.
    if (last.request.layerAgg !== request.layerAgg) return undefined;
    return areFew(targets, request.conditioningSets) ? targets : undefined;
  }

  /** @returns scores owned by the caller, who must release them */
  async #scoreAll(request: ScoreRequest, forming: Forming): Promise<ScoreArrays> {
    // Free the memory of unused scores for the new ones.
    this.#forget();
    return new ScoreArrays(await this.#form(request, forming), forming.arrays.free);
  }

  /**
   * Reuses the parts of the last scores that have not changed. The last scores stay intact until all others have been
   * formed.
   *
   * @returns scores owned by the caller, who must release them
   */
  async #rescore(
    request: TargetsRequest & { readonly targets: Uint32Array },
    forming: Forming,
  ): Promise<ScoreArrays> {
    const { request: before, scores: last } = this.#last!;
    const { targets, layerAgg } = request;
    const sameWay = before.layerAgg === layerAgg;
    if (sameWay && targets.length === 0) return last.retain();
    const columns = targets.length > 0 ? await this.#form(request, forming) : undefined;
    // Other users of the last scores must not see them change.
    const { writable } = last;
    const scores = writable ? last : this.#copyOf(last as FormedScores, forming.arrays);
    if (writable) this.#last = undefined;
    const { perPair } = scores as FormedScores;
    if (columns !== undefined) {
      scores.nodeFlags = flagsAfter(last.nodeFlags, columns.nodeFlags, targets);
      [scores.aggregated, ...perPair].forEach((matrix, k) => {
        writeColumns([columns.aggregated, ...columns.perPair][k]!, targets, matrix, this.#shape.nodes);
      });
      forming.arrays.free([columns.aggregated, ...columns.perPair]);
    }
    try {
      if (!sameWay) await aggregate(perPair, request, forming, scores.aggregated as Float64Array);
      return scores;
    } catch (error) {
      scores.release();
      throw error;
    }
  }

  /** Scores of all requested targets, `[nodes, targets]` each. */
  async #form(request: TargetsRequest, forming: Forming): Promise<FormedScores> {
    const { nodes, pairs } = this.#shape;
    const { samples, arrays, holdsPairs } = forming;
    const width = request.targets?.length ?? nodes;
    const out = Array.from({ length: holdsPairs ? pairs + 1 : 1 }, () =>
      arrays.alloc(Float64Array, nodes * width),
    );
    const [aggregated, ...matrices] = out as [Float64Array, ...Float64Array[]];
    try {
      if (holdsPairs) {
        const { perPair, nodeFlags } = await samples.scores(request, matrices);
        await aggregate(perPair, request, forming, aggregated);
        return { nodes, aggregated, perPair, nodeFlags };
      }
      const running = new RunningAggregate(aggregated, width, pairs, request.layerAgg);
      try {
        const nodeFlags = await samples.panels(request, (pair, { first, end }, scores) => {
          running.add(pair, first, end, scores);
        });
        return { nodes, aggregated, perPair: [], nodeFlags };
      } finally {
        running.release();
      }
    } catch (error) {
      arrays.free(out);
      throw error;
    }
  }

  #copyOf({ nodes, aggregated, perPair, nodeFlags }: FormedScores, arrays: ArrayPool): ScoreArrays {
    const copy = (matrix: Float64Array): Float64Array => {
      const own = arrays.alloc(Float64Array, matrix.length);
      own.set(matrix);
      return own;
    };
    const copies = { nodes, aggregated: copy(aggregated), perPair: perPair.map(copy), nodeFlags };
    return new ScoreArrays(copies, arrays.free);
  }

  #keep(request: ScoreRequest, scores: ScoreArrays): void {
    const held = [scores.aggregated, ...scores.perPair];
    const bytes = held.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const keep = bytes <= (held.length === 1 ? KEPT_AGGREGATE_BYTES : KEPT_BYTES);
    if (keep) scores.retain();
    this.#forget();
    if (keep) this.#last = { request: { ...request, signal: undefined }, scores };
  }

  #forget(): void {
    this.#last?.scores.release();
    this.#last = undefined;
  }
}

function formingOf(sums: CpuSums, samples: CpuSnapshot): Forming {
  const holdsPairs = !sums.inForce.tiled;
  const arrays = holdsPairs ? (sums.threads?.arrays ?? ownArrays) : discardedArrays;
  return { sums, samples, holdsPairs, arrays };
}

/** Fills `out` with the aggregate, on threads that share memory if there are any. */
async function aggregate(
  perPair: readonly Float64Array[],
  { layerAgg, signal }: ScoreRequest,
  { sums: { threads } }: Forming,
  out: Float64Array,
): Promise<void> {
  const here = (): Promise<void> => aggregateScores(perPair, layerAgg, out, createYielder(signal));
  await (threads?.shareMemory ? threads.aggregate(perPair, layerAgg, out).catch(here) : here());
}

function writeColumns(
  from: Float64Array,
  columns: Uint32Array,
  to: ScoreMatrices['aggregated'],
  nodes: number,
): void {
  for (let row = 0, at = 0; row < to.length; row += nodes) {
    for (const column of columns) to[row + column] = from[at++]!;
  }
}
