import { discard } from '../../statistics/discard.ts';
import { scoresReleased } from './host-scores.ts';
import type { ScoreMatrices } from '../../scoring/score-matrices.ts';
import type { Scores } from './scores.ts';

/** Aggregated scores, row-major `[nodes, nodes]`, whose memory is freed when nobody reads them any more. */
export class SharedAggregate {
  readonly values: Float64Array;
  /** `[nodes]`, see {@link NODE_FLAG} */
  nodeFlags: Uint8Array;
  /** Whether the array has been given away: then it may be read for as long as somebody has it. */
  given = false;
  #readers = 0;

  constructor(values: Float64Array, nodeFlags: Uint8Array) {
    this.values = values;
    this.nodeFlags = nodeFlags;
  }

  get readers(): number {
    return this.#readers;
  }

  enter(): this {
    this.#readers++;
    return this;
  }

  /** Once for each {@link SharedAggregate.enter}. */
  leave(): void {
    if (--this.#readers === 0 && !this.given) discard(this.values);
  }
}

/** Scores of layer pairs, formed from the samples whenever they are asked for. */
export interface PairScoreSource {
  /**
   * Those of some pairs of nodes.
   *
   * @param elements `source * nodes + target` of each
   * @throws as {@link PairScoreSource.matrices}; the signal's reason once it is aborted
   */
  at(elements: Uint32Array, signal?: AbortSignal): Promise<Float64Array[]>;
  /** One matrix per layer pair. @throws as {@link Scores.matrices} */
  matrices(): Promise<Float64Array[]>;
  /** Lets go of the samples. Once. */
  release(): void;
}

/** {@link Scores} of which only the aggregate is held: for graphs whose matrices have no room side by side. */
export class AggregateScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly gpu = undefined;
  readonly scoredTargets: number;
  readonly nodeFlags: Uint8Array;
  readonly #again: PairScoreSource;
  #aggregate: SharedAggregate | undefined;

  constructor(
    { nodes, pairs }: { readonly nodes: number; readonly pairs: number },
    aggregate: SharedAggregate,
    scoredTargets: number,
    again: PairScoreSource,
  ) {
    this.nodes = nodes;
    this.pairs = pairs;
    this.scoredTargets = scoredTargets;
    this.nodeFlags = aggregate.nodeFlags;
    this.#aggregate = aggregate.enter();
    this.#again = again;
  }

  /** Row-major `[nodes, nodes]`; not to be written to, nor read once the scores are released. @throws `released` */
  get aggregated(): Float64Array {
    return this.#held().values;
  }

  /** Scores of some pairs of nodes in each layer pair; see {@link PairScoreSource.at}. @throws `released` */
  async pairScoresAt(elements: Uint32Array, signal?: AbortSignal): Promise<Float64Array[]> {
    this.#held();
    return this.#again.at(elements, signal);
  }

  aggregate(): Promise<Float64Array> {
    return Promise.resolve().then(() => this.#give());
  }

  async matrices(): Promise<ScoreMatrices> {
    const { nodes, nodeFlags } = this;
    const aggregated = this.#give();
    return { nodes, aggregated, perPair: await this.#again.matrices(), nodeFlags };
  }

  release(): void {
    if (this.#aggregate === undefined) return;
    this.#aggregate.leave();
    this.#aggregate = undefined;
    this.#again.release();
  }

  #give(): Float64Array {
    const aggregate = this.#held();
    aggregate.given = true;
    return aggregate.values;
  }

  #held(): SharedAggregate {
    if (this.#aggregate === undefined) throw scoresReleased();
    return this.#aggregate;
  }
}
