import { DEFAULT_LAMBDA } from '../scoring/channel/request.ts';
import { DEFAULT_REGRESSION_LAMBDA } from '../scoring/magnitude-request.ts';
import type { Correlation, EdgeScore, ScoreAggregation } from '../scoring/score-matrices.ts';
import type { TableFormat } from '../table/formats.ts';
import { UsageError, type Arguments } from './arguments.ts';
import { outputFormat } from './files.ts';
import { STANDARD_OUTPUT } from './output-place.ts';

/** Which scores to compute from statistics of any source, and how to write the table. */
export interface ScoreSettings {
  readonly score: EdgeScore;
  readonly layerAgg: ScoreAggregation;
  readonly correlation: Correlation;
  readonly lambda: number;
  readonly ridge: number;
  readonly varianceFloor: number | undefined;
  readonly excludeSelf: boolean;
  readonly top: number | undefined;
  readonly maxQ: number | undefined;
  readonly candidatesOnly: boolean;
  readonly out: string;
  readonly format: TableFormat;
  /** A folder of files by target instead of one file */
  readonly partitioned: boolean;
  readonly spreadsheetSafe: boolean;
  readonly json: boolean;
}

/** Options that choose the scores. */
export const scoringOptions = {
  score: { type: 'string' },
  'layer-agg': { type: 'string' },
  correlation: { type: 'string' },
  lambda: { type: 'string' },
  ridge: { type: 'string' },
  'variance-floor': { type: 'string' },
} as const;

export const scoreOptions = {
  ...scoringOptions,
  'include-self': { type: 'boolean' },
  top: { type: 'string' },
  'max-q': { type: 'string' },
  'candidates-only': { type: 'boolean' },
  out: { type: 'string' },
  format: { type: 'string' },
  'partition-by': { type: 'string' },
  'spreadsheet-safe': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

export const scoringHelp = `  --score corr|partial|regression|channel
                                       corr: plain correlation of magnitudes; partial: given the target's known
                                       parents; regression: one ridge regression of all targets on all sources;
                                       channel: one ridge regression of all gradient channels on all activation
                                       channels, which finds more in large networks  (corr)
  --layer-agg mean|max|pooled          how scores of layer pairs are combined; pooled treats the observations
                                       of all layer pairs as those of one            (mean)
  --correlation pearson|spearman       of magnitudes, or of their ranks, for corr, partial and regression
                                                                                     (pearson)
  --lambda NUMBER                      ridge of regression and channel scores, as a multiple of the variance
                                       of a magnitude or channel                     (0.3, 3)
  --ridge NUMBER                       ridge of partial scores, in covariance units   (1e-8)
  --variance-floor NUMBER              treats variances up to this as zero, instead of using relative limits;
                                       1e-12 gives NaN where the Python reference does`;

export const scoreHelp = `${scoringHelp}
  --include-self                       also score i -> i
  --top K, --max-q Q, --candidates-only
                                       only the first K rows, rows with q up to Q, or pairs that are not edges;
                                       p and q are still computed over all pairs`;

const partitionHelp = `  --partition-by target                writes --out as a new folder: dst_func=NAME/edges.parquet for each target`;

export const outputHelp = `  --format arrow|csv|tsv|parquet       format of the table, if the name of --out does not show it;
                                       --out - is standard output
${partitionHelp}
  --spreadsheet-safe                   in CSV and TSV, puts an apostrophe before names that a spreadsheet
                                       would read as formulas
  --json                               prints the summary as one JSON object`;

export function readScoreSettings(given: Arguments): ScoreSettings {
  const out = given.required('out');
  const said = given.text('format');
  const partitioned = given.text('partition-by') !== undefined;
  if (partitioned) {
    given.choice('partition-by', ['target'], 'target');
    if (out === STANDARD_OUTPUT)
      throw new UsageError('--partition-by writes a folder, but --out - is standard output');
    if ((said ?? 'parquet') !== 'parquet')
      throw new UsageError(`--partition-by writes Parquet files, but --format is ${said!}`);
  }
  return {
    ...readScoring(given),
    excludeSelf: !given.flag('include-self'),
    top: given.wholeNumber('top', 0),
    maxQ: given.number('max-q', { least: 0, most: 1 }),
    candidatesOnly: given.flag('candidates-only'),
    out,
    partitioned,
    format: partitioned
      ? 'parquet'
      : outputFormat(
          out,
          said === undefined
            ? undefined
            : given.choice<TableFormat>('format', ['arrow', 'csv', 'tsv', 'parquet'], 'csv'),
        ),
    spreadsheetSafe: given.flag('spreadsheet-safe'),
    json: given.flag('json'),
  };
}

/** The requested scores, with no setting left out. */
type Scoring = Pick<
  ScoreSettings,
  'score' | 'layerAgg' | 'correlation' | 'lambda' | 'ridge' | 'varianceFloor'
>;

/** The score and the settings that apply to it alone. @throws UsageError */
export function readScoring(given: Arguments): Scoring {
  const score = given.choice('score', ['corr', 'partial', 'regression', 'channel'], 'corr');
  const layerAgg = given.choice('layer-agg', ['mean', 'max', 'pooled'], 'mean');
  const correlation = given.choice('correlation', ['pearson', 'spearman'], 'pearson');
  const lambda = given.number('lambda', { least: Number.MIN_VALUE });
  if (lambda !== undefined && score !== 'regression' && score !== 'channel') {
    throw new UsageError('--lambda needs --score regression or --score channel');
  }
  if (score === 'channel') {
    if (correlation === 'spearman')
      throw new UsageError('--correlation spearman applies to magnitudes, not to --score channel');
    if (given.text('max-q') !== undefined && given.text('permutations') === undefined) {
      throw new UsageError('--max-q with --score channel needs --permutations, which its q-values come from');
    }
  }
  const byDefault = score === 'channel' ? DEFAULT_LAMBDA : DEFAULT_REGRESSION_LAMBDA;
  return {
    score,
    layerAgg,
    correlation,
    lambda: lambda ?? byDefault,
    ridge: given.number('ridge', { least: 0 }) ?? 1e-8,
    varianceFloor: given.number('variance-floor', { least: 0 }),
  };
}
