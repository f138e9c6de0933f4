import { aggregateChannels } from '../../scoring/channel/aggregate.ts';
import type { ChannelRequest } from '../../scoring/channel/request.ts';
import type { ChannelMatrices } from './channel-scores.ts';

/** The last scores. Another aggregation of the layer pairs costs no regression. */
export class ChannelScoreCache {
  #last: { readonly key: string; readonly matrices: ChannelMatrices } | undefined;
  /** Counts changes of the samples: scores asked for before one are not of those after it */
  #version = 0;

  /** The samples have changed. */
  clear(): void {
    this.#version++;
    this.#last = undefined;
  }

  /** Scores that are kept, or are computed now. */
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
