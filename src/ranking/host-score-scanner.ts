import type { Yielder } from '../statistics/yielder.ts';
import { gather } from './gather.ts';
import type { ScoreMatrices } from '../scoring/score-matrices.ts';
import type { BinRange, ScoredPairs, ScoreScanner } from './score-scanner.ts';
import { BinLookup, type Thresholds } from './thresholds.ts';

/** Marks bins that belong to no group. */
const NO_GROUP = 0xffff_ffff;

/** Sources processed between two checks of the clock. */
const STEP = 64;

/** Aggregated scores on the host. */
export type HostAggregate = Pick<ScoreMatrices, 'nodes' | 'aggregated'>;

/** Returns the scores of some pairs of nodes in each layer pair. */
export type PairScoresAt = ScoreScanner['perPairAt'];

/** Looks them up in matrices. */
export function pairScoresIn({ perPair }: Pick<ScoreMatrices, 'perPair'>): PairScoresAt {
  return (pairIndices) => Promise.resolve(perPair.map((matrix) => gather(matrix, pairIndices)));
}

/** {@link ScoreScanner} over aggregated scores on the host. */
export class HostScoreScanner implements ScoreScanner {
  readonly nodes: number;
  readonly perPairAt: PairScoresAt;
  readonly #matrices: HostAggregate;
  readonly #classOf: ArrayLike<number>;
  readonly #yielder: Yielder;

  /** @param classOf class of each target; see `DegreesOfFreedomGroups` */
  constructor(
    matrices: HostAggregate,
    classOf: ArrayLike<number>,
    yielder: Yielder,
    perPairAt: PairScoresAt,
  ) {
    this.perPairAt = perPairAt;
    this.nodes = matrices.nodes;
    this.#matrices = matrices;
    this.#classOf = classOf;
    this.#yielder = yielder;
  }

  async count(thresholds: Thresholds): Promise<Uint32Array> {
    const binned = this.#binned(thresholds);
    const counts = new Uint32Array(thresholds.count + 2);
    await this.#eachStep((sources) => {
      countRows(binned, sources, counts);
    });
    return counts;
  }

  async collect(thresholds: Thresholds, binFlags: Uint8Array, most: number): Promise<ScoredPairs> {
    const groupOf = Uint32Array.from(binFlags, (flag) => (flag === 1 ? 0 : NO_GROUP));
    const [only] = await this.#partition(thresholds, groupOf, [most]);
    return this.#scored(only!);
  }

  async *inGroups(
    thresholds: Thresholds,
    groups: readonly BinRange[],
    counts: Uint32Array,
  ): AsyncGenerator<ScoredPairs, void, undefined> {
    const groupOf = new Uint32Array(counts.length).fill(NO_GROUP);
    const sizes = groups.map(({ first, end }, group) => {
      groupOf.fill(group, first, end);
      return counts.subarray(first, end).reduce((sum, count) => sum + count, 0);
    });
    const parts = await this.#partition(thresholds, groupOf, sizes);
    for (const part of parts) yield this.#scored(part);
  }

  async missing(flagged: Uint8Array): Promise<Uint32Array> {
    const counts = new Uint32Array(3 * this.nodes);
    await this.#eachStep((sources) => {
      countMissing(this.#matrices, sources, flagged, counts);
    });
    return counts;
  }

  aggregatedAt(pairIndices: Uint32Array): Promise<Float64Array | Float32Array> {
    return Promise.resolve(gather(this.#matrices.aggregated, pairIndices));
  }

  /**
   * The pairs of each group, ascending.
   *
   * @param groupOf of each bin, or NO_GROUP
   * @param sizes pairs of each group
   */
  async #partition(
    thresholds: Thresholds,
    groupOf: Uint32Array,
    sizes: readonly number[],
  ): Promise<Uint32Array[]> {
    const binned = this.#binned(thresholds);
    const starts = [0];
    for (const size of sizes) starts.push(starts.at(-1)! + size);
    const pairIndices = new Uint32Array(starts.at(-1)!);
    const next = Uint32Array.from(starts);
    await this.#eachStep((sources) => {
      partitionRows(binned, sources, groupOf, { next, pairIndices });
    });
    return sizes.map((_, group) => pairIndices.subarray(starts[group], starts[group + 1]));
  }

  #binned(thresholds: Thresholds): Binned {
    return { ...this.#matrices, classOf: this.#classOf, bins: new BinLookup(thresholds) };
  }

  #scored(pairIndices: Uint32Array): ScoredPairs {
    return { pairIndices, scores: gather(this.#matrices.aggregated, pairIndices) };
  }

  async #eachStep(look: (sources: Sources) => void): Promise<void> {
    for (let first = 0; first < this.nodes; first += STEP) {
      look({ first, end: Math.min(first + STEP, this.nodes) });
      await this.#yielder();
    }
  }
}

/** Sources `first .. end`. */
interface Sources {
  readonly first: number;
  readonly end: number;
}

/** Scores, and the lookup of their bins. */
interface Binned extends HostAggregate {
  readonly classOf: ArrayLike<number>;
  readonly bins: BinLookup;
}

// The loops are functions of their own: engines leave loops inside async functions half optimised.

function countRows(
  { aggregated, nodes, classOf, bins }: Binned,
  { first, end }: Sources,
  counts: Uint32Array,
): void {
  for (let source = first; source < end; source++) {
    const row = source * nodes;
    for (let target = 0; target < nodes; target++) {
      counts[bins.binOf(classOf[target]!, aggregated[row + target]!)]!++;
    }
  }
}

function countMissing(
  { aggregated, nodes }: HostAggregate,
  { first, end }: Sources,
  flagged: Uint8Array,
  counts: Uint32Array,
): void {
  for (let source = first; source < end; source++) {
    const row = source * nodes;
    const flag = flagged[source]!;
    for (let target = 0; target < nodes; target++) {
      const score = aggregated[row + target]!;
      if (score !== score) counts[3 * target + (source === target ? 2 : flag)]!++;
    }
  }
}

/** Writes each pair whose bin has a group to the next free index of the group. */
function partitionRows(
  { aggregated, nodes, classOf, bins }: Binned,
  { first, end }: Sources,
  groupOf: Uint32Array,
  { next, pairIndices }: { readonly next: Uint32Array; readonly pairIndices: Uint32Array },
): void {
  for (let source = first; source < end; source++) {
    const row = source * nodes;
    for (let target = 0; target < nodes; target++) {
      const group = groupOf[bins.binOf(classOf[target]!, aggregated[row + target]!)]!;
      if (group !== NO_GROUP) pairIndices[next[group]!++] = row + target;
    }
  }
}
