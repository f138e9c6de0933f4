import type { PairSnapshot } from '../statistics/pair-snapshot.ts';
import type { Yielder } from '../statistics/yielder.ts';
import type { PairGroup } from './pair-groups.ts';
import { OnDemandProducts } from './on-demand-products.ts';
import { PanelScorer } from './panel-scorer.ts';
import type { ScoreRequest } from './score-matrices.ts';

/**
 * Scores of some pairs of nodes in each layer pair, from the samples of only the nodes involved: each group is a small
 * graph of its own, whose scores have the same bits as in the whole one.
 *
 * @param pairIndices `source * nodes + target` of each
 * @param groups of {@link pairGroups}
 */
export async function scorePairs(
  pairs: readonly PairSnapshot[],
  request: ScoreRequest,
  pairIndices: Uint32Array,
  groups: readonly PairGroup[],
  yielder: Yielder,
): Promise<Float64Array[]> {
  const { nodes } = pairs[0]!;
  const found = pairs.map(() => new Float64Array(pairIndices.length));
  const placeOf = new Uint32Array(nodes);
  for (const group of groups) {
    const size = group.nodes.length;
    group.nodes.forEach((node, place) => (placeOf[node] = place));
    const targets = group.targets.map((target) => placeOf[target]!);
    const conditioningSets = setsWithin(group, request.conditioningSets, placeOf);
    const own = { ...request, conditioningSets, targets };
    const products = new OnDemandProducts(size, (p) => pairs[p]!.select(group.nodes), own, yielder);
    const scorer = new PanelScorer(products, own, yielder);
    const columnOf = new Uint32Array(size);
    targets.forEach((target, column) => (columnOf[target] = column));
    const scores = new Float64Array(size * targets.length);
    for (const p of pairs.keys()) {
      await scorer.score(p, { first: 0, end: targets.length }, scores);
      for (const row of group.rows) {
        const target = pairIndices[row]! % nodes;
        const source = placeOf[(pairIndices[row]! - target) / nodes]!;
        found[p]![row] = scores[source * targets.length + columnOf[placeOf[target]!]!]!;
      }
    }
  }
  return found;
}

/** The conditioning sets of a group's targets, as indices into its nodes; none for its other nodes. */
function setsWithin(
  { nodes, targets }: PairGroup,
  { offsets, indices }: ScoreRequest['conditioningSets'],
  placeOf: Uint32Array,
): ScoreRequest['conditioningSets'] {
  const isTarget = new Set(targets);
  const own: number[] = [];
  const ends = Array.from(nodes, (node) => {
    if (isTarget.has(node)) {
      // Both are ascending, and so are the indices.
      for (let at = offsets[node]!; at < offsets[node + 1]!; at++) own.push(placeOf[indices[at]!]!);
    }
    return own.length;
  });
  return { offsets: Uint32Array.of(0, ...ends), indices: Uint32Array.from(own) };
}
