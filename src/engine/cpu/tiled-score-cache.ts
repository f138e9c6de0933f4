import { AggregateScores, SharedAggregate, type PairScoreSource } from '../scores/aggregate-scores.ts';
import { rowsByTarget } from '../../scoring/by-target.ts';
import { elementGroups } from '../../scoring/element-groups.ts';
import { flagsAfter } from '../../scoring/node-flags.ts';
import { GatheredScores } from '../../scoring/gathered-scores.ts';
import { targetsToScore } from '../../scoring/targets-to-score.ts';
import { RunningAggregate } from '../../scoring/running-aggregate.ts';
import type { ScoreMatrices, ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import { areFew } from '../../scoring/target-panels.ts';
import { discard } from '../../statistics/discard.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import { ReferenceCount } from '../reference-count.ts';
import type { CpuSnapshot, TakePanel } from './cpu-snapshot.ts';

/** Most bytes of aggregated scores that are kept for the next request: 11,585 nodes. */
const KEPT_AGGREGATE_BYTES = 2 ** 30;

/** Runs work when no other call to the engine does. */
type RunInTurn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Scores where there are no N x N sums: panels of scores of the layer pairs are added to the aggregate as they are formed,
 * and it alone is held. The last one is kept: a request that differs in the parents of few targets scores those alone.
 */
export class TiledScoreCache {
  readonly #shape: { readonly nodes: number; readonly pairs: number };
  readonly #run: RunInTurn;
  /** How often the samples have changed */
  #samples = 0;
  #snapshot: SharedSnapshot | undefined;
  #last: { readonly request: ScoreRequest; readonly aggregate: SharedAggregate } | undefined;

  /** @param run for scores of layer pairs, which are formed whenever a handle is asked for them */
  constructor(shape: { readonly nodes: number; readonly pairs: number }, run: RunInTurn) {
    this.#shape = shape;
    this.#run = run;
  }

  /** Forgets the scores, and those being computed: the samples are others. */
  clear(): void {
    this.#forget();
    this.#snapshot?.release();
    this.#snapshot = undefined;
    this.#samples++;
  }

  /**
   * The scores of a request that has been checked.
   *
   * @param take takes a snapshot of the samples
   */
  async scores(
    request: ScoreRequest,
    take: () => CpuSnapshot | Promise<CpuSnapshot>,
  ): Promise<AggregateScores> {
    const samples = this.#samples;
    const snapshot = this.#snapshot?.retain() ?? new SharedSnapshot(await take());
    try {
      const targets = this.#targetsToScore(request);
      const aggregate =
        targets === undefined
          ? await this.#scoreAll(request, snapshot.samples)
          : await this.#scoreFew({ ...request, targets }, snapshot.samples);
      const handle = new AggregateScores(
        this.#shape,
        aggregate,
        targets?.length ?? this.#shape.nodes,
        this.#again(request, snapshot.retain()),
      );
      if (samples === this.#samples) {
        this.#snapshot ??= snapshot.retain();
        this.#keep(request, aggregate);
      }
      aggregate.release();
      return handle;
    } finally {
      snapshot.release();
    }
  }

  /** All scores of a request that has been checked; nothing is kept. */
  async matrices(
    request: ScoreRequest,
    take: () => CpuSnapshot | Promise<CpuSnapshot>,
  ): Promise<ScoreMatrices> {
    const snapshot = new SharedSnapshot(await take());
    try {
      const { nodes } = this.#shape;
      const { perPair, takePanel } = this.#matrices();
      const { values, nodeFlags } = await this.#aggregate(request, nodes, snapshot.samples, takePanel);
      return { nodes, aggregated: values, perPair, nodeFlags };
    } finally {
      snapshot.release();
    }
  }

  /** Undefined for all of them */
  #targetsToScore(request: ScoreRequest): Uint32Array | undefined {
    const last = this.#last;
    // Another aggregation is one of scores that are no longer there.
    if (last?.request.layerAgg !== request.layerAgg) return undefined;
    const targets = targetsToScore(last.request, request);
    return targets === undefined || areFew(targets, request.conditioningSets) ? targets : undefined;
  }

  /** @returns the caller's, to be released */
  async #scoreAll(request: ScoreRequest, samples: CpuSnapshot): Promise<SharedAggregate> {
    // What nobody reads any more makes room for what comes.
    this.#forget();
    const { values, nodeFlags } = await this.#aggregate(request, this.#shape.nodes, samples);
    return new SharedAggregate(values, nodeFlags);
  }

  /** @returns the caller's, to be released */
  async #scoreFew(
    request: TargetsRequest & { readonly targets: Uint32Array },
    samples: CpuSnapshot,
  ): Promise<SharedAggregate> {
    const aggregate = this.#last!.aggregate.retain();
    const { targets } = request;
    if (targets.length === 0) return aggregate;
    try {
      const { values: columns, nodeFlags: found } = await this.#aggregate(request, targets.length, samples);
      const nodeFlags = flagsAfter(aggregate.nodeFlags, found, targets);
      const kept = this.#last?.aggregate === aggregate ? 1 : 0;
      // Whoever still reads the last scores must not see them change.
      const seen = aggregate.users > 1 + kept;
      const own = seen ? new SharedAggregate(aggregate.values.slice(), nodeFlags) : aggregate.retain();
      own.nodeFlags = nodeFlags;
      writeColumns(columns, targets, own.values, this.#shape.nodes);
      return own;
    } finally {
      aggregate.release();
    }
  }

  /** Aggregated scores of all targets asked for, `[nodes, width]`. @param take sees the scores of layer pairs, too */
  async #aggregate(
    request: TargetsRequest,
    width: number,
    samples: CpuSnapshot,
    take?: TakePanel,
  ): Promise<Pick<SharedAggregate, 'values' | 'nodeFlags'>> {
    const { nodes, pairs } = this.#shape;
    const running = new RunningAggregate(nodes, width, pairs, request.layerAgg);
    try {
      const nodeFlags = await samples.panels(request, (pair, panel, scores) => {
        running.add(pair, panel.first, panel.end, scores);
        take?.(pair, panel, scores);
      });
      return { values: running.values, nodeFlags };
    } catch (error) {
      discard(running.values);
      throw error;
    } finally {
      running.release();
    }
  }

  #keep(request: ScoreRequest, aggregate: SharedAggregate): void {
    const keep = aggregate.values.byteLength <= KEPT_AGGREGATE_BYTES;
    if (keep) aggregate.retain();
    this.#forget();
    if (keep) this.#last = { request: { ...request, signal: undefined }, aggregate };
  }

  #forget(): void {
    this.#last?.aggregate.release();
    this.#last = undefined;
  }

  #again(request: ScoreRequest, snapshot: SharedSnapshot): PairScoreSource {
    const asked = { ...request, signal: undefined };
    const { nodes, pairs } = this.#shape;
    /** A handle that is released meanwhile leaves the samples to those who wait for their turn. */
    const run = <T>(work: () => Promise<T>): Promise<T> => {
      snapshot.retain();
      return this.#run(work).finally(() => {
        snapshot.release();
      });
    };
    return {
      at: (elements, signal) =>
        run(async () => {
          signal?.throwIfAborted();
          const byTarget = await runYielding(rowsByTarget(elements, nodes), createYielder(signal));
          if (elementGroups(elements, nodes, asked, byTarget) !== undefined) {
            return snapshot.samples.scoresAt({ ...asked, signal }, elements);
          }
          const gathered = new GatheredScores(elements, nodes, pairs, byTarget);
          await snapshot.samples.panels({ ...asked, signal }, (pair, { first, end }, scores) => {
            gathered.take(pair, first, end, scores);
          });
          return gathered.perPair;
        }),
      matrices: () =>
        run(async () => {
          const { perPair, takePanel } = this.#matrices();
          await snapshot.samples.panels(asked, takePanel);
          return perPair;
        }),
      release: () => {
        snapshot.release();
      },
    };
  }

  /** Room for the scores of all layer pairs, and what fills it. */
  #matrices(): { perPair: Float64Array[]; takePanel: TakePanel } {
    const { nodes, pairs } = this.#shape;
    const perPair = Array.from({ length: pairs }, () => new Float64Array(nodes ** 2));
    const takePanel: TakePanel = (pair, { first, end }, scores) => {
      const matrix = perPair[pair]!;
      const width = end - first;
      for (let from = 0, to = first; to < matrix.length; from += width, to += nodes) {
        for (let t = 0; t < width; t++) matrix[to + t] = scores[from + t]!;
      }
    };
    return { perPair, takePanel };
  }
}

/** A snapshot that goes when nobody uses it any more. */
class SharedSnapshot {
  readonly samples: CpuSnapshot;
  readonly #uses = new ReferenceCount(() => {
    this.samples.release();
  });

  constructor(samples: CpuSnapshot) {
    this.samples = samples;
  }

  retain(): this {
    this.#uses.retain();
    return this;
  }

  release(): void {
    this.#uses.release();
  }
}

function writeColumns(from: Float64Array, columns: Uint32Array, to: Float64Array, nodes: number): void {
  for (let row = 0, at = 0; row < to.length; row += nodes) {
    for (const column of columns) to[row + column] = from[at++]!;
  }
}
