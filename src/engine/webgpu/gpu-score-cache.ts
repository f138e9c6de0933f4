import type { GpuContext } from '../../gpu/device.ts';
import type { SubmitThrottle } from '../../gpu/submit-throttle.ts';
import { KEPT_BYTES, targetsToScore } from '../../scoring/targets-to-score.ts';
import { checkScoreRequest } from '../../scoring/score-request.ts';
import type { ScoreRequest } from '../../scoring/score-matrices.ts';
import { scoreOnGpu } from './scoring/score-run.ts';
import { GpuScores } from './scoring/gpu-scores.ts';
import { ScoreStorage } from './scoring/score-storage.ts';
import type { SumSource } from './statistics/sum-source.ts';

/** The scores of the last request; the next one over the same samples reuses those that have not changed. */
export class GpuScoreCache {
  readonly #context: GpuContext;
  #last: { request: ScoreRequest; storage: ScoreStorage } | undefined;

  constructor(context: GpuContext) {
    this.#context = context;
  }

  /** Must be called when the samples change. */
  clear(): void {
    this.#last?.storage.release();
    this.#last = undefined;
  }

  /**
   * Scores of all ordered pairs; the caller releases them. Calls must not overlap.
   *
   * @param throttle throttle of the request, with its signal
   * @throws as `checkScoreRequest` and {@link scoreOnGpu}
   */
  async scores(
    sums: SumSource,
    samples: number,
    request: ScoreRequest,
    throttle: SubmitThrottle,
  ): Promise<GpuScores> {
    const { nodes } = sums.layout;
    checkScoreRequest(request, nodes, samples);
    request.signal?.throwIfAborted();
    const last = this.#last;
    const targets = last && targetsToScore(last.request, request);
    // After an abort the last scores are half overwritten.
    this.#last = undefined;
    const storage = await this.#storageFor(sums, last?.storage, targets !== undefined);
    try {
      await scoreOnGpu(this.#context, { sums, samples }, { ...request, targets }, storage, throttle);
      const scores = new GpuScores(storage, targets?.length ?? nodes);
      if (storage.bytes <= KEPT_BYTES) this.#last = { request, storage: storage.retain() };
      return scores;
    } finally {
      storage.release();
    }
  }

  /** Storage to write scores to, owned by the caller; holds the last scores if `keepLast`. Releases `last`. */
  async #storageFor(
    sums: SumSource,
    last: ScoreStorage | undefined,
    keepLast: boolean,
  ): Promise<ScoreStorage> {
    // Other holders of the last scores must not see them change.
    if (last !== undefined && keepLast && last.users === 1) return last;
    let storage: ScoreStorage | undefined;
    try {
      storage = await ScoreStorage.create(this.#context, sums.layout);
      if (last !== undefined && keepLast) await storage.copyFrom(last);
      return storage;
    } catch (error) {
      storage?.release();
      throw error;
    } finally {
      last?.release();
    }
  }
}
