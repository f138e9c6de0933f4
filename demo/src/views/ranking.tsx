import type { Recovery } from 'magnitude-edge';
import { Plot, pathOf, stepsOf, type Probed } from '../charts/plot.tsx';
import type { Curves } from '../edges/curves.ts';
import type { LegendItem } from '../figure/legend.ts';
import { Figure } from '../parts/figure.tsx';
import { counted, score } from '../parts/format.ts';
import { edges } from '../state/edges.ts';
import { labelsOf } from '../names/labels.ts';
import { figuresSoFar } from '../state/figures.ts';
import { positives, ranking } from '../state/positives.ts';
import { selectPair } from '../state/selection.ts';
import type { RankedPositive } from '../worker/table-protocol.ts';
import { LongTable } from '../parts/long-table.tsx';

const unit = [0, 1] as const;
const curveLegend: readonly LegendItem[] = [
  { label: 'these scores', form: 'line', colour: '--accent' },
  { label: 'chance', form: 'dashed', colour: '--ink-soft' },
];

/** How well the scores find the given positive edges: curves over all pairs, ranks within targets. */
export function RankingView() {
  const answer = ranking.value;
  if (positives.value.length === 0)
    return (
      <p class="empty">
        Load a list of positive edges (CSV with src and dst) to see how well the scores find them.
      </p>
    );
  if (!answer) return <p class="empty">Ranks appear here once there are scores.</p>;
  const { curves, summary, detail, unknown, unscored } = answer;
  const rate = curves.positives / (curves.positives + curves.negatives);
  return (
    <div class="figures">
      <dl class="numbers">
        <Figure label="ROC AUC" value={score(curves.rocAuc)} />
        <Figure label="Avg. prec." value={score(curves.averagePrecision)} />
        <Figure label="MRR" value={score(summary.mrr ?? Number.NaN)} />
        {Object.entries(summary)
          .filter(([name]) => name.startsWith('top@'))
          .map(([name, value]) => (
            <Figure key={name} label={name} value={score(value)} />
          ))}
      </dl>
      <p class="caption">
        {counted(curves.positives, 'positive')} against {counted(curves.negatives, 'pair')} that are neither
        positive nor an edge of the graph.
        {unknown.length > 0 &&
          ` Not among the function nodes: ${unknown.slice(0, 8).join(', ')}${unknown.length > 8 ? ` and ${unknown.length - 8} more` : ''}; their edges count as missed.`}
        {unscored > 0 && ` ${counted(unscored, 'positive')} without a score count as missed.`}
      </p>
      <SideBySide />
      <div class="side-by-side">
        <Plot
          title="ROC"
          summary={`ROC curve, area ${curves.rocAuc.toFixed(4)}`}
          x={{ label: 'false positive rate', domain: unit }}
          y={{ label: 'true positive rate', domain: unit }}
          height={230}
          legend={curveLegend}
          probe={(px, _, scales) =>
            probeCurve(curves.roc, px / scales.x(1), false, (x, y) => ({
              title: 'ROC',
              lines: [`false positive rate ${x.toFixed(3)}`, `true positive rate ${y.toFixed(3)}`],
            }))
          }
        >
          {(x, y) => (
            <>
              <line class="reference" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
              <path class="curve" d={pathOf(curves.roc, x, y)} />
            </>
          )}
        </Plot>
        <Plot
          title="Precision and recall"
          summary={`Precision-recall curve, average precision ${curves.averagePrecision.toFixed(4)}`}
          x={{ label: 'recall', domain: unit }}
          y={{ label: 'precision', domain: [0, highestPrecision(curves)] }}
          height={230}
          legend={curveLegend}
          probe={(px, _, scales) =>
            probeCurve(curves.precisionRecall, px / scales.x(1), true, (x, y) => ({
              title: 'Precision and recall',
              lines: [`recall ${x.toFixed(3)}`, `precision ${y.toFixed(4)}`],
            }))
          }
        >
          {(x, y) => (
            <>
              <line class="reference" x1={x(0)} y1={y(rate)} x2={x(1)} y2={y(rate)} />
              <path class="curve" d={stepsOf(curves.precisionRecall, 0, x, y)} />
            </>
          )}
        </Plot>
      </div>
      <PositivesTable detail={detail} />
    </div>
  );
}

