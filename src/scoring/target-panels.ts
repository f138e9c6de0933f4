import type { RaggedIndices } from '../statistics/ragged.ts';
import type { TargetsRequest } from './score-matrices.ts';

/** Positions `first .. end` among the requested targets. */
export interface TargetRange {
  readonly first: number;
  readonly end: number;
}

/** Targets of a panel of scores: 20 MB for 10,000 nodes. */
const PANEL_TARGETS = 256;

/** Columns of products per panel of few targets, approximately. */
const PANEL_COLUMNS = 256;

/** Splits the targets of a request into panels. */
export function targetPanels(nodes: number, { targets, conditioningSets }: TargetsRequest): TargetRange[] {
  const panels: TargetRange[] = [];
  if (targets === undefined) {
    for (let first = 0; first < nodes; first += PANEL_TARGETS) {
      panels.push({ first, end: Math.min(first + PANEL_TARGETS, nodes) });
    }
    return panels;
  }
  let [first, columns] = [0, 0];
  for (const [at, target] of targets.entries()) {
    const own = columnsOf(conditioningSets, target);
    if (columns > 0 && columns + own > PANEL_COLUMNS) {
      panels.push({ first, end: at });
      [first, columns] = [at, 0];
    }
    columns += own;
  }
  if (first < targets.length) panels.push({ first, end: targets.length });
  return panels;
}

/** Whether partial scores of these targets, each from products of its own, take less work than those of all. */
export function areFew(targets: Uint32Array, sets: RaggedIndices): boolean {
  const nodes = sets.offsets.length - 1;
  const columns = targets.reduce((sum, target) => sum + columnsOf(sets, target), 0);
  return columns <= nodes;
}

/** Columns of products that the scores of a target need: its own, and those of its parents. */
function columnsOf({ offsets }: RaggedIndices, target: number): number {
  return 1 + offsets[target + 1]! - offsets[target]!;
}
