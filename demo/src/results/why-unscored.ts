import type { EdgeColumns } from '../edges/edge-columns.ts';

interface Scored {
  /** 1 for nodes with a score as a source */
  readonly sources: Uint8Array;
  readonly targets: Uint8Array;
}

const made = new WeakMap<EdgeColumns, Scored>();

function scoredNodes(table: EdgeColumns): Scored {
  let scored = made.get(table);
  if (!scored) {
    scored = { sources: new Uint8Array(table.names.length), targets: new Uint8Array(table.names.length) };
    for (let row = 0; row < table.rows; row++) {
      if (Number.isNaN(table.score[row]!)) continue;
      scored.sources[table.src[row]!] = 1;
      scored.targets[table.dst[row]!] = 1;
    }
    made.set(table, scored);
  }
  return scored;
}

/** Why a row has no score, as far as the table tells; undefined if it has one. */
export function whyUnscored(table: EdgeColumns, row: number): string | undefined {
  if (row < 0 || !Number.isNaN(table.score[row]!)) return undefined;
  const { sources, targets } = scoredNodes(table);
  const isPartial = table.metadata.score === 'partial';
  if (isPartial && table.hasEdge[row] === 1)
    return 'No score: the source is a known parent, which is conditioned on.';
  if (!sources[table.src[row]!]) return 'No score: the activation of the source does not vary.';
  if (!targets[table.dst[row]!])
    return isPartial
      ? 'No score: the gradient of the target does not vary, or its parents explain it.'
      : 'No score: the gradient of the target does not vary.';
  return isPartial
    ? "No score: the target's parents explain the source, or the two never vary in the same layers."
    : 'No score: in no layer pair do both source and target vary.';
}

/** Why a layer pair has no score when others do. */
export const whyNoLayerScore = 'No score: source or target does not vary in these layers.';
