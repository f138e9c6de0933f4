import { rowsByTarget } from '../../scoring/by-target.ts';
import { pairGroups } from '../../scoring/pair-groups.ts';
import { scorePairs } from '../../scoring/score-pairs.ts';
import { accumulatedProducts } from '../../scoring/held-products.ts';
import { OnDemandProducts } from '../../scoring/on-demand-products.ts';
import { PanelScorer } from '../../scoring/panel-scorer.ts';
import type { ProductSource } from '../../scoring/product-source.ts';
import type { ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import { targetPanels } from '../../scoring/target-panels.ts';
import type { CpuAccumulator } from '../../statistics/cpu-accumulator.ts';
import type { PairSnapshot } from '../../statistics/pair-snapshot.ts';
import { createYielder, runYielding, type Yielder } from '../../statistics/yielder.ts';
import { withOutOfMemoryError } from '../with-out-of-memory-error.ts';
import { widestOf, wholePanel, type CpuSnapshot, type PairScores, type TakePanel } from './snapshot.ts';

/** A snapshot on the calling thread. */
export class LocalSnapshot implements CpuSnapshot {
  readonly #shape: { readonly nodes: number; readonly pairs: number };
  readonly #products: (request: TargetsRequest, yielder: Yielder) => ProductSource;
  /** Empty unless products are formed on demand */
  readonly #samples: readonly PairSnapshot[];

  constructor(accumulator: CpuAccumulator) {
    const { nodes, pairs, samples, tiled } = accumulator;
    this.#shape = { nodes, pairs: pairs.length };
    this.#samples = tiled ? pairs.map((pair) => pair.snapshot(samples)) : [];
    this.#products = tiled
      ? (request, yielder) => new OnDemandProducts(nodes, (p) => this.#samples[p]!, request, yielder)
      : (request, yielder) => accumulatedProducts(accumulator, request, yielder);
  }

  scores(request: TargetsRequest, out: readonly Float64Array[]): Promise<PairScores> {
    return this.#withScorer(request, async (scorer) => {
      const panel = wholePanel(this.#shape.nodes, request);
      for (const [pair, scores] of out.entries()) await scorer.score(pair, panel, scores);
      return { perPair: out, nodeFlags: scorer.nodeFlags };
    });
  }

  panels(request: TargetsRequest, take: TakePanel): Promise<Uint8Array> {
    return this.#withScorer(request, async (scorer) => {
      const { nodes, pairs } = this.#shape;
      const panels = targetPanels(nodes, request);
      const scores = new Float64Array(nodes * widestOf(panels));
      for (let pair = 0; pair < pairs; pair++) {
        for (const panel of panels) {
          await scorer.score(pair, panel, scores);
          take(pair, panel, scores);
        }
      }
      return scorer.nodeFlags;
    });
  }

  scoresAt(request: ScoreRequest, pairIndices: Uint32Array): Promise<Float64Array[]> {
    return withOutOfMemoryError(this.#shape, async () => {
      const { nodes } = this.#shape;
      const yielder = createYielder(request.signal);
      const byTarget = await runYielding(rowsByTarget(pairIndices, nodes), yielder);
      const groups = pairGroups(pairIndices, nodes, request, byTarget)!;
      return scorePairs(this.#samples, request, pairIndices, groups, yielder);
    });
  }

  /**
   * Forms scores; the caller must release it. Use one at a time: all of them form products in the same memory.
   *
   * @throws `out-of-memory`
   */
  scorer(request: TargetsRequest): Promise<PanelScorer> {
    const yielder = createYielder(request.signal);
    return withOutOfMemoryError(
      this.#shape,
      () => new PanelScorer(this.#products(request, yielder), request, yielder),
    );
  }

  release(): void {
    // Freed with the last reference to it.
  }

  #withScorer<T>(request: TargetsRequest, work: (scorer: PanelScorer) => Promise<T>): Promise<T> {
    return withOutOfMemoryError(this.#shape, async () => {
      const scorer = await this.scorer(request);
      try {
        return await work(scorer);
      } finally {
        scorer.release();
      }
    });
  }
}
