import { HostScoreScanner } from '../../ranking/host-score-scanner.ts';
import type { ScoreMatrices } from '../../scoring/score-matrices.ts';
import { discard } from '../../statistics/discard.ts';
import { ReferenceCount } from '../reference-count.ts';
import { scoresReleased } from './host-scores.ts';
import type { ScoreReader, Scores } from './scores.ts';

/** Aggregated scores, row-major `[nodes, nodes]`, whose memory is freed when nobody reads them any more. */
export class SharedAggregate {
  readonly values: Float64Array;
  /** `[nodes]`, see {@link NODE_FLAG} */
  nodeFlags: Uint8Array;
  /** Whether the array has been given away: then it may be read for as long as somebody has it. */
  given = false;
  readonly #uses = new ReferenceCount(() => {
    if (!this.given) discard(this.values);
  });

  constructor(values: Float64Array, nodeFlags: Uint8Array) {
    this.values = values;
    this.nodeFlags = nodeFlags;
  }

  get users(): number {
    return this.#uses.users;
  }

  retain(): this {
    this.#uses.retain();
    return this;
  }

  release(): void {
    this.#uses.release();
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
  readonly #aggregate: SharedAggregate;
  readonly #uses: ReferenceCount;
  #released = false;

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
    this.#aggregate = aggregate.retain();
    this.#again = again;
    this.#uses = new ReferenceCount(() => {
      aggregate.release();
      again.release();
    });
  }

  aggregate(): Promise<Float64Array> {
    return Promise.resolve().then(() => this.#give());
  }

  async matrices(): Promise<ScoreMatrices> {
    const aggregated = this.#give();
    return this.#matrices(aggregated);
  }

  reader(): ScoreReader {
    this.#checkHeld();
    this.#uses.retain();
    const { nodes } = this;
    const aggregated = this.#aggregate.values;
    return {
      holdsPairs: false,
      threads: undefined,
      aggregated: () => Promise.resolve(aggregated),
      matrices: () => this.#matrices(aggregated),
      scanner: (classOf, yielder, signal) =>
        new HostScoreScanner({ nodes, aggregated }, classOf, yielder, (elements) =>
          this.#again.at(elements, signal),
        ),
      release: () => {
        this.#uses.release();
      },
    };
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#uses.release();
  }

  async #matrices(aggregated: Float64Array): Promise<ScoreMatrices> {
    const { nodes, nodeFlags } = this;
    return { nodes, aggregated, perPair: await this.#again.matrices(), nodeFlags };
  }

  #give(): Float64Array {
    this.#checkHeld();
    this.#aggregate.given = true;
    return this.#aggregate.values;
  }

  #checkHeld(): void {
    if (this.#released) throw scoresReleased();
  }
}
