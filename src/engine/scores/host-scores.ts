import { MagnitudeEdgeError } from '../../errors.ts';
import type { ScoreMatrices } from '../../scoring/score-matrices.ts';
import type { ScoreThreads } from '../../ranking/score-threads.ts';
import type { ScoreTests } from '../../scoring/score-matrices.ts';
import type { Scores } from './scores.ts';

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
  readonly threads: ScoreThreads | undefined;
  readonly tests: ScoreTests | undefined;
  readonly #matrices: ScoreMatrices;
  readonly #onFree: (() => void) | undefined;
  #released = false;
  #given = false;
  #readers = 0;

  /** Takes the matrices over. */
  constructor(
    matrices: ScoreMatrices,
    { scoredTargets = matrices.nodes, pairs = matrices.perPair.length, threads, tests, onFree }: Origin = {},
  ) {
    this.threads = threads;
    this.tests = tests;
    this.scoredTargets = scoredTargets;
    this.nodes = matrices.nodes;
    this.pairs = pairs;
    this.nodeFlags = matrices.nodeFlags;
    this.#matrices = matrices;
    this.#onFree = onFree;
  }

  matrices(): Promise<ScoreMatrices> {
    return Promise.resolve().then(() => {
      const matrices = this.held;
      this.#given = true;
      return matrices;
    });
  }

  async aggregate(): Promise<ScoreMatrices['aggregated']> {
    return (await this.matrices()).aggregated;
  }

  /** The arrays themselves, for somebody between {@link HostScores.enter} and {@link HostScores.leave}. @throws `released` */
  get held(): ScoreMatrices {
    if (this.#released && this.#readers === 0) throw scoresReleased();
    return this.#matrices;
  }

  /** From now on the arrays stay as they are, also when the scores are released meanwhile. @throws `released` */
  enter(): void {
    if (this.#released) throw scoresReleased();
    this.#readers++;
  }

  /** Once for each {@link HostScores.enter}. */
  leave(): void {
    this.#readers--;
    this.#tell();
  }

  /** Whether the arrays may be written to: they have been released, nobody reads them, and nobody was given them. */
  get free(): boolean {
    return this.#released && this.#readers === 0 && !this.#given;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#tell();
  }

  #tell(): void {
    if (this.free) this.#onFree?.();
  }
}

/** The error for scores that have been let go. */
export function scoresReleased(): MagnitudeEdgeError {
  return new MagnitudeEdgeError('released', 'These scores have been released and cannot be read any more.');
}
