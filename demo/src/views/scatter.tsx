import { paintPoints } from '../charts/density.ts';
import { nearestPoint } from '../charts/nearest.ts';
import { Plot } from '../charts/plot.tsx';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { trendOf } from '../edges/explained.ts';
import type { LegendItem } from '../figure/legend.ts';
import { labelsOf } from '../names/labels.ts';
import { score } from '../parts/format.ts';
import { rowOfPair } from '../state/edges.ts';
import { paletteVersion } from '../state/theme.ts';
import { pairLabel } from '../table/columns.tsx';
import type { PairMagnitudes } from '../worker/protocol.ts';

const sampleLegend: readonly LegendItem[] = [
  { label: 'sample', form: 'disc', colour: '--accent' },
  { label: 'least squares', form: 'line', colour: '--inferred' },
];

interface Props {
  readonly table: EdgeColumns;
  readonly source: number;
  readonly target: number;
  readonly magnitudes: PairMagnitudes;
}

/**
 * Activation magnitude of the source against gradient magnitude of the target, one point per sample, one plot per layer
 * pair.
 */
export function Scatters({ table, source, target, magnitudes }: Props) {
  const row = rowOfPair.value(source, target);
  const labels = labelsOf(table.names);
  return (
    <div class="multiples">
      {magnitudes.x.map((xs, layer) => (
        <LayerScatter
          key={layer}
          layer={layer}
          title={pairLabel(table.pairs[layer]?.name ?? `corr_a${layer}_g${layer + 1}`)}
          names={[labels[source]!, labels[target]!]}
          xs={xs}
          ys={magnitudes.y[layer]!}
          pairScore={row >= 0 ? (table.pairs[layer]?.values[row] ?? Number.NaN) : Number.NaN}
        />
      ))}
    </div>
  );
}

interface LayerProps {
  readonly layer: number;
  readonly title: string;
  readonly names: readonly [source: string, target: string];
  readonly xs: Float32Array;
  readonly ys: Float32Array;
  readonly pairScore: number;
}

function LayerScatter({ layer, title, names, xs, ys, pairScore }: LayerProps) {
  const [xDomain, yDomain] = [extent(xs), extent(ys)];
  const trend = trendOf(xs, ys);
  const rows = Uint32Array.from(xs.keys());
  // Read here, so that a change of theme repaints.
  const palette = paletteVersion.value;
  return (
    <Plot
      key={palette}
      title={`${title} · ${score(pairScore)}`}
      figureTitle={`${names.join(' → ')}, ${title}: ${score(pairScore)}`}
      isSmall
      legend={sampleLegend}
      summary={`Scatter of ${xs.length} samples: activation magnitude of ${names[0]} in block ${layer} against gradient magnitude of ${names[1]} in block ${layer + 1}; score ${score(pairScore)}`}
      x={{ label: '|activation| of source', domain: xDomain }}
      y={{ label: '|gradient| of target', domain: yDomain }}
      height={190}
      probe={(px, py, scales) => {
        const sample = nearestPoint({ xs, ys }, [rows], px, py, scales);
        if (sample < 0) return null;
        const lines = [`activation ${xs[sample]!.toPrecision(3)}`, `gradient ${ys[sample]!.toPrecision(3)}`];
        return { x: xs[sample]!, y: ys[sample]!, title: `Sample ${sample + 1}`, lines };
      }}
      paint={(context, x, y, area) => {
        paintPoints(context, x, y, area, { xs, ys, rows }, area.colourOf('--accent'));
      }}
    >
      {(x, y) => trend && <line class="trend" {...clippedLine(trend, xDomain, yDomain, x, y)} />}
    </Plot>
  );
}

/** The part of a line that is inside the frame. */
function clippedLine(
  { intercept, slope }: { intercept: number; slope: number },
  [left, right]: readonly [number, number],
  [bottom, top]: readonly [number, number],
  x: (value: number) => number,
  y: (value: number) => number,
) {
  const within = (value: number) => Math.min(Math.max(value, left), right);
  const crossings = slope === 0 ? [left, right] : [(bottom - intercept) / slope, (top - intercept) / slope];
  const [from, to] = [within(Math.min(...crossings)), within(Math.max(...crossings))];
  return { x1: x(from), y1: y(intercept + slope * from), x2: x(to), y2: y(intercept + slope * to) };
}

/** From zero, since magnitudes are not negative, to a little beyond the largest value, to leave space for its mark. */
const extent = (values: Float32Array): readonly [number, number] => [
  0,
  1.04 * values.reduce((most, value) => Math.max(most, value), 0) || 1,
];

/** The layer pair with the largest |score| for this edge; the first if none has a score. */
export function strongestPair(table: EdgeColumns, row: number): number {
  const strength = table.pairs.map(({ values }) => Math.abs(values[row] ?? 0) || 0);
  return Math.max(0, strength.indexOf(Math.max(...strength)));
}
