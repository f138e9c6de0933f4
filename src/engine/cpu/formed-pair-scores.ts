import { rowsByTarget } from '../../scoring/by-target.ts';
import { pairGroups } from '../../scoring/pair-groups.ts';
import { GatheredScores } from '../../scoring/gathered-scores.ts';
import type { ScoreRequest } from '../../scoring/score-matrices.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import type { PairScoreSource } from '../scores/host-scores.ts';
import type { SharedSnapshot } from './snapshot.ts';

/** Runs work when no other call to the engine is running. */
export type RunQueued = <T>(work: () => Promise<T>) => Promise<T>;

/** Scores of layer pairs, formed from a snapshot on every request. */
export class FormedPairScores implements PairScoreSource {
  readonly pairs: number;
  readonly #nodes: number;
  readonly #request: ScoreRequest;
  readonly #snapshot: SharedSnapshot;
  readonly #run: RunQueued;

  /** @param snapshot already retained for this object, which releases it */
  constructor(
    { nodes, pairs }: { readonly nodes: number; readonly pairs: number },
    request: ScoreRequest,
    snapshot: SharedSnapshot,
    run: RunQueued,
  ) {
    this.pairs = pairs;
    this.#nodes = nodes;
    this.#request = { ...request, signal: undefined };
    this.#snapshot = snapshot;
    this.#run = run;
  }

  at(pairIndices: Uint32Array, signal?: AbortSignal): Promise<Float64Array[]> {
    return this.#queued(async ({ samples }) => {
      signal?.throwIfAborted();
      const request = { ...this.#request, signal };
      const byTarget = await runYielding(rowsByTarget(pairIndices, this.#nodes), createYielder(signal));
      if (pairGroups(pairIndices, this.#nodes, request, byTarget) !== undefined) {
        return samples.scoresAt(request, pairIndices);
      }
      const gathered = new GatheredScores(pairIndices, this.#nodes, this.pairs, byTarget);
      await samples.panels(request, (pair, { first, end }, scores) => {
        gathered.take(pair, first, end, scores);
      });
      return gathered.perPair;
    });
  }

  matrices(): Promise<readonly Float64Array[]> {
    return this.#queued(async ({ samples }) => {
      const out = Array.from({ length: this.pairs }, () => new Float64Array(this.#nodes ** 2));
      return (await samples.scores(this.#request, out)).perPair;
    });
  }

  release(): void {
    this.#snapshot.release();
  }

  /** Retains the samples for queued work, since the handle may be released meanwhile. */
  #queued<T>(work: (snapshot: SharedSnapshot) => Promise<T>): Promise<T> {
    const snapshot = this.#snapshot.retain();
    return this.#run(() => work(snapshot)).finally(() => {
      snapshot.release();
    });
  }
}
