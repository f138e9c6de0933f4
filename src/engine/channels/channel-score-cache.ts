import { aggregateChannels } from '../../scoring/channel/aggregate.ts';
import type { ChannelRequest } from '../../scoring/channel/request.ts';
import type { ChannelMatrices } from './channel-scores.ts';

/** Caches the last scores: another aggregation of the layer pairs needs no regression. */
export class ChannelScoreCache {
  #last: { readonly key: string; readonly matrices: ChannelMatrices } | undefined;
  /** Counts changes of the samples, so that scores requested before a change are not returned after it */
  #version = 0;

  /** Call it when the samples have changed. */
  clear(): void {
    this.#version++;
    this.#last = undefined;
  }

  /** Returns cached scores, or computes them. */
  async get(
    { layerAgg, lambda, varianceFloor }: ChannelRequest,
    compute: () => Promise<ChannelMatrices>,
  ): Promise<ChannelMatrices> {
    const key = JSON.stringify([layerAgg === 'pooled', lambda, varianceFloor, this.#version]);
    if (this.#last?.key !== key) {
      const matrices = await compute();
      this.#last = { key, matrices };
      return matrices;
    }
    const { matrices } = this.#last;
    if (layerAgg === 'pooled') return matrices;
    return { ...matrices, aggregated: aggregateChannels(matrices.perPair, layerAgg) };
  }
}
