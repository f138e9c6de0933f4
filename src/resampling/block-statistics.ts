import { mergeAll } from './leave-one-out.ts';
import { mergeStatistics } from '../statistics/merge.ts';
import { arraysOfPairs, pairsOfArrays, type FitState } from '../statistics/fit-state.ts';
import { createYielder, type Yielder } from '../statistics/yielder.ts';
import {
  pairArrays,
  type PairStatistics,
  type SufficientStatistics,
} from '../statistics/sufficient-statistics.ts';
import type { Engine } from '../engine/engine.ts';
import type { SampleStore } from './sample-store.ts';

/** Facts of {@link BlockStatistics.state}, besides its arrays. */
export interface BlockFacts {
  /** Samples of a run */
  readonly length: number;
  /** Of each run */
  readonly samples: readonly number[];
  /** Whether they have `sumX2` */
  readonly squares: boolean;
}

const keysOf = (squares: boolean) => (squares ? ([...pairArrays, 'sumX2'] as const) : pairArrays);

/**
 * Statistics over consecutive runs of samples, for fits of unknown length: there are never more than 2 G runs. All runs
 * but the last have the same length; at 2 G, neighbours are merged and the length doubles. Samples keep their order, so
 * that neighbouring runs can form G groups of about equal size at any time.
 */
export class BlockStatistics {
  readonly #groups: number;
  #length: number;
  #runs: SufficientStatistics[] = [];

  /**
   * @param groups G
   * @param length samples of the first runs
   */
  constructor(groups: number, length: number) {
    this.#groups = groups;
    this.#length = length;
  }

  /** n, samples in all runs */
  get samples(): number {
    return this.#runs.reduce((sum, { samples }) => sum + samples, 0);
  }

  /** Most samples that the next {@link BlockStatistics.add} accepts */
  get remainingCapacity(): number {
    const open = this.#runs.at(-1)?.samples ?? this.#length;
    return open < this.#length ? this.#length - open : this.#length;
  }

  /** Adds the samples that follow, at most {@link BlockStatistics.remainingCapacity}. Takes ownership of the statistics. */
  add(statistics: SufficientStatistics): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.samples < this.#length) {
      this.#runs[this.#runs.length - 1] = mergeStatistics(last, statistics);
    } else {
      this.#runs.push(statistics);
    }
    if (this.#runs.length < 2 * this.#groups || this.#runs.at(-1)!.samples < this.#length) return;
    this.#runs = this.#runs.flatMap((run, r, runs) =>
      r % 2 === 0 ? [mergeStatistics(run, runs[r + 1]!)] : [],
    );
    this.#length *= 2;
  }

  /** The current state, to resume from; its arrays are not copies. */
  get state(): FitState<BlockFacts> {
    const squares = this.#runs.every(({ pairs }) => pairs.every(({ sumX2 }) => sumX2 !== undefined));
    const arrays = this.#runs.flatMap(({ pairs }, run) =>
      arraysOfPairs(`run_${run}_`, keysOf(squares), pairs as readonly Required<PairStatistics>[]),
    );
    const facts = { length: this.#length, samples: this.#runs.map(({ samples }) => samples), squares };
    return { facts, arrays: new Map(arrays) };
  }

  /** Restores the runs of a {@link BlockStatistics.state}. @throws RangeError if arrays are missing */
  static from(groups: number, { facts, arrays }: FitState<BlockFacts>): BlockStatistics {
    const restored = new BlockStatistics(groups, facts.length);
    restored.#runs = facts.samples.map((samples, run) => {
      const pairs = pairsOfArrays(`run_${run}_`, keysOf(facts.squares), arrays);
      return { nodes: pairs[0]?.pivotX.length ?? 0, samples, pairs };
    });
    return restored;
  }

  /** The same runs, which may then grow independently. */
  copy(): BlockStatistics {
    const copy = new BlockStatistics(this.#groups, this.#length);
    copy.#runs = [...this.#runs];
    return copy;
  }

  /**
   * G groups of neighbouring runs, each ending with the run that ends nearest to its ideal end. Needs at least G runs.
   *
   * @param yielder called between merges
   */
  async grouped(yielder: Yielder): Promise<SufficientStatistics[]> {
    const ends = this.#runs.reduce<number[]>(
      (sums, { samples }) => [...sums, (sums.at(-1) ?? 0) + samples],
      [],
    );
    const groups: SufficientStatistics[] = [];
    let first = 0;
    for (let group = 1; group <= this.#groups; group++) {
      const idealEnd = (group * this.samples) / this.#groups;
      // At least one run is left for each of the groups that follow.
      const last = this.#runs.length - 1 - (this.#groups - group);
      let end = group === this.#groups ? last : first;
      while (end < last && Math.abs(ends[end + 1]! - idealEnd) < Math.abs(ends[end]! - idealEnd)) end++;
      groups.push(await mergeAll(this.#runs.slice(first, end + 1), yielder));
      first = end + 1;
    }
    return groups;
  }
}

/**
 * Adds the samples of a record to runs.
 *
 * @param engine an engine to compute with; its contents are lost
 * @throws the signal's reason once it is aborted
 */
export async function addRows(
  runs: BlockStatistics,
  record: SampleStore,
  engine: Engine,
  signal?: AbortSignal,
): Promise<void> {
  const yielder = createYielder(signal);
  for (let first = 0; first < record.samples;) {
    const size = Math.min(runs.remainingCapacity, record.samples - first);
    const rows = Uint32Array.from({ length: size }, (_, k) => first + k);
    engine.reset();
    for (const batch of record.batches({ x: rows, y: rows })) {
      await yielder();
      await engine.accumulateMagnitudes(batch);
    }
    runs.add(await engine.statistics());
    first += size;
  }
}
