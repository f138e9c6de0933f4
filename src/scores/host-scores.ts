import { MagnitudeEdgeError } from '../errors.ts';
import type { ScoreMatrices } from './score-matrices.ts';
import type { ScoreThreads } from './score-threads.ts';
import type { Scores } from './scores.ts';

/** {@link Scores} in arrays on the host. */
export class HostScores implements Scores {
  readonly nodes: number;
  readonly pairs: number;
  readonly gpu = undefined;
  readonly scoredTargets: number;
  #matrices: ScoreMatrices | undefined;

  /** Where there are others than the calling one */
  readonly threads: ScoreThreads | undefined;

  /** Takes the matrices over. */
  constructor(matrices: ScoreMatrices, scoredTargets = matrices.nodes, threads?: ScoreThreads) {
    this.threads = threads;
    this.scoredTargets = scoredTargets;
    this.nodes = matrices.nodes;
    this.pairs = matrices.perPair.length;
    this.#matrices = matrices;
  }

  matrices(): Promise<ScoreMatrices> {
    return this.#matrices === undefined ? Promise.reject(scoresReleased()) : Promise.resolve(this.#matrices);
  }

  async aggregate(): Promise<ScoreMatrices['aggregated']> {
    return (await this.matrices()).aggregated;
  }

  get released(): boolean {
    return this.#matrices === undefined;
  }

  release(): void {
    this.#matrices = undefined;
  }
}

/** The error for scores that have been let go. */
export function scoresReleased(): MagnitudeEdgeError {
  return new MagnitudeEdgeError('released', 'These scores have been released and cannot be read any more.');
}
