import { MagnitudeEdgeInferer } from 'magnitude-edge';
import { curves, markPairs } from '../edges/curves.ts';
import { recovery } from '../edges/recovery.ts';
import type { EdgeTable } from './edge-table.ts';
import type { NamedPair, Ranking } from './table-protocol.ts';

/** Where the positives stand: within their targets (method.md, "Target ranking") and over all pairs (ROC, PR). */
export function rankPositives({ table, columns }: EdgeTable, positives: readonly NamedPair[]): Ranking {
  const { detail, summary, unscored } = MagnitudeEdgeInferer.evaluateTargetRanking(table, positives);
  const { marks, unknown } = markPairs(columns, positives);
  const column = (name: string) => detail.getChild(name)!;
  const [source, target] = [column('src_func'), column('dst_func')];
  const [score, rank, candidates] = [column('score'), column('rank'), column('n_candidates')];
  return {
    curves: curves(columns, marks),
    recovery: recovery(columns, marks, detail.numRows),
    summary,
    detail: Array.from({ length: detail.numRows }, (_, row) => ({
      source: String(source.get(row)),
      target: String(target.get(row)),
      score: Number(score.get(row) ?? Number.NaN),
      rank: rank.get(row) === null ? null : Number(rank.get(row)),
      candidates: Number(candidates.get(row)),
    })),
    marks,
    unknown,
    unscored: unscored.length,
  };
}
