import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { paintPoints } from '../charts/density.ts';
import { nearestPoint } from '../charts/nearest.ts';
import { Plot, type HoverPlace } from '../charts/plot.tsx';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { sortPermutation } from '../edges/sort.ts';
import type { LegendItem } from '../figure/legend.ts';
import { nullShare, type Histogram } from '../edges/histogram.ts';
import { counted, whole } from '../parts/format.ts';
import { refuse } from '../state/alerts.ts';
import { untested } from '../results/significance.ts';
import { edges, edgesVersion, passing, rowOfPair } from '../state/edges.ts';
import { hover, hovered, hoverNothing } from '../state/hover.ts';
import { selection, selectPair } from '../state/selection.ts';
import { paletteVersion } from '../state/theme.ts';
import { tableWorker } from '../state/workers.ts';

const nullLegend: readonly LegendItem[] = [
  { label: 'expected count of true nulls', form: 'dashed', colour: '--ink-soft' },
];
const pairLegend: readonly LegendItem[] = [
  { label: 'not in the graph', form: 'disc', colour: '--inferred' },
  { label: 'known edge', form: 'disc', colour: '--known' },
];

/** -log10 of the smallest q of full precision: smaller values are drawn there. */
const highest = 300;
/** The best pairs, drawn as discs even among hundreds of thousands. */
const bestDrawn = 1000;

/** Significance of the scores: the histogram of p-values, and score against q. */
export function Significance() {
  const table = edges.value;
  if (!table) return <p class="empty">p-values and q-values appear here once there are scores.</p>;
  if (!table.isTested) return <p class="empty">{untested}</p>;
  return (
    <div class="figures">
      <PValues table={table} />
      <Volcano table={table} />
    </div>
  );
}

function PValues({ table }: { readonly table: EdgeColumns }) {
  const [bins, setBins] = useState<Histogram | null>(null);
  useEffect(() => {
    let wanted = true;
    tableWorker.histogram('pValue', 40).then((answer) => {
      if (wanted) setBins(answer);
    }, refuse);
    return () => {
      wanted = false;
    };
  }, [edgesVersion.value]);
  const share = useMemo(
    () => nullShare(table.pValue.filter((_, row) => !Number.isNaN(table.score[row]!))),
    [table],
  );
  const significant = useMemo(() => {
    const below = (limit: number) => {
      let count = 0;
      for (const q of table.qValue) if (q <= limit) count++;
      return count;
    };
    return [0.01, 0.05, 0.1].map((limit) => `${whole(below(limit))} at q ≤ ${limit}`).join(', ');
  }, [table]);
  const most = Math.max(1, ...(bins?.counts ?? []));
  return (
    <>
      <Plot
        title="p-values of all scored pairs"
        summary={`Histogram of p-values: ${significant}; share of true nulls about ${share.toFixed(2)}`}
        x={{ label: 'p', domain: [0, 1] }}
        y={{ label: 'pairs', domain: [0, most] }}
        height={190}
        legend={nullLegend}
        probe={(px, _, scales) => {
          const bin = Math.min(39, Math.floor((40 * px) / scales.x(1)));
          const count = bins?.counts[bin];
          if (count === undefined) return null;
          const range = `p ${(bin / 40).toFixed(3)} to ${((bin + 1) / 40).toFixed(3)}`;
          return { x: (bin + 0.5) / 40, y: count, title: range, lines: [counted(count, 'pair')] };
        }}
      >
        {(x, y, area) => {
          const width = area.width / 40;
          return (
            <>
              {[...(bins?.counts ?? [])].map((count, bin) => (
                <rect
                  key={bin}
                  class="histogram-bar"
                  x={bin * width}
                  width={Math.max(1, width - 1)}
                  y={y(count)}
                  height={area.height - y(count)}
                />
              ))}
              <line
                class="reference"
                x2={x(1)}
                y1={y((share * (bins?.counts.reduce((a, b) => a + b, 0) ?? 0)) / 40)}
                y2={y((share * (bins?.counts.reduce((a, b) => a + b, 0) ?? 0)) / 40)}
              />
            </>
          );
        }}
      </Plot>
      <p class="caption">
        {significant}. True nulls form the flat part of the histogram (Storey's estimate:{' '}
        {(100 * share).toFixed(0)}%). Samples are assumed to be independent; with many of them, even small
        scores are significant.
      </p>
    </>
  );
}

