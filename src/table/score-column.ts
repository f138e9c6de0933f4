import type { Table } from 'apache-arrow';
import type { EdgeScore } from '../scoring/score-matrices.ts';

/** Name of the column of the aggregated score, with which those of the layer pairs begin. */
export type ScoreColumn = 'corr' | 'score';

/** Correlations have a column of their own name, and whatever else a score may be is called one. */
export function scoreColumn(score: EdgeScore): ScoreColumn {
  return score === 'corr' || score === 'partial' ? 'corr' : 'score';
}

/** The column of the scores of an edge table. */
export function scoreColumnOf(table: Table): ScoreColumn {
  const names = new Set(table.schema.fields.map(({ name }) => name));
  return !names.has('corr') && names.has('score') ? 'score' : 'corr';
}
