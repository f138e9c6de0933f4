import type { Table } from 'apache-arrow';
import type { EdgeScore } from '../scoring/score-matrices.ts';

/** Name of the aggregated score's column, and prefix of the columns of the layer pairs. */
export type ScoreColumn = 'corr' | 'score';

/** Correlations have a column name of their own; all other scores share one. */
export function scoreColumn(score: EdgeScore): ScoreColumn {
  return score === 'corr' || score === 'partial' ? 'corr' : 'score';
}

/** The column of the scores of an edge table. */
export function scoreColumnOf(table: Table): ScoreColumn {
  const names = new Set(table.schema.fields.map(({ name }) => name));
  return !names.has('corr') && names.has('score') ? 'score' : 'corr';
}
