import type { JSX } from 'preact';
import { extentOf, type EdgeColumns, type UncertaintyKey } from '../edges/edge-columns.ts';
import { isScoreName, scoreKinds } from '../edges/score-kind.ts';
import type { ColumnKey } from '../edges/row-query.ts';
import { labelsOf } from '../names/labels.ts';
import { NodeName } from '../parts/node-name.tsx';
import { whyNoLayerScore, whyUnscored } from '../results/why-unscored.ts';
import { listed } from '../state/shortlist.ts';
import { percent, probability, score, whole } from '../parts/format.ts';

/** One column of the table. */
export interface Column {
  readonly key: ColumnKey;
  readonly label: string;
  readonly about: string;
  /** A CSS grid track. */
  readonly track: string;
  /** Least width in pixels. */
  readonly least: number;
  readonly isNumber: boolean;
  /** Whether the first click on its head sorts ascending: names from A, errors and p-values from the smallest. */
  readonly leastFirst: boolean;
  readonly cell: (row: number) => JSX.Element | string;
}

/** The columns that a table has, with `positives` marking rows of the given positive edges. */
export function columnsOf(table: EdgeColumns, positives: Uint8Array | null): readonly Column[] {
  const number = (
    key: ColumnKey,
    label: string,
    about: string,
    least: number,
    cell: (row: number) => JSX.Element | string,
    leastFirst = false,
  ): Column => ({ key, label, about, track: `${least}px`, least, isNumber: true, leastFirst, cell });
  /** A column of uncertainty, if the table has it. */
  const told = (
    key: UncertaintyKey,
    label: string,
    about: string,
    least: number,
    shown: (value: number) => string,
    leastFirst = false,
  ): Column[] => {
    const values = table.uncertainty[key];
    return values ? [number(key, label, about, least, (row) => shown(values[row]!), leastFirst)] : [];
  };
  /** A column of significance, if the table has it. */
  const tested = (key: 'pValue' | 'qValue', label: string, about: string, values: ArrayLike<number>) =>
    table.isTested ? [number(key, label, about, 88, (row) => probability(values[row]!), true)] : [];
  const extent = extentOf(table);
  const nameWidth = widthOfNames(table.names);
  const name = (key: 'src' | 'dst', label: string): Column => ({
    key,
    label,
    about: `${label} of the edge`,
    track: `minmax(${nameWidth}px, 1fr)`,
    least: nameWidth,
    isNumber: false,
    leastFirst: true,
    cell: (row) => (
      <>
        {key === 'src' && listed(table.names[table.src[row]!]!, table.names[table.dst[row]!]!) && (
          <span class="star" title="On the shortlist">
            ★
          </span>
        )}
        <NodeName names={table.names} node={table[key][row]!} />
      </>
    ),
  });
  return [
    name('src', 'Source'),
    name('dst', 'Target'),
    number('score', 'Score', aboutScore(table), 112, (row) => (
      <ScoreCell value={table.score[row]!} extent={extent} why={whyUnscored(table, row)} />
    )),
    ...told(
      'regressionError',
      '± error',
      'Standard error of the score, from its regression',
      74,
      score,
      true,
    ),
    ...told(
      'standardError',
      table.uncertainty.regressionError ? '± jackknife' : '± error',
      'Jackknife standard error of the score',
      84,
      score,
      true,
    ),
    ...told(
      'signStability',
      'Same sign',
      'Share of the scores without one group of samples that have the sign of the score',
      88,
      percent,
    ),
    ...tested('qValue', 'q', 'Benjamini-Hochberg adjusted p-value over all rows', table.qValue),
    {
      key: 'hasEdge',
      label: 'Edge',
      about: 'Whether the graph has this edge',
      track: '70px',
      least: 70,
      isNumber: false,
      leastFirst: true,
      cell: (row) => edgeBadge(table.hasEdge[row] === 1, positives?.[row] === 1),
    },
    ...tested('pValue', 'p', 'One-sided p-value', table.pValue),
    ...told(
      'empiricalP',
      'Shuffled p',
      'Empirical one-sided p-value: how often shuffled targets reach the score',
      86,
      probability,
      true,
    ),
    ...(table.conditioned
      ? [
          number('conditioned', 'n cond', 'Parents conditioned on', 62, (row) =>
            whole(table.conditioned![row]!),
          ),
        ]
      : []),
    ...table.pairs.map(({ name: label, values }, pair) =>
      number(`pair:${pair}`, pairLabel(label), `Score of one layer pair, ${label}`, 84, (row) =>
        layerScore(values[row]!),
      ),
    ),
  ];
}

/** Width for most names in pixels, bounded: next to the two names, score and q must fit, on a phone the score. */
function widthOfNames(names: readonly string[]): number {
  const longest = labelsOf(names).reduce((most, { length }) => Math.max(most, length), 0);
  const most = Math.min(0.32 * innerWidth, Math.max(150, 0.12 * innerWidth), 196);
  return Math.max(84, Math.min(14 + 8.2 * longest, most));
}

const layerScore = (value: number): JSX.Element | string =>
  Number.isNaN(value) ? <span title={whyNoLayerScore}>{score(value)}</span> : score(value);

/** `corr_a0_g1` in readable form: activation of block 0, gradient of block 1. */
export const pairLabel = (name: string): string =>
  name.replace(/^(?:corr|score)_a(\d+)_g(\d+)$/, 'layer $1→$2');

function aboutScore({ metadata: { score } }: EdgeColumns): string {
  const what = isScoreName(score) ? scoreKinds[score].about : 'The score of the edge.';
  return `${what} Aggregated over layer pairs`;
}

/** The length of the bar is the score as a share of the largest one. */
interface ScoreCellProps {
  readonly value: number;
  readonly extent: number;
  /** Why there is none */
  readonly why: string | undefined;
}

function ScoreCell({ value, extent, why }: ScoreCellProps) {
  const width = Number.isNaN(value) || extent === 0 ? 0 : value / extent;
  return (
    <span class="score" title={why}>
      <span class="bar" aria-hidden="true">
        <i class={width < 0 ? 'negative' : undefined} style={{ transform: `scaleX(${Math.abs(width)})` }} />
      </span>
      <span>{score(value)}</span>
    </span>
  );
}

function edgeBadge(known: boolean, positive: boolean): JSX.Element | string {
  if (known) return <span class="badge known">known</span>;
  return positive ? <span class="badge held-out">positive</span> : '';
}
