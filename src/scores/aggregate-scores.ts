import { scoresReleased } from './host-scores.ts';
import type { ScoreMatrices } from './score-matrices.ts';
import type { Scores } from './scores.ts';

/** Aggregated scores, row-major `[nodes, nodes]`, and how many handles read them. */
export class SharedAggregate {
  readonly values: Float64Array;
  #readers = 0;

  constructor(values: Float64Array) {
    this.values = values;
  }

  /** Whether anybody would see them change. */
  get read(): boolean {
    return this.#readers > 0;
  }

  enter(): this {
    this.#readers++;
    return this;
  }

  leave(): void {
    this.#readers--;
  }
}

/** Scores of layer pairs, formed from the samples whenever they are asked for. */
export interface PairScoresAgain {
  /**
   * Those of some pairs of nodes.
   *
   * @param elements `source * nodes + target` of each
   * @throws as {@link PairScoresAgain.matrices}; the signal's reason once it is aborted
   */
  at(elements: Uint32Array, signal?: AbortSignal): Promise<Float64Array[]>;
  /** One matrix per layer pair. @throws as {@link Scores.matrices} */
  matrices(): Promise<Float32Array[]>;
  /** Lets go of the samples. Once. */
  release(): void;
}

/** {@link Scores} of which only the aggregate is held: for graphs whose matrices have no room side by side. */
export class AggregateScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly gpu = undefined;
  readonly scoredTargets: number;
  readonly #again: PairScoresAgain;
  #aggregate: SharedAggregate | undefined;

  constructor(
    { nodes, pairs }: { readonly nodes: number; readonly pairs: number },
    aggregate: SharedAggregate,
    scoredTargets: number,
    again: PairScoresAgain,
  ) {
    this.nodes = nodes;
    this.pairs = pairs;
    this.scoredTargets = scoredTargets;
    this.#aggregate = aggregate.enter();
    this.#again = again;
  }

  /** Row-major `[nodes, nodes]`; not to be written to. @throws `released` */
  get aggregated(): Float64Array {
    if (this.#aggregate === undefined) throw scoresReleased();
    return this.#aggregate.values;
  }

  /** Scores of some pairs of nodes in each layer pair; see {@link PairScoresAgain.at}. @throws `released` */
  async pairScoresAt(elements: Uint32Array, signal?: AbortSignal): Promise<Float64Array[]> {
    if (this.#aggregate === undefined) throw scoresReleased();
    return this.#again.at(elements, signal);
  }

  aggregate(): Promise<Float64Array> {
    return this.#aggregate === undefined
      ? Promise.reject(scoresReleased())
      : Promise.resolve(this.#aggregate.values);
  }

  async matrices(): Promise<ScoreMatrices> {
    const { nodes, aggregated } = this;
    return { nodes, aggregated, perPair: await this.#again.matrices() };
  }

  release(): void {
    if (this.#aggregate === undefined) return;
    this.#aggregate.leave();
    this.#aggregate = undefined;
    this.#again.release();
  }
}
