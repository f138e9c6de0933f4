import { ReferenceCount } from '../reference-count.ts';
import type { ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import type { TargetRange } from '../../scoring/target-panels.ts';

/**
 * Takes the scores of all sources with a panel of the targets asked for, in one layer pair.
 *
 * @param scores row-major `[nodes, end - first]` and perhaps more behind it, good until the call returns
 */
export type TakePanel = (pair: number, panel: TargetRange, scores: Float64Array) => void;

/** Scores before they are aggregated. */
export interface PairScores {
  /** For each layer pair row-major `[nodes, targets asked for]` */
  readonly perPair: readonly Float64Array[];
  /** `[nodes]`, see NODE_FLAG */
  readonly nodeFlags: Uint8Array;
}

/**
 * Samples to form scores from, wherever they are kept: as they were when it was taken, where products are formed on
 * demand; else until the sums change. Calls do not overlap, nor do those of the sums that it is of. All throw
 * `out-of-memory`, `runtime`, and the signal's reason once it is aborted.
 */
export interface CpuSnapshot {
  /**
   * Fills an array for each layer pair and gives them back; those handed in must not be used any more. When it fails,
   * nobody is at work on them.
   */
  scores(request: TargetsRequest, out: readonly Float64Array[]): Promise<PairScores>;
  /**
   * Forms scores panel by panel, with room for few panels only. Those of a panel come in the order of the layer pairs.
   *
   * @returns the flags of the nodes, see NODE_FLAG
   */
  panels(request: TargetsRequest, take: TakePanel): Promise<Uint8Array>;
  /**
   * Scores of pairs of nodes in each layer pair, which must be so few that `pairGroups` has groups for them. Only where
   * products are formed on demand.
   *
   * @param pairIndices `source * nodes + target` of each
   */
  scoresAt(request: ScoreRequest, pairIndices: Uint32Array): Promise<Float64Array[]>;
  /** Lets go of the samples. Once. */
  release(): void;
}

/** A snapshot that goes when nobody uses it any more. Made for its first user. */
export class SharedSnapshot {
  readonly samples: CpuSnapshot;
  readonly #uses = new ReferenceCount(() => {
    this.samples.release();
  });

  constructor(samples: CpuSnapshot) {
    this.samples = samples;
  }

  retain(): this {
    this.#uses.retain();
    return this;
  }

  release(): void {
    this.#uses.release();
  }
}

/** All targets of a request as one panel */
export function wholePanel(nodes: number, { targets }: TargetsRequest): TargetRange {
  return { first: 0, end: targets?.length ?? nodes };
}

/** Targets of the widest panel. */
export function widestOf(panels: readonly TargetRange[]): number {
  return panels.reduce((widest, { first, end }) => Math.max(widest, end - first), 0);
}