/** The value of a curve at x. A value holds up to its corner (`isNext`), or from its corner on. */
function probeCurve(
  points: Float64Array,
  at: number,
  isNext: boolean,
  told: (x: number, y: number) => { title: string; lines: string[] },
): Probed | null {
  let last = -1;
  for (let k = 0; k < points.length && (last < 0 || points[k]! <= at); k += 2) last = k;
  if (isNext && points[last]! < at) last = Math.min(last + 2, points.length - 2);
  const y = points[last + 1];
  return y === undefined ? null : { x: at, y, ...told(at, y) };
}

/** The library's figures that are shown (docs/method.md, "Ranking figures"), and what they mean. */
const columns = [
  ['auc', 'AUC', 'Share of pairs of a positive and another one in which the positive scores higher'],
  ['average_precision', 'Avg. prec.', 'Precision, averaged over the positives'],
  ['early_precision', 'Early prec.', 'Share of positives among as many first pairs as there are positives'],
  ['mrr_by_target', 'MRR target', 'Mean reciprocal rank among the sources of the target'],
  ['mrr_by_source', 'MRR source', 'Mean reciprocal rank among the targets of the source'],
  ['hits@1_by_target', 'hits @1', 'Share of positives that are the first source of their target'],
  ['hits@5_by_target', 'hits @5', 'Share of positives among the first 5 sources of their target'],
  ['hits@20_by_target', 'hits @20', 'Share of positives among the first 20 sources of their target'],
] as const;

/** The figures of every score computed so far. */
function SideBySide() {
  const { figures, current } = figuresSoFar.value;
  if (figures.length === 0) return null;
  return (
    <div class="wide-table" tabIndex={0} role="group" aria-label="Scores side by side">
      <table class="plain-table">
        <caption>Scores side by side</caption>
        <thead>
          <tr>
            <th>Score</th>
            {columns.map(([name, label, about]) => (
              <th key={name} class="number" title={about}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {figures.map(({ label, recovery }, at) => (
            <tr key={label} class={at === current ? 'is-selected' : undefined}>
              <td class="whole">{label}</td>
              {columns.map(([name]) => (
                <td key={name} class="number" title={intervalOf(recovery, name)}>
                  {recovery.figures[name]?.toFixed(3) ?? '–'}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="caption">
        Of the positives with a score, among pairs that are no edge of the graph: known edges do not compete,
        equal scores share their average rank. Choose another score to add its row; intervals (95%, bootstrap)
        on hover.
      </p>
    </div>
  );
}

function intervalOf({ intervals }: Recovery, name: string): string | undefined {
  const interval = intervals[name];
  return interval && `95% interval ${interval[0].toFixed(3)} to ${interval[1].toFixed(3)}`;
}

/** The upper end of the axis: with 1, a low curve would lie on the axis. */
function highestPrecision({ precisionRecall }: Curves): number {
  const most = precisionRecall.reduce((high, value, at) => (at % 2 === 1 ? Math.max(high, value) : high), 0);
  return Math.min(1, 1.1 * most) || 1;
}

/** Rank of each positive among the sources of its target. Long lists are cut; the file has them all. */
function PositivesTable({ detail }: { readonly detail: readonly RankedPositive[] }) {
  const shown = detail.slice(0, 500);
  const names = edges.value?.names ?? [];
  const labels = labelsOf(names);
  // A positive may name a node that the table does not have.
  const label = (name: string) => labels[names.indexOf(name)] ?? name;
  return (
    <LongTable label="Positives within their targets">
      <caption>Positives within their targets</caption>
      <thead>
        <tr>
          <th>Source</th>
          <th>Target</th>
          <th class="number">Score</th>
          <th class="number">Rank</th>
          <th class="number">of</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((row) => (
          <tr key={`${row.source} ${row.target}`}>
            <td>
              <button
                class="link"
                onClick={() => {
                  const [source, target] = [names.indexOf(row.source), names.indexOf(row.target)];
                  if (source >= 0 && target >= 0) selectPair({ names }, source, target);
                }}
                aria-label={`Select ${row.source} to ${row.target}`}
              >
                {label(row.source)}
              </button>
            </td>
            <td title={row.target}>{label(row.target)}</td>
            <td class="number">{score(row.score)}</td>
            <td class="number">{row.rank ?? '–'}</td>
            <td class="number">{row.candidates}</td>
          </tr>
        ))}
      </tbody>
    </LongTable>
  );
}
