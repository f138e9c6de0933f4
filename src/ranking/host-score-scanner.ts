import type { Yielder } from '../statistics/yielder.ts';
import { gather } from './gather.ts';
import type { ScoreMatrices } from '../scoring/score-matrices.ts';
import type { BinRange, ScoredElements, ScoreScanner } from './score-scanner.ts';
import { BinLookup, type Thresholds } from './thresholds.ts';

const NOWHERE = 0xffff_ffff;

/** Sources looked at between two looks at the clock. */
const STEP = 64;

/** Aggregated scores on the host. */
export type HostAggregate = Pick<ScoreMatrices, 'nodes' | 'aggregated'>;

/** Gives scores of some pairs of nodes in each layer pair. */
export type PairScoresAt = ScoreScanner['perPairAt'];

/** Those that are there, in matrices. */
export function pairScoresIn({ perPair }: Pick<ScoreMatrices, 'perPair'>): PairScoresAt {
  return (elements) => Promise.resolve(perPair.map((matrix) => gather(matrix, elements)));
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
    const bins = new BinLookup(thresholds);
    const counts = new Uint32Array(thresholds.count + 2);
    for (let first = 0; first < this.nodes; first += STEP) {
      countRows(this.#matrices, this.#classOf, bins, first, Math.min(first + STEP, this.nodes), counts);
      await this.#yielder();
    }
    return counts;
  }

  async collect(thresholds: Thresholds, wanted: Uint8Array, most: number): Promise<ScoredElements> {
    const bins = new BinLookup(thresholds);
    const elements = new Uint32Array(most);
    let found = 0;
    for (let first = 0; first < this.nodes; first += STEP) {
      const end = Math.min(first + STEP, this.nodes);
      found = collectRows(this.#matrices, this.#classOf, bins, wanted, first, end, elements, found);
      await this.#yielder();
    }
    return { elements, scores: gather(this.#matrices.aggregated, elements) };
  }

  async *inGroups(
    thresholds: Thresholds,
    groups: readonly BinRange[],
    counts: Uint32Array,
  ): AsyncGenerator<ScoredElements, void, undefined> {
    const bins = new BinLookup(thresholds);
    // Where the next element of each bin goes; elements that no group has go nowhere.
    const next = new Uint32Array(counts.length).fill(NOWHERE);
    const starts: number[] = [0];
    for (const { first, end } of groups) {
      let at = starts.at(-1)!;
      for (let bin = first; bin < end; bin++) {
        next[bin] = at;
        at += counts[bin]!;
      }
      starts.push(at);
    }
    const elements = new Uint32Array(starts.at(-1)!);
    for (let first = 0; first < this.nodes; first += STEP) {
      const end = Math.min(first + STEP, this.nodes);
      partition(this.#matrices, this.#classOf, bins, first, end, next, elements);
      await this.#yielder();
    }
    for (const [group, start] of starts.slice(0, -1).entries()) {
      const own = elements.subarray(start, starts[group + 1]);
      yield { elements: own, scores: gather(this.#matrices.aggregated, own) };
    }
  }

  async missing(flagged: Uint8Array): Promise<Uint32Array> {
    const counts = new Uint32Array(3 * this.nodes);
    for (let first = 0; first < this.nodes; first += STEP) {
      countMissing(this.#matrices, flagged, first, Math.min(first + STEP, this.nodes), counts);
      await this.#yielder();
    }
    return counts;
  }

  aggregatedAt(elements: Uint32Array): Promise<Float64Array | Float32Array> {
    return Promise.resolve(gather(this.#matrices.aggregated, elements));
  }
}

// The loops are functions of their own: engines leave loops inside async functions half optimised.

function countRows(
  { aggregated, nodes }: HostAggregate,
  classOf: ArrayLike<number>,
  bins: BinLookup,
  first: number,
  end: number,
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
  flagged: Uint8Array,
  first: number,
  end: number,
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

function collectRows(
  { aggregated, nodes }: HostAggregate,
  classOf: ArrayLike<number>,
  bins: BinLookup,
  wanted: Uint8Array,
  first: number,
  end: number,
  elements: Uint32Array,
  found: number,
): number {
  for (let source = first; source < end; source++) {
    const row = source * nodes;
    for (let target = 0; target < nodes; target++) {
      const bin = bins.binOf(classOf[target]!, aggregated[row + target]!);
      if (wanted[bin] === 1) elements[found++] = row + target;
    }
  }
  return found;
}

function partition(
  { aggregated, nodes }: HostAggregate,
  classOf: ArrayLike<number>,
  bins: BinLookup,
  first: number,
  end: number,
  next: Uint32Array,
  elements: Uint32Array,
): void {
  for (let source = first; source < end; source++) {
    const row = source * nodes;
    for (let target = 0; target < nodes; target++) {
      const bin = bins.binOf(classOf[target]!, aggregated[row + target]!);
      const at = next[bin]!;
      if (at === NOWHERE) continue;
      elements[at] = row + target;
      next[bin] = at + 1;
    }
  }
}
