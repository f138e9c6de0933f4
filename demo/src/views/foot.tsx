import { errorOf } from '../edges/edge-columns.ts';
import { labelsOf } from '../names/labels.ts';
import { estimate } from '../parts/format.ts';
import { whyUnscored } from '../results/why-unscored.ts';
import { pAndQOf } from '../results/significance.ts';
import { edges, result, rowOfPair } from '../state/edges.ts';
import { selection } from '../state/selection.ts';
import { duration } from '../parts/format.ts';

/** The selection in numbers, and how the numbers were computed. */
export function Foot() {
  const from = result.value?.provenance;
  return (
    <footer class="foot">
      <p class="selected clip" role="status" aria-label="Selection">
        {selected()}
      </p>
      {!('gpu' in navigator) && <p class="soft">No WebGPU in this browser: the CPU does the work</p>}
      <p class="soft">{from?.kind === 'fit' && `scored in ${duration(from.seconds)}`}</p>
    </footer>
  );
}

function selected(): string {
  const table = edges.value;
  const at = selection.value;
  if (!table || at.kind === 'none') return 'Select an edge in any view';
  const labels = labelsOf(table.names);
  if (at.kind === 'node') return labels[at.node] ?? '';
  const row = rowOfPair.value(at.source, at.target);
  const pair = `${labels[at.source] ?? '?'} → ${labels[at.target] ?? '?'}`;
  if (row < 0) return `${pair} · not in the table`;
  return [
    pair,
    whyUnscored(table, row) ?? `score ${estimate(table.score[row]!, errorOf(table, row))}`,
    ...pAndQOf(table, row),
    table.hasEdge[row] ? 'edge of the graph' : 'not in the graph',
  ].join(' · ');
}
