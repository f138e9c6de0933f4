import { ReferenceCount } from '../reference-count.ts';
import type { ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import type { TargetRange } from '../../scoring/target-panels.ts';

/**
 * Takes the scores of all sources for a panel of the requested targets, in one layer pair.
 *
 * @param scores row-major `[nodes, end - first]`, perhaps with more behind it; valid until the call returns
 */
export type TakePanel = (pair: number, panel: TargetRange, scores: Float64Array) => void;

/** Scores before they are aggregated. */
export interface PairScores {
  /** One per layer pair, row-major `[nodes, requested targets]` */
  readonly perPair: readonly Float64Array[];
  /** `[nodes]`, see NODE_FLAG */
  readonly nodeFlags: Uint8Array;
}

/**
 * Samples to form scores from, wherever they are kept. If products are formed on demand, a snapshot holds the samples
 * as of its creation; otherwise it is valid until the sums change. Calls must overlap neither each other nor calls of
 * the sums it belongs to. All throw `out-of-memory`, `runtime`, and the signal's reason once it is aborted.
 */
export interface CpuSnapshot {
  /**
   * Fills an array for each layer pair and returns them; those passed in must not be used any more. When it fails,
   * nothing writes to them any more.
   */
  scores(request: TargetsRequest, out: readonly Float64Array[]): Promise<PairScores>;
  /**
   * Forms scores panel by panel, with memory for a few panels only. The scores of a panel come in the order of the
   * layer pairs.
   *
   * @returns the flags of the nodes, see NODE_FLAG
   */
  panels(request: TargetsRequest, take: TakePanel): Promise<Uint8Array>;
  /**
   * Scores of pairs of nodes in each layer pair: few enough pairs that `pairGroups` returns groups for them. Only if
   * products are formed on demand.
   *
   * @param pairIndices `source * nodes + target` of each
   */
  scoresAt(request: ScoreRequest, pairIndices: Uint32Array): Promise<Float64Array[]>;
  /** Releases the samples. Call it once. */
  release(): void;
}

/** A snapshot that its last user frees. Starts with one user. */
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

/** Number of targets of the widest panel. */
export function widestOf(panels: readonly TargetRange[]): number {
  return panels.reduce((widest, { first, end }) => Math.max(widest, end - first), 0);
}
