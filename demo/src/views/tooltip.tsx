import { useLayoutEffect, useRef } from 'preact/hooks';
import { errorOf, extentOf, type EdgeColumns } from '../edges/edge-columns.ts';
import { strongestRows } from '../edges/strongest-rows.ts';
import { labelsOf } from '../names/labels.ts';
import { estimate, score } from '../parts/format.ts';
import { pAndQOf, qOf } from '../results/significance.ts';
import { whyUnscored } from '../results/why-unscored.ts';
import { edges, rowOfPair } from '../state/edges.ts';
import { hovered, note, pointer } from '../state/hover.ts';
import { positiveRows } from '../state/positives.ts';
import { pairLabel } from '../table/columns.tsx';

/** The one tooltip of all views, next to the pointer. What it says is also in the table and the status line. */
export function Tooltip() {
  const box = useRef<HTMLDivElement>(null);
  const at = hovered.value;
  const { x, y } = pointer.value;
  const about = note.value;
  const table = edges.value;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    // On the side of the pointer where it fits.
    const left = x + 16 + width > innerWidth ? x - 12 - width : x + 16;
    const top = y + 18 + height > innerHeight ? y - 10 - height : y + 18;
    element.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  });
  if (!about && (!table || at.kind === 'none')) return null;
  return (
    <div class="tooltip" ref={box} role="tooltip" key={about ? about.title : JSON.stringify(at)}>
      {about ? (
        <>
          <p class="pair">{about.title}</p>
          {about.lines.map((line) => (
            <p key={line}>{line}</p>
          ))}
        </>
      ) : at.kind === 'node' ? (
        <Node table={table!} node={at.node} />
      ) : (
        at.kind === 'pair' && <Pair table={table!} source={at.source} target={at.target} />
      )}
    </div>
  );
}

/** Edges listed for a node, in each direction. */
const told = 3;

/** A node with its strongest edges. */
function Node({ table, node }: { readonly table: EdgeColumns; readonly node: number }) {
  const labels = labelsOf(table.names);
  const lines = (['src', 'dst'] as const).flatMap((side) =>
    strongestRows(table, side, node, told).map((row) => ({ row, side })),
  );
  return (
    <>
      <p class="pair">{table.names[node]}</p>
      <dl class="edges-of-node">
        {lines.map(({ row, side }) => (
          <div key={row}>
            <dt>{side === 'src' ? `→ ${labels[table.dst[row]!]!}` : `← ${labels[table.src[row]!]!}`}</dt>
            <dd>
              {[estimate(table.score[row]!, errorOf(table, row)), ...qOf(table, row)].join(' · ')}
              {table.hasEdge[row] ? ' · known' : ''}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

interface Props {
  readonly table: EdgeColumns;
  readonly source: number;
  readonly target: number;
}

function Pair({ table, source, target }: Props) {
  const row = rowOfPair.value(source, target);
  const names = (
    <p class="pair">
      {table.names[source]} → {table.names[target]}
    </p>
  );
  if (row < 0)
    return (
      <>
        {names}
        <p>{source === target ? 'The node itself' : 'Not in the table'}</p>
      </>
    );
  const error = errorOf(table, row);
  const kind = table.hasEdge[row]
    ? 'Edge of the graph'
    : positiveRows.value?.[row]
      ? 'Positive, not in the graph'
      : 'Not in the graph';
  return (
    <>
      {names}
      <p>
        {whyUnscored(table, row) ??
          [`score ${estimate(table.score[row]!, error)}`, ...pAndQOf(table, row)].join(' · ')}
      </p>
      <LayerPairs table={table} row={row} />
      <p class="soft">{kind}</p>
    </>
  );
}

/** The score of each layer pair as a bar. */
function LayerPairs({ table, row }: { readonly table: EdgeColumns; readonly row: number }) {
  const { pairs } = table;
  if (pairs.length < 2 || pairs.every(({ values }) => Number.isNaN(values[row]!))) return null;
  const extent = Math.max(extentOf(table), ...pairs.map(({ values }) => Math.abs(values[row]!) || 0)) || 1;
  return (
    <dl class="layer-pairs">
      {pairs.map(({ name, values }) => {
        const value = values[row]!;
        return (
          <div key={name}>
            <dt>{pairLabel(name)}</dt>
            <dd class="bar">
              <i
                class={value < 0 ? 'negative' : undefined}
                style={{ width: `${(100 * Math.abs(value || 0)) / extent}%` }}
              />
            </dd>
            <dd class="number">{score(value)}</dd>
          </div>
        );
      })}
    </dl>
  );
}
