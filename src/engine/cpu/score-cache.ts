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

/** Most bytes of aggregated scores alone that are kept for the next request: 11,585 nodes. */
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
  /** Whether there is room for scores of layer pairs side by side */
  readonly holdsPairs: boolean;
  readonly arrays: ArrayPool;
}

/**
 * The scores of the last request, from which the next one over the same samples takes what has not changed. Where sums are
 * held, so are the scores of layer pairs; else they are added to the aggregate as they are formed, and it alone is held.
 */
export class ScoreCache {
  readonly #shape: { readonly nodes: number; readonly pairs: number };
  readonly #run: RunQueued;
  /** How often the samples have changed */
  #changes = 0;
  #snapshot: SharedSnapshot | undefined;
  #last: { readonly request: ScoreRequest; readonly scores: ScoreArrays } | undefined;

  /** @param run for scores of layer pairs that are formed again when a handle is asked for them */
  constructor(shape: { readonly nodes: number; readonly pairs: number }, run: RunQueued) {
    this.#shape = shape;
    this.#run = run;
  }

  /** Forgets the scores, and those being computed: the samples are others. */
  clear(): void {
    this.#forget();
    this.#snapshot?.release();
    this.#snapshot = undefined;
    this.#changes++;
  }

  /** The scores of a request that has been checked. */
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
          : await this.#scoreAgain({ ...request, targets }, forming);
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

  /** All scores of a request that has been checked, in new arrays; nothing is kept. */
  async matrices(request: ScoreRequest, sums: CpuSums): Promise<ScoreMatrices> {
    const snapshot = this.#snapshot?.retain() ?? new SharedSnapshot(await sums.snapshot());
    try {
      const { samples } = snapshot;
      return await this.#form(request, { sums: {}, samples, holdsPairs: true, arrays: ownArrays });
    } finally {
      snapshot.release();
    }
  }

  /** Undefined for all of them */
  #targetsToScore(request: ScoreRequest, holdsPairs: boolean): Uint32Array | undefined {
    const last = this.#last;
    if (last === undefined) return undefined;
    const targets = targetsToScore(last.request, request);
    if (holdsPairs || targets === undefined) return targets;
    // Another aggregation is one of scores that are no longer there.
    if (last.request.layerAgg !== request.layerAgg) return undefined;
    return areFew(targets, request.conditioningSets) ? targets : undefined;
  }

  /** @returns the caller's, to be released */
  async #scoreAll(request: ScoreRequest, forming: Forming): Promise<ScoreArrays> {
    // What nobody reads any more makes room for what comes.
    this.#forget();
    return new ScoreArrays(await this.#form(request, forming), forming.arrays.free);
  }

  /**
   * Takes what has not changed from the last scores, which stay as they are until all others have been formed.
   *
   * @returns the caller's, to be released
   */
  async #scoreAgain(
    request: TargetsRequest & { readonly targets: Uint32Array },
    forming: Forming,
  ): Promise<ScoreArrays> {
    const { request: before, scores: last } = this.#last!;
    const { targets, layerAgg } = request;
    const sameWay = before.layerAgg === layerAgg;
    if (sameWay && targets.length === 0) return last.retain();
    const columns = targets.length > 0 ? await this.#form(request, forming) : undefined;
    // Whoever else uses the last scores must not see them change.
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

  /** Scores of all targets asked for, `[nodes, targets]` each. */
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

/** Fills `out` with the aggregate, by threads where there are some that share memory. */
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
