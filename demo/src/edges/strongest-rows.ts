import type { EdgeColumns } from './edge-columns.ts';

/** The rows of a node, as a source or as a target, with the highest scores, best first. */
export function strongestRows(table: EdgeColumns, side: 'src' | 'dst', node: number, most: number): number[] {
  const { rows, score, [side]: ends } = table;
  const best: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (ends[row] !== node || Number.isNaN(score[row]!)) continue;
    const place = best.findIndex((other) => score[other]! < score[row]!);
    if (place < 0 && best.length === most) continue;
    best.splice(place < 0 ? best.length : place, 0, row);
    best.length = Math.min(best.length, most);
  }
  return best;
}
