import { useEffect, useState } from 'preact/hooks';
import { paintPoints } from '../charts/density.ts';
import { Plot } from '../charts/plot.tsx';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { labelsOf } from '../names/labels.ts';
import { score } from '../parts/format.ts';
import { rowOfPair } from '../state/edges.ts';
import { evidence } from '../state/evidence.ts';
import { paletteVersion, tokenColour } from '../state/theme.ts';
import type { PairMagnitudes } from '../worker/protocol.ts';
import { WorkerRefusal } from '../worker/rpc.ts';
import { LayerChoice } from './layer-choice.tsx';

interface Props {
  readonly table: EdgeColumns;
  readonly source: number;
  readonly target: number;
}

/** Activation magnitude of the source against gradient magnitude of the target, sample by sample, in one layer pair. */
export function Scatter({ table, source, target }: Props) {
  const [answer, setAnswer] = useState<{ of: string; magnitudes: PairMagnitudes | string } | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const from = evidence.value;
  const canAsk = from?.canAsk === true;
  const of = from ? `${from.ofSamples} ${source} ${target}` : '';
  useEffect(() => {
    if (!from || !canAsk) return;
    let wanted = true;
    from.magnitudes(source, target).then(
      (magnitudes) => {
        if (wanted) setAnswer({ of, magnitudes });
      },
      (error: unknown) => {
        // Work that was ended by other work has nothing to say.
        const said = error instanceof WorkerRefusal && error.code !== 'AbortError' ? error.message : null;
        if (wanted) setAnswer(said === null ? null : { of, magnitudes: said });
      },
    );
    return () => {
      wanted = false;
    };
  }, [of, canAsk]);
  if (!from)
    return (
      <p class="caption">The scatter of magnitudes needs the model and the data that the scores are of.</p>
    );
  // Points of another pair, or of another run, are not shown under the name of this one.
  const magnitudes = answer?.of === of ? answer.magnitudes : null;
  if (typeof magnitudes === 'string') return <p class="caption">{magnitudes}</p>;
  const row = rowOfPair.value(source, target);
  const layer = Math.min(Number(chosen ?? strongestPair(table, row)), table.pairs.length - 1);
  const xs = magnitudes?.x[layer] ?? new Float32Array(0);
  const ys = magnitudes?.y[layer] ?? new Float32Array(0);
  const pairScore = row >= 0 ? (table.pairs[layer]?.values[row] ?? Number.NaN) : Number.NaN;
  const labels = labelsOf(table.names);
  const ends = [labels[source]!, labels[target]!] as const;
  // Read here, so that another theme paints again.
  const palette = paletteVersion.value;
  return (
    <div>
      <Plot
        key={palette}
        title={`${ends[0]} → ${ends[1]}`}
        summary={`Scatter of ${xs.length} samples: activation magnitude of ${ends[0]} in block ${layer} against gradient magnitude of ${ends[1]} in block ${layer + 1}; score ${score(pairScore)}`}
        x={{ label: `|activation| of ${ends[0]}, block ${layer}`, domain: extent(xs) }}
        y={{ label: `|gradient|, block ${layer + 1}`, domain: extent(ys) }}
        height={220}
        paint={(context, x, y, area) => {
          const rows = Uint32Array.from(xs.keys());
          paintPoints(context, x, y, area, { xs, ys, rows }, tokenColour('--accent'));
        }}
      >
        {() => null}
      </Plot>
      <LayerChoice table={table} row={row} layer={layer} onChange={setChosen} />
    </div>
  );
}

/** The layer pair that speaks most for this edge; the first where none has a score. */
export function strongestPair(table: EdgeColumns, row: number): number {
  const strength = table.pairs.map(({ values }) => Math.abs(values[row] ?? 0) || 0);
  return Math.max(0, strength.indexOf(Math.max(...strength)));
}

/** From zero, since magnitudes are, to a little beyond the largest value, whose mark wants room. */
const extent = (values: Float32Array): readonly [number, number] => [
  0,
  1.04 * values.reduce((most, value) => Math.max(most, value), 0) || 1,
];
