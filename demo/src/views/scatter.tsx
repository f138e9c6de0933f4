import { useEffect, useState } from 'preact/hooks';
import { paintPoints } from '../charts/density.ts';
import { Plot } from '../charts/plot.tsx';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { labelsOf } from '../names/labels.ts';
import { score } from '../parts/format.ts';
import { result, rowOfPair } from '../state/edges.ts';
import { otherFiles } from '../results/changes.ts';
import { phase } from '../state/run.ts';
import { currentInputs } from '../state/session.ts';
import { paletteVersion, tokenColour } from '../state/theme.ts';
import { fitWorker } from '../state/workers.ts';
import type { PairMagnitudes } from '../worker/protocol.ts';
import { LayerChoice } from './layer-choice.tsx';

interface Props {
  readonly table: EdgeColumns;
  readonly source: number;
  readonly target: number;
}

/** Activation magnitude of the source against gradient magnitude of the target, sample by sample, in one layer pair. */
export function Scatter({ table, source, target }: Props) {
  const [answer, setAnswer] = useState<{ of: string; magnitudes: PairMagnitudes } | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const from = result.value?.provenance;
  const isOpen = from?.kind === 'fit' && otherFiles(from, currentInputs.value).length === 0;
  const canRun = isOpen && phase.value === 'idle';
  const of = isOpen ? `${from.run} ${source} ${target}` : '';
  useEffect(() => {
    if (!canRun) return;
    let wanted = true;
    fitWorker.magnitudes(from.params, source, target).then(
      (magnitudes) => {
        if (wanted) setAnswer({ of, magnitudes });
      },
      () => {
        if (wanted) setAnswer(null);
      },
    );
    return () => {
      wanted = false;
    };
  }, [of, canRun]);
  if (!isOpen)
    return (
      <p class="caption">The scatter of magnitudes needs the model and the data that the scores are of.</p>
    );
  // Points of another pair, or of another run, are not shown under the name of this one.
  const magnitudes = answer?.of === of ? answer.magnitudes : null;
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
