import { Plot } from '../charts/plot.tsx';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { LegendItem } from '../figure/legend.ts';
import { labelsOf } from '../names/labels.ts';
import { estimate } from '../parts/format.ts';
import { positiveRows } from '../state/positives.ts';
import { selectPair } from '../state/selection.ts';

interface Props {
  readonly table: EdgeColumns;
  readonly target: number;
  /** Rows into the target that have a score, best first. */
  readonly scored: Uint32Array;
  readonly source: number | null;
}

/** Candidates drawn; the list below has more. */
const most = 12;
const rowHeight = 16;

const kinds = {
  known: { label: 'known edge', colour: '--known' },
  positive: { label: 'positive', colour: '--held-out' },
  new: { label: 'not in the graph', colour: '--inferred' },
} as const;

const legend: readonly LegendItem[] = Object.values(kinds).map((kind) => ({ ...kind, form: 'disc' }));

/** The best candidates of a target: their scores from 0, with standard errors if there are any. */
export function CandidatesPlot({ table, target, scored, source }: Props) {
  const labels = labelsOf(table.names);
  const { standardError } = table.uncertainty;
  const rows = [...scored.subarray(0, most)];
  const errorOf = (row: number) => {
    const error = standardError?.[row] ?? 0;
    return Number.isNaN(error) ? 0 : error;
  };
  const reach = (row: number) => Math.abs(table.score[row]!) + errorOf(row);
  const widest = rows.reduce((high, row) => Math.max(high, reach(row)), 0) || 1;
  const isLeft = rows.some((row) => table.score[row]! < 0);
  const shown = (row: number) =>
    kinds[table.hasEdge[row] === 1 ? 'known' : positiveRows.value?.[row] ? 'positive' : 'new'];
  return (
    <Plot
      title={`Best candidates of ${labels[target]!}`}
      summary={`The ${rows.length} best sources of ${table.names[target]!}: ${rows.map((row) => `${labels[table.src[row]!]!} ${estimate(table.score[row]!, standardError?.[row])}`).join(', ')}`}
      // Leaves space for the names to the right of their dots.
      x={{ label: 'score', domain: [isLeft ? -1.05 * widest : 0, 1.8 * widest] }}
      y={{ label: 'rank', domain: [rows.length + 0.5, 0.5] }}
      height={rows.length * rowHeight + 44}
      legend={legend}
      onPick={(_, py, { y }) => {
        const row = rows[Math.round(1 + (py - y(1)) / rowHeight) - 1];
        if (row !== undefined) selectPair(table, table.src[row]!, target);
      }}
    >
      {(x, y) =>
        rows.map((row, rank) => {
          const value = table.score[row]!;
          const error = errorOf(row);
          const [at, colour] = [y(rank + 1), `var(${shown(row).colour})`];
          return (
            <g key={row}>
              <line x1={x(0)} x2={x(value)} y1={at} y2={at} style={{ stroke: colour }} opacity={0.5} />
              {error > 0 && (
                <line
                  x1={x(value - error)}
                  x2={x(value + error)}
                  y1={at}
                  y2={at}
                  style={{ stroke: colour, strokeWidth: 3 }}
                />
              )}
              <circle cx={x(value)} cy={at} r={4} style={{ fill: colour }} />
              {table.src[row] === source && <circle class="selected-mark" cx={x(value)} cy={at} r={6.5} />}
              <text class="dot-label" x={x(Math.max(value + error, 0)) + 9} y={at} dy="0.32em">
                {labels[table.src[row]!]}
              </text>
            </g>
          );
        })
      }
    </Plot>
  );
}
