import type { LayerAggregation, Score } from '../scores/score-matrices.ts';
import type { TableFormat } from '../table/formats.ts';
import type { Arguments } from './arguments.ts';
import { outputFormat } from './files.ts';

/** What is asked of statistics, wherever they come from, and how the table is written. */
export interface ScoreSettings {
  readonly score: Score;
  readonly layerAgg: LayerAggregation;
  readonly ridge: number;
  readonly varianceFloor: number | undefined;
  readonly excludeSelf: boolean;
  readonly top: number | undefined;
  readonly maxQ: number | undefined;
  readonly candidatesOnly: boolean;
  readonly out: string;
  readonly format: TableFormat;
  readonly spreadsheetSafe: boolean;
  readonly json: boolean;
}

export const scoreOptions = {
  score: { type: 'string' },
  'layer-agg': { type: 'string' },
  ridge: { type: 'string' },
  'variance-floor': { type: 'string' },
  'include-self': { type: 'boolean' },
  top: { type: 'string' },
  'max-q': { type: 'string' },
  'candidates-only': { type: 'boolean' },
  out: { type: 'string' },
  format: { type: 'string' },
  'spreadsheet-safe': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export const scoreHelp = `  --score corr|partial                 plain, or given the target's known parents     (corr)
  --layer-agg mean|max                 over the pairs of layers                       (mean)
  --ridge NUMBER                       for partial scores, in covariance units        (1e-8)
  --variance-floor NUMBER              variances up to this are none, in place of relative limits;
                                       1e-12 gives the NaN of the Python reference
  --include-self                       also score i -> i
  --top K, --max-q Q, --candidates-only
                                       only the first K rows, q up to Q, pairs that are no edges;
                                       p and q are over all pairs all the same`;

export const outputHelp = `  --format arrow|csv|tsv|parquet       of the table, where the name of --out does not say it;
                                       --out - is standard output
  --spreadsheet-safe                   in CSV and TSV, an apostrophe before names that a spreadsheet
                                       would take for a formula
  --json                               the summary as one JSON object`;

export function readScoreSettings(given: Arguments): ScoreSettings {
  const out = given.required('out');
  const said = given.text('format');
  return {
    score: given.choice('score', ['corr', 'partial'], 'corr'),
    layerAgg: given.choice('layer-agg', ['mean', 'max'], 'mean'),
    ridge: given.number('ridge', { least: 0 }) ?? 1e-8,
    varianceFloor: given.number('variance-floor', { least: 0 }),
    excludeSelf: !given.flag('include-self'),
    top: given.wholeNumber('top', 0),
    maxQ: given.number('max-q', { least: 0, most: 1 }),
    candidatesOnly: given.flag('candidates-only'),
    out,
    format: outputFormat(
      out,
      said === undefined
        ? undefined
        : given.choice<TableFormat>('format', ['arrow', 'csv', 'tsv', 'parquet'], 'csv'),
    ),
    spreadsheetSafe: given.flag('spreadsheet-safe'),
    json: given.flag('json'),
  };
}
