import type { Table } from 'apache-arrow';
import { evaluateRecovery, evaluateTargetRanking, MagnitudeEdgeError, type Recovery } from 'magnitude-edge';
import { curves, markPairs } from '../edges/curves.ts';
import type { EdgeTable } from './edge-table.ts';
import type { NamedPair, Ranking } from './table-protocol.ts';

/** Ranks of the positives: within their targets (method.md, "Target ranking") and over all pairs (ROC, PR). */
export function rankPositives({ table, columns }: EdgeTable, positives: readonly NamedPair[]): Ranking {
  const { detail, summary, unscored } = evaluateTargetRanking(table, positives);
  const { marks, unknown } = markPairs(columns, positives);
  const column = (name: string) => detail.getChild(name)!;
  const [source, target] = [column('src_func'), column('dst_func')];
  const [score, rank, candidates] = [column('score'), column('rank'), column('n_candidates')];
  return {
    curves: curves(columns, marks),
    recovery: recoveryOf(table, positives),
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

/** The library's figures; null if they would cover no positive, or only a part of the pairs. */
function recoveryOf(table: Table, positives: readonly NamedPair[]): Recovery | null {
  try {
    return evaluateRecovery(table, positives);
  } catch (error) {
    if (error instanceof MagnitudeEdgeError && ['no-positives', 'invalid-data'].includes(error.code))
      return null;
    throw error;
  }
}
