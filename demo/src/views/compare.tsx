import { signal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { paintPoints } from '../charts/density.ts';
import { nearestPoint } from '../charts/nearest.ts';
import { Plot } from '../charts/plot.tsx';
import { compareScores, type Comparison } from '../edges/compare-scores.ts';
import type { LegendItem } from '../figure/legend.ts';
import { labelsOf } from '../names/labels.ts';
import { Choice } from '../parts/choice.tsx';
import { Figure } from '../parts/figure.tsx';
import { counted, score, whole } from '../parts/format.ts';
import { edges, result } from '../state/edges.ts';
import { evidence } from '../state/evidence.ts';
import { hover, hovered, hoverNothing } from '../state/hover.ts';
import { keptRuns, type KeptRun } from '../state/kept-runs.ts';
import { phase } from '../state/run.ts';
import { selection, selectPair } from '../state/selection.ts';
import { paletteVersion } from '../state/theme.ts';
import { scoreWithEdge } from '../state/with-edge.ts';
import { LongTable } from '../parts/long-table.tsx';

const pairLegend: readonly LegendItem[] = [
  { label: 'pair', form: 'disc', colour: '--accent' },
  { label: 'equal scores', form: 'dashed', colour: '--ink-soft' },
];
const across = signal('');
const up = signal('');

/** Two results about the same nodes: on which pairs they agree and on which they differ. */
export function CompareView() {
  const runs = keptRuns.value;
  // The last two, until the user chooses.
  const y = runs.find(({ id }) => id === up.value) ?? runs.at(-1);
  const x =
    runs.find(({ id }) => id === across.value && id !== y?.id) ?? runs.findLast(({ id }) => id !== y?.id);
  return (
    <div class="figures">
      <EdgeChange />
      {x && y ? (
        <Two x={x} y={y} runs={runs} />
      ) : (
        <p class="empty">
          To compare two results, compute another score, use other data, or open a table of the same nodes;
          results are kept until the page closes.
        </p>
      )}
    </div>
  );
}

/** Partial scores with the selected pair in the graph and without it: before and after an edge. */
function EdgeChange() {
  const [table, at] = [edges.value, selection.value];
  if (!table || at.kind !== 'pair' || at.source === at.target) return null;
  // The page's own fit must be available.
  if (result.value?.provenance.kind !== 'fit' || !evidence.value) return null;
  const labels = labelsOf(table.names);
  const pair = `${labels[at.source]!} → ${labels[at.target]!}`;
  return (
    <div class="toolbar flush">
      <button
        class="long"
        disabled={phase.value !== 'idle'}
        title="Partial scores condition on the known parents of a target: what does this edge explain?"
        onClick={() => {
          up.value = '';
          across.value = '';
          void scoreWithEdge(table, at.source, at.target);
        }}
      >
        Before and after {pair}
      </button>
    </div>
  );
}

interface TwoProps {
  readonly x: KeptRun;
  readonly y: KeptRun;
  readonly runs: readonly KeptRun[];
}

function Two({ x, y, runs }: TwoProps) {
  const compared = useMemo(() => compareScores(x.columns, y.columns), [x, y]);
  const options = runs.map(({ id, label }) => [id, label] as const);
  const labels = labelsOf(x.names);
  const pairOf = (point: number) =>
    ({ kind: 'pair', source: compared.src[point]!, target: compared.dst[point]! }) as const;
  const select = (point: number) => {
    selectPair(x, compared.src[point]!, compared.dst[point]!);
  };
  // Read here, so that a change of theme repaints.
  const palette = paletteVersion.value;
  const rows = useMemo(() => Uint32Array.from(compared.xs.keys()), [compared]);
  const [xDomain, yDomain] = [rangeOf(compared.xs), rangeOf(compared.ys)];
  const marked = [selection.value, hovered.value].flatMap((at) => {
    const found = at.kind === 'pair' ? compared.pointOf(at.source, at.target) : -1;
    return found < 0 ? [] : [found];
  });
  const nearest = (px: number, py: number, scales: { x: (v: number) => number; y: (v: number) => number }) =>
    nearestPoint(compared, [rows], px, py, scales);
  return (
    <>
      <Choice
        label="x axis"
        value={x.id}
        options={options}
        onChange={(id) => {
          across.value = id;
        }}
      />
      <Choice
        label="y axis"
        value={y.id}
        options={options}
        onChange={(id) => {
          up.value = id;
        }}
      />
      <dl class="numbers">
        <Figure label="Pairs with both" value={whole(compared.pairs)} />
        <Figure label="Correlation" value={score(compared.correlation)} />
        <Figure label={`Top ${compared.among} new pairs`} value={`${compared.shared} shared`} />
      </dl>
      <Plot
        key={palette}
        title="Score against score"
        summary={`${counted(compared.pairs, 'pair')}: ${x.label} against ${y.label}, correlation ${compared.correlation.toFixed(4)}`}
        x={{ label: x.label, domain: xDomain }}
        y={{ label: y.label, domain: yDomain }}
        height={300}
        legend={pairLegend}
        paint={(context, scaleX, scaleY, area) => {
          paintPoints(context, scaleX, scaleY, area, { ...compared, rows }, area.colourOf('--accent'));
        }}
        onPick={(px, py, scales) => {
          const point = nearest(px, py, scales);
          if (point >= 0) select(point);
        }}
        onHover={(at) => {
          const point = at ? nearest(at.x, at.y, at.scales) : -1;
          if (at && point >= 0) hover(pairOf(point), at.window);
          else hoverNothing();
        }}
      >
        {(scaleX, scaleY) => (
          <>
            <Equal x={xDomain} y={yDomain} scaleX={scaleX} scaleY={scaleY} />
            {marked.map((point) => (
              <circle
                key={point}
                class="selected-mark"
                cx={scaleX(compared.xs[point]!)}
                cy={scaleY(compared.ys[point]!)}
                r={6}
              />
            ))}
          </>
        )}
      </Plot>
      <Differences compared={compared} labels={labels} onSelect={select} />
    </>
  );
}

/** The line on which both scores are equal. */
function Equal({
  x,
  y,
  scaleX,
  scaleY,
}: {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly scaleX: (value: number) => number;
  readonly scaleY: (value: number) => number;
}) {
  const [from, to] = [Math.max(x[0], y[0]), Math.min(x[1], y[1])];
  if (from >= to) return null;
  return <line class="reference" x1={scaleX(from)} y1={scaleY(from)} x2={scaleX(to)} y2={scaleY(to)} />;
}

function rangeOf(values: Float64Array): readonly [number, number] {
  const low = values.reduce((least, value) => Math.min(least, value), 0);
  const high = values.reduce((most, value) => Math.max(most, value), 0.01);
  const room = 0.04 * (high - low);
  return [low - room, high + room];
}

interface DifferencesProps {
  readonly compared: Comparison;
  readonly labels: readonly string[];
  readonly onSelect: (point: number) => void;
}

function Differences({ compared, labels, onSelect }: DifferencesProps) {
  return (
    <LongTable label="The largest differences">
      <caption>The largest differences</caption>
      <thead>
        <tr>
          <th>Pair</th>
          <th class="number">x axis</th>
          <th class="number">y axis</th>
          <th class="number">Difference</th>
          <th>Edge</th>
        </tr>
      </thead>
      <tbody>
        {[...compared.differing].map((point) => {
          const [a, b] = [compared.xs[point]!, compared.ys[point]!];
          return (
            <tr key={point}>
              <td>
                <button
                  class="link"
                  onClick={() => {
                    onSelect(point);
                  }}
                >
                  {labels[compared.src[point]!]} → {labels[compared.dst[point]!]}
                </button>
              </td>
              <td class="number">{score(a)}</td>
              <td class="number">{score(b)}</td>
              <td class="number">{score(b - a)}</td>
              <td>{compared.hasEdge[point] ? 'known' : ''}</td>
            </tr>
          );
        })}
      </tbody>
    </LongTable>
  );
}
