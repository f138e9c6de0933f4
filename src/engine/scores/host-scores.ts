import { MagnitudeEdgeError } from '../../errors.ts';
import { gather } from '../../ranking/gather.ts';
import { HostScoreScanner } from '../../ranking/host-score-scanner.ts';
import type { ScoreThreads } from '../../ranking/ranking-work.ts';
import type { ScoreMatrices, ScoreTests } from '../../scoring/score-matrices.ts';
import { ReferenceCount } from '../reference-count.ts';
import type { ScoreReader, Scores } from './scores.ts';

/** Arrays of scores, freed by their last user. Starts with one user. */
export class ScoreArrays implements ScoreMatrices {
  readonly nodes: number;
  aggregated: ScoreMatrices['aggregated'];
  /** Empty if scores of layer pairs are formed again */
  readonly perPair: ScoreMatrices['perPair'];
  nodeFlags: Uint8Array;
  /** Whether the arrays were handed out; they may be neither written nor freed then. */
  handedOut = false;
  readonly #uses: ReferenceCount;

  /** @param free takes the arrays back for reuse */
  constructor(
    { nodes, aggregated, perPair, nodeFlags }: ScoreMatrices,
    free: (arrays: readonly ScoreMatrices['aggregated'][]) => void = () => undefined,
  ) {
    this.nodes = nodes;
    this.aggregated = aggregated;
    this.perPair = perPair;
    this.nodeFlags = nodeFlags;
    this.#uses = new ReferenceCount(() => {
      if (!this.handedOut) free([this.aggregated, ...this.perPair]);
    });
  }

  /** Whether its only user may write to it. */
  get writable(): boolean {
    return this.#uses.users === 1 && !this.handedOut;
  }

  retain(): this {
    this.#uses.retain();
    return this;
  }

  release(): void {
    this.#uses.release();
  }
}

/** Scores of layer pairs that are not held. */
export interface PairScoreSource {
  /** P */
  readonly pairs: number;
  /**
   * Scores of some pairs of nodes, one array per layer pair.
   *
   * @param pairIndices `source * nodes + target` of each
   * @throws as {@link PairScoreSource.matrices}; the signal's reason once it is aborted
   */
  at(pairIndices: Uint32Array, signal?: AbortSignal): Promise<Float64Array[]>;
  /** One matrix per layer pair. @throws as {@link Scores.matrices} */
  matrices(): Promise<readonly Float64Array[]>;
  /** Releases the samples. Call it once. */
  release(): void;
}

/** Optional facts about scores on the host. */
interface Origin {
  /** Default: all */
  readonly scoredTargets?: number;
  /** P, if layer pairs have no scores of their own */
  readonly pairs?: number;
  /** Threads besides the calling one, if there are any */
  readonly threads?: ScoreThreads | undefined;
  readonly tests?: ScoreTests | undefined;
  /** Set if scores of layer pairs are formed again; released with the scores */
  readonly pairScores?: PairScoreSource | undefined;
}

/** {@link Scores} in arrays on the host. */
export class HostScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly gpu = undefined;
  readonly scoredTargets: number;
  readonly nodeFlags: Uint8Array;
  readonly tests: ScoreTests | undefined;
  readonly #threads: ScoreThreads | undefined;
  readonly #arrays: ScoreArrays;
  readonly #aggregated: ScoreMatrices['aggregated'];
  readonly #pairScores: PairScoreSource | undefined;
  readonly #uses: ReferenceCount;
  #released = false;

  /** Takes ownership of the arrays. */
  constructor(
    arrays: ScoreArrays,
    { scoredTargets = arrays.nodes, pairs, threads, tests, pairScores }: Origin = {},
  ) {
    this.nodes = arrays.nodes;
    this.pairs = pairs ?? pairScores?.pairs ?? arrays.perPair.length;
    this.scoredTargets = scoredTargets;
    this.nodeFlags = arrays.nodeFlags;
    this.tests = tests;
    this.#threads = threads;
    this.#arrays = arrays;
    this.#aggregated = arrays.aggregated;
    this.#pairScores = pairScores;
    this.#uses = new ReferenceCount(() => {
      arrays.release();
      pairScores?.release();
    });
  }

  // Synchronous up to the first wait: a call made before `release` must retain what it needs.
  async matrices(): Promise<ScoreMatrices> {
    this.#handOut();
    return this.#matrices();
  }

  aggregate(): Promise<ScoreMatrices['aggregated']> {
    return Promise.resolve().then(() => {
      this.#handOut();
      return this.#aggregated;
    });
  }

  reader(): ScoreReader {
    this.#checkHeld();
    this.#uses.retain();
    const { nodes } = this;
    const aggregated = this.#aggregated;
    return {
      holdsPairs: this.#pairScores === undefined,
      onHost: true,
      threads: this.#threads,
      aggregated: () => Promise.resolve(aggregated),
      matrices: () => this.#matrices(),
      scanner: (classOf, yielder, signal) =>
        new HostScoreScanner({ nodes, aggregated }, classOf, yielder, (at) => this.#pairScoresAt(at, signal)),
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

  #pairScoresAt(
    at: Uint32Array,
    signal: AbortSignal | undefined,
  ): Promise<ScoreMatrices['perPair'][number][]> {
    if (this.#pairScores) return this.#pairScores.at(at, signal);
    return Promise.resolve(this.#arrays.perPair.map((matrix) => gather(matrix, at)));
  }

  async #matrices(): Promise<ScoreMatrices> {
    const { nodes, nodeFlags } = this;
    const perPair = (await this.#pairScores?.matrices()) ?? this.#arrays.perPair;
    return { nodes, aggregated: this.#aggregated, perPair, nodeFlags };
  }

  #handOut(): void {
    this.#checkHeld();
    this.#arrays.handedOut = true;
  }

  #checkHeld(): void {
    if (this.#released) throw scoresReleased();
  }
}

/** The error for scores that have been released. */
export function scoresReleased(): MagnitudeEdgeError {
  return new MagnitudeEdgeError('released', 'These scores have been released and cannot be read any more.');
}
