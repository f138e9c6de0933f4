import { MagnitudeEdgeError } from '../errors.ts';
import type { Yielder } from '../statistics/yielder.ts';

/** Scores that change as edges are selected: those of a target are conditioned on the sources selected for it. */
export interface ConditionalScores {
  /** N, function nodes */
  readonly nodes: number;
  /**
   * Aggregated scores of all sources with some targets, each `[nodes]`; NaN if there is none.
   *
   * @param targets ascending
   */
  columns(targets: Uint32Array): Promise<readonly ArrayLike<number>[]>;
  /** Conditions the scores of a target on a source from now on. */
  select(source: number, target: number): void;
  /** Number of sources that a target is conditioned on */
  conditioned(target: number): number;
}

/** How edges are selected, step by step. */
export interface SelectionPlan {
  /** Most steps */
  readonly steps: number;
  /** Most edges per step, each of another target: an edge changes no score of the other targets */
  readonly perStep: number;
  /** No edge with a lower score is selected. */
  readonly stopAt: number;
}

export interface SelectedEdge {
  /** Counted from 1 */
  readonly step: number;
  readonly source: number;
  readonly target: number;
  /** Its score when it was selected */
  readonly score: number;
  /** Number of sources that its target was conditioned on then */
  readonly conditioned: number;
}

/** Why a selection ended: all steps done, or no edge left with a high enough score. */
export type SelectionEnd = 'steps' | 'stopAt';

export interface Selection {
  readonly edges: readonly SelectedEdge[];
  readonly ended: SelectionEnd;
}

/** The best source of a target; none if its score is NaN. */
interface Best {
  readonly source: number;
  readonly score: number;
}

/** Pairs of nodes by `source * nodes + target`. */
export interface PairSet {
  has(element: number): boolean;
}

/**
 * Repeatedly selects the best edges and conditions their targets on them (method.md, "Stagewise selection").
 *
 * @param known pairs that are not candidates; nor is i -> i
 * @param onStep called after each step, with the number of edges selected so far
 */
export async function selectEdges(
  scores: ConditionalScores,
  known: PairSet,
  { steps, perStep, stopAt }: SelectionPlan,
  yielder: Yielder,
  onStep?: (step: number, edges: number) => void,
): Promise<Selection> {
  const { nodes } = scores;
  const selected = new Set<number>();
  const best: Best[] = [];
  const update = async (targets: Uint32Array): Promise<void> => {
    const columns = await scores.columns(targets);
    for (const [k, target] of targets.entries()) {
      const isCandidate = (source: number): boolean => {
        const element = source * nodes + target;
        return source !== target && !selected.has(element) && !known.has(element);
      };
      best[target] = bestOf(columns[k]!, isCandidate);
      await yielder();
    }
  };
  await update(Uint32Array.from({ length: nodes }, (_, target) => target));
  const edges: SelectedEdge[] = [];
  for (let step = 1; step <= steps; step++) {
    const order = [...best.keys()]
      .filter((target) => best[target]!.score >= stopAt)
      .sort((a, b) => best[b]!.score - best[a]!.score || best[a]!.source - best[b]!.source || a - b);
    const targets = order.slice(0, perStep);
    if (targets.length === 0) return { edges, ended: 'stopAt' };
    const own = targets.map((target): SelectedEdge => {
      const { source, score } = best[target]!;
      return { step, source, target, score, conditioned: scores.conditioned(target) };
    });
    for (const { source, target } of own) {
      selected.add(source * nodes + target);
      scores.select(source, target);
    }
    edges.push(...own);
    onStep?.(step, edges.length);
    if (step < steps) await update(Uint32Array.from(targets).sort());
  }
  return { edges, ended: 'steps' };
}

/** The first of the highest scores. */
function bestOf(scores: ArrayLike<number>, isCandidate: (source: number) => boolean): Best {
  let best: Best = { source: -1, score: NaN };
  for (let source = 0; source < scores.length; source++) {
    const score = scores[source]!;
    if (Number.isNaN(score) || score <= best.score || !isCandidate(source)) continue;
    best = { source, score };
  }
  return best;
}

/**
 * Fills in the defaults.
 *
 * @throws `invalid-argument`
 */
export function selectionPlan({
  steps = 10,
  perStep = 1,
  stopAt = 0,
}: {
  readonly [Option in keyof SelectionPlan]?: number | undefined;
}): SelectionPlan {
  for (const [option, found] of [
    ['steps', steps],
    ['perStep', perStep],
  ] as const) {
    if (Number.isSafeInteger(found) && found >= 1) continue;
    throw new MagnitudeEdgeError(
      'invalid-argument',
      `${option} must be a whole number of at least 1 and is ${found}.`,
      { details: { option, found } },
    );
  }
  if (!Number.isNaN(stopAt)) return { steps, perStep, stopAt };
  throw new MagnitudeEdgeError('invalid-argument', 'stopAt must be a number and is NaN.', {
    details: { option: 'stopAt', found: stopAt },
  });
}
