import { PanelScorer } from '../../scoring/panel-scorer.ts';
import { rowsByTarget } from '../../scoring/by-target.ts';
import { elementGroups } from '../../scoring/element-groups.ts';
import { scoreElements } from '../../scoring/few-elements.ts';
import type { ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import { targetPanels, type TargetRange } from '../../scoring/target-panels.ts';
import { createYielder, runYielding } from '../../statistics/yielder.ts';
import type { PairSnapshot } from '../../statistics/pair-snapshot.ts';
import { withOutOfMemoryError } from '../with-out-of-memory-error.ts';

/**
 * Takes the scores of all sources with a panel of the targets asked for, in one layer pair.
 *
 * @param scores row-major `[nodes, end - first]` and perhaps more behind it, good until the call returns
 */
export type TakePanel = (pair: number, panel: TargetRange, scores: Float64Array) => void;

/**
 * Samples as they were at some time, wherever they are kept, to form scores from without N x N sums. Calls do not
 * overlap, nor do those of the sums that it is of.
 */
export interface CpuSnapshot {
  /**
   * Forms scores panel by panel. Those of a panel come in the order of the layer pairs.
   *
   * @returns the flags of the nodes, see NODE_FLAG
   * @throws `out-of-memory`, `runtime`; the signal's reason once it is aborted
   */
  panels(request: TargetsRequest, take: TakePanel): Promise<Uint8Array>;
  /**
   * Scores of pairs of nodes in each layer pair, which must be so few that {@link elementGroups} has groups for them.
   *
   * @param elements `source * nodes + target` of each
   * @throws as {@link CpuSnapshot.panels}
   */
  scoresAt(request: ScoreRequest, elements: Uint32Array): Promise<Float64Array[]>;
  /** Lets go of the samples. Once. */
  release(): void;
}

/** A snapshot on the thread that it is called from. */
export class LocalSnapshot implements CpuSnapshot {
  readonly #nodes: number;
  readonly #pairs: readonly PairSnapshot[];

  constructor(nodes: number, pairs: readonly PairSnapshot[]) {
    this.#nodes = nodes;
    this.#pairs = pairs;
  }

  panels(request: TargetsRequest, take: TakePanel): Promise<Uint8Array> {
    const nodes = this.#nodes;
    const pairs = this.#pairs.length;
    return withOutOfMemoryError({ nodes, pairs }, async () => {
      const panels = targetPanels(nodes, request);
      const scores = new Float64Array(nodes * widestOf(panels));
      const scorer = await this.scorer(request);
      try {
        for (let pair = 0; pair < pairs; pair++) {
          for (const panel of panels) {
            await scorer.score(pair, panel, scores);
            take(pair, panel, scores);
          }
        }
        return scorer.nodeFlags;
      } finally {
        scorer.release();
      }
    });
  }

  scoresAt(request: ScoreRequest, elements: Uint32Array): Promise<Float64Array[]> {
    const nodes = this.#nodes;
    return withOutOfMemoryError({ nodes, pairs: this.#pairs.length }, async () => {
      const yielder = createYielder(request.signal);
      const byTarget = await runYielding(rowsByTarget(elements, nodes), yielder);
      const groups = elementGroups(elements, nodes, request, byTarget)!;
      return scoreElements(this.#pairs, request, elements, groups, yielder);
    });
  }

  /**
   * What forms the panels, the caller's to release. One at a time: products are formed in memory that all share.
   *
   * @throws `out-of-memory`
   */
  scorer(request: TargetsRequest): Promise<PanelScorer> {
    const yielder = createYielder(request.signal);
    return withOutOfMemoryError(
      { nodes: this.#nodes, pairs: this.#pairs.length },
      () => new PanelScorer(this.#pairs, request, yielder),
    );
  }

  release(): void {
    // It goes with the last reference to it.
  }
}

/** Targets of the widest panel. */
export function widestOf(panels: readonly TargetRange[]): number {
  return panels.reduce((widest, { first, end }) => Math.max(widest, end - first), 0);
}