function Volcano({ table }: { readonly table: EdgeColumns }) {
  const points = useMemo(() => {
    const ys = Float32Array.from(table.qValue, (q) => Math.min(highest, -Math.log10(Math.max(q, 1e-300))));
    const rows = Uint32Array.from({ length: table.rows }, (_, row) => row);
    const scored = rows.filter((row) => !Number.isNaN(table.score[row]!));
    const passes = (row: number) => passing.value?.[row] !== 0;
    const extent = (sign: number) =>
      sign * scored.reduce((most, row) => Math.max(most, sign * table.score[row]!), 0);
    const fresh = scored.filter((row) => !table.hasEdge[row] && passes(row));
    return {
      best: strongest(table.score, fresh),
      xs: table.score,
      ys,
      fresh,
      known: scored.filter((row) => table.hasEdge[row] === 1 && passes(row)),
      rest: scored.filter((row) => !passes(row)),
      // The ends leave a margin, so that the best edges are inside.
      range: [1.04 * extent(-1), 1.04 * extent(1) || 0.1] as const,
      top: 1.1 * ys.reduce((most, y) => Math.max(most, y), 1),
    };
  }, [table, passing.value]);
  const { xs, ys } = points;
  // Read here, so that a change of theme repaints.
  const palette = paletteVersion.value;
  const at = selection.value;
  const marked = [
    ...new Set(
      [at, hovered.value].map((each) =>
        each.kind === 'pair' ? rowOfPair.value(each.source, each.target) : -1,
      ),
    ),
  ];
  const nearestTo = (
    px: number,
    py: number,
    scales: { x: (v: number) => number; y: (v: number) => number },
  ) => nearestPoint(points, [points.fresh, points.known], px, py, scales);
  const pick: typeof nearestTo = (px, py, scales) => {
    const nearest = nearestTo(px, py, scales);
    if (nearest >= 0) selectPair(table, table.src[nearest]!, table.dst[nearest]!);
    return nearest;
  };
  const frame = useRef(0);
  const point = (at: HoverPlace | undefined) => {
    cancelAnimationFrame(frame.current);
    if (!at) {
      hoverNothing();
      return;
    }
    // Once per frame: there may be a million points to search.
    frame.current = requestAnimationFrame(() => {
      const nearest = nearestTo(at.x, at.y, at.scales);
      if (nearest < 0) hoverNothing();
      else hover({ kind: 'pair', source: table.src[nearest]!, target: table.dst[nearest]! }, at.window);
    });
  };
  return (
    <>
      <Plot
        key={palette}
        title="Score against significance"
        summary={`${counted(points.fresh.length, 'pair')} not in the graph and ${counted(points.known.length, 'known edge')} by score and -log10 q`}
        x={{ label: 'score', domain: points.range }}
        y={{ label: '−log₁₀ q', domain: [0, points.top], isBent: true }}
        height={280}
        legend={pairLegend}
        paint={(context, x, y, area) => {
          // Rows that do not pass remain as a background.
          paintPoints(context, x, y, area, { xs, ys, rows: points.rest }, area.colourOf('--line'));
          paintPoints(
            context,
            x,
            y,
            area,
            { xs, ys, rows: points.fresh, best: points.best },
            area.colourOf('--inferred'),
          );
          paintPoints(context, x, y, area, { xs, ys, rows: points.known }, area.colourOf('--known'));
        }}
        onPick={pick}
        onHover={point}
      >
        {(x, y) =>
          marked.map(
            (row) =>
              row >= 0 &&
              !Number.isNaN(xs[row]) && (
                <circle key={row} class="selected-mark" cx={x(xs[row]!)} cy={y(ys[row]!)} r={6} />
              ),
          )
        }
      </Plot>
      <p class="caption">
        q below 1e−{highest} is drawn there; the axis is linear up to 1 and logarithmic beyond. Click a point
        to select it.
      </p>
    </>
  );
}

/** The rows with the largest |score|. */
function strongest(score: ArrayLike<number>, rows: Uint32Array): Uint32Array {
  const order = sortPermutation(
    Float64Array.from(rows, (row) => Math.abs(score[row]!)),
    true,
  );
  return order.slice(0, bestDrawn).map((place) => rows[place]!);
}
