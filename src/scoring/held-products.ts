import type { CpuAccumulator } from '../statistics/cpu-accumulator.ts';
import { pairMoments, type PairMoments } from '../statistics/covariances.ts';
import type { SufficientStatistics } from '../statistics/sufficient-statistics.ts';
import type { Tile } from '../statistics/tiled-matmul.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import { scoredMoments } from './constant-nodes.ts';
import { noSources, type PanelProducts, type ProductSource, type SourceProducts } from './product-source.ts';
import type { TargetsRequest } from './score-matrices.ts';
import type { TargetRange } from './target-panels.ts';

/** Sums of one layer pair. */
interface HeldPair {
  readonly moments: PairMoments;
  /** Row-major `[nodes, nodes]` */
  readonly sumXY: Float64Array;
  /** Row-major `[nodes, nodes]`; only read for partial scores */
  readonly sumXX?: Float64Array;
}

/** Products from sums that are held in full. */
class HeldProducts implements ProductSource {
  readonly nodes: number;
  readonly #samples: number;
  readonly #request: TargetsRequest;
  readonly #read: (pair: number) => HeldPair | Promise<HeldPair>;

  constructor(
    { nodes, samples }: { readonly nodes: number; readonly samples: number },
    request: TargetsRequest,
    read: (pair: number) => HeldPair | Promise<HeldPair>,
  ) {
    this.nodes = nodes;
    this.#samples = samples;
    this.#request = request;
    this.#read = read;
  }

  async open(pair: number, { first, end }: TargetRange): Promise<PanelProducts> {
    const { nodes } = this;
    const { targets, varianceFloor } = this.#request;
    const { moments, sumXY, sumXX } = await this.#read(pair);
    const tile = (from: number, to: number): Tile => ({
      ...{ values: sumXY.subarray(from), stride: nodes, first: from, end: to },
    });
    return {
      nodes,
      samples: this.#samples,
      moments: scoredMoments(moments, varianceFloor),
      sources: sumXX === undefined ? noSources : wholeProducts(sumXX, nodes),
      tiles: targets
        ? Array.from(targets.subarray(first, end), (target) => tile(target, target + 1))
        : [tile(first, end)],
    };
  }

  release(): void {
    // The sums belong to others.
  }
}

/** Products from the sums of statistics. */
export function statisticsProducts(
  { nodes, samples, pairs }: SufficientStatistics,
  request: TargetsRequest,
): ProductSource {
  return new HeldProducts({ nodes, samples }, request, (p) => {
    const { sumXY, sumXX } = pairs[p]!;
    return { moments: pairMoments(pairs[p]!, samples), sumXY, sumXX };
  });
}

/**
 * Products from the sums of an accumulator, which must not change meanwhile. The sums that scores need are brought up
 * to date, and kept.
 *
 * @throws on `open`, RangeError or `out-of-memory` if memory for products runs out
 */
export function accumulatedProducts(
  { nodes, samples, pairs }: CpuAccumulator,
  request: TargetsRequest,
  yielder: Yielder,
): ProductSource {
  const partial = request.score === 'partial';
  return new HeldProducts({ nodes, samples }, request, async (p) => {
    const pair = pairs[p]!;
    await runYielding(pair.form(partial), yielder);
    if (!partial) return { moments: pair.moments(samples), sumXY: pair.plain.sums };
    const held = pair.statistics();
    return { moments: pairMoments(held, samples), sumXY: held.sumXY, sumXX: held.sumXX };
  });
}

function wholeProducts(sums: Float64Array, nodes: number): SourceProducts {
  return {
    at: (source, other) => sums[source * nodes + other]!,
    copyPart: (source, first, end, out, to) => {
      const from = source * nodes;
      for (let j = first; j < end; j++) out[to + j - first] = sums[from + j]!;
    },
  };
}
