import type { MagnitudeRequest } from '../scoring/magnitude-request.ts';
import type { LayerAggregation } from '../scoring/score-matrices.ts';
import type { ConditionalScores } from '../scoring/select-edges.ts';
import { withAggregate } from './scores/with-reader.ts';
import { raggedFromLists } from '../statistics/ragged.ts';
import type { Engine } from './engine.ts';

/**
 * Partial correlations with growing conditioning sets. The engine scores only the targets whose sets have changed since
 * its last request.
 */
export class ConditionalPartial implements ConditionalScores {
  readonly nodes: number;
  readonly #engine: Engine;
  readonly #request: MagnitudeRequest & { readonly layerAgg: LayerAggregation };
  readonly #sets: number[][];

  /** @param sets the initial conditioning set of each target */
  constructor(
    engine: Engine,
    request: MagnitudeRequest & { readonly layerAgg: LayerAggregation },
    sets: readonly (readonly number[])[],
  ) {
    this.nodes = engine.shape.nodes;
    this.#engine = engine;
    this.#request = request;
    this.#sets = sets.map((set) => [...set]);
  }

  async columns(targets: Uint32Array): Promise<Float64Array[]> {
    const { nodes } = this;
    const conditioningSets = raggedFromLists(this.#sets);
    const scores = await this.#engine.scores({ ...this.#request, score: 'partial', conditioningSets });
    try {
      return await withAggregate(scores, (aggregated) =>
        Array.from(targets, (target) =>
          Float64Array.from({ length: nodes }, (_, source) => aggregated[source * nodes + target]!),
        ),
      );
    } finally {
      scores.release();
    }
  }

  select(source: number, target: number): void {
    this.#sets[target] = [...this.#sets[target]!, source].sort((a, b) => a - b);
  }

  conditioned(target: number): number {
    return this.#sets[target]!.length;
  }
}
