import { MagnitudeEdgeError } from '../../errors.ts';
import { HostScoreScanner, pairScoresIn } from '../../ranking/host-score-scanner.ts';
import type { ScoreThreads } from '../../ranking/score-threads.ts';
import type { ScoreMatrices, ScoreTests } from '../../scoring/score-matrices.ts';
import { ReferenceCount } from '../reference-count.ts';
import type { ScoreReader, Scores } from './scores.ts';

/** What scores on the host come with. */
interface Origin {
  /** Default: all */
  readonly scoredTargets?: number;
  /** P, where there are no matrices of the layer pairs */
  readonly pairs?: number;
  /** Threads beside the calling one, where there are any */
  readonly threads?: ScoreThreads | undefined;
  readonly tests?: ScoreTests | undefined;
  /** Told once when the scores are {@link HostScores.free}; never, where somebody was given them. */
  readonly onFree?: () => void;
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
  readonly #matrices: ScoreMatrices;
  readonly #uses: ReferenceCount;
  #released = false;
  #given = false;

  /** Takes the matrices over. */
  constructor(
    matrices: ScoreMatrices,
    { scoredTargets = matrices.nodes, pairs = matrices.perPair.length, threads, tests, onFree }: Origin = {},
  ) {
    this.#threads = threads;
    this.tests = tests;
    this.scoredTargets = scoredTargets;
    this.nodes = matrices.nodes;
    this.pairs = pairs;
    this.nodeFlags = matrices.nodeFlags;
    this.#matrices = matrices;
    this.#uses = new ReferenceCount(() => {
      if (this.free) onFree?.();
    });
  }

  matrices(): Promise<ScoreMatrices> {
    return Promise.resolve().then(() => {
      this.#checkHeld();
      this.#given = true;
      return this.#matrices;
    });
  }

  async aggregate(): Promise<ScoreMatrices['aggregated']> {
    return (await this.matrices()).aggregated;
  }

  reader(): ScoreReader {
    this.#checkHeld();
    this.#uses.retain();
    const matrices = this.#matrices;
    return {
      holdsPairs: true,
      threads: this.#threads,
      aggregated: () => Promise.resolve(matrices.aggregated),
      matrices: () => Promise.resolve(matrices),
      scanner: (classOf, yielder) => new HostScoreScanner(matrices, classOf, yielder, pairScoresIn(matrices)),
      release: () => {
        this.#uses.release();
      },
    };
  }

  /** Whether the arrays may be written to: they have been released, nobody reads them, and nobody was given them. */
  get free(): boolean {
    return this.#uses.users === 0 && !this.#given;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#uses.release();
  }

  #checkHeld(): void {
    if (this.#released) throw scoresReleased();
  }
}

/** The error for scores that have been let go. */
export function scoresReleased(): MagnitudeEdgeError {
  return new MagnitudeEdgeError('released', 'These scores have been released and cannot be read any more.');
}
