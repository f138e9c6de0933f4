/** Ordered pairs that compete, each with a score. */
export interface Candidates {
  /** Numbers of the source and of the target of each */
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  readonly scores: Float64Array;
  /** 1 if the pair is a positive */
  readonly positive: Uint8Array;
}

/**
 * Ranks of some candidates among those with the same target, or with the same source; 1 is best, equal scores share the
 * average of their ranks.
 *
 * @param rows indices of the candidates to rank
 */
export function rankWithin(
  candidates: Candidates,
  side: 'sources' | 'targets',
  rows: readonly number[],
): number[] {
  const { scores } = candidates;
  const group = candidates[side];
  const rowsByGroup = new Map<number, number[]>();
  rows.forEach((row, k) => {
    const own = rowsByGroup.get(group[row]!);
    if (own === undefined) rowsByGroup.set(group[row]!, [k]);
    else own.push(k);
  });
  const above = new Uint32Array(rows.length);
  const equal = new Uint32Array(rows.length);
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at]!;
    for (const k of rowsByGroup.get(group[at]!) ?? []) {
      const own = scores[rows[k]!]!;
      if (score > own) above[k]!++;
      else if (score === own) equal[k]!++;
    }
  }
  return rows.map((_, k) => above[k]! + (equal[k]! + 1) / 2);
}
