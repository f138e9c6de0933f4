import { useMemo } from 'preact/hooks';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { labelsOf } from '../names/labels.ts';
import { counted, probability, score } from '../parts/format.ts';
import { edges } from '../state/edges.ts';
import { positiveRows } from '../state/positives.ts';
import { selectedTarget, selection, selectNode, selectPair } from '../state/selection.ts';
import { pairLabel } from '../table/columns.tsx';
import { sortPermutation } from '../edges/sort.ts';
import { CandidatesPlot } from './candidates-plot.tsx';
import { PairEvidence } from './pair-evidence.tsx';
import { LongTable } from '../parts/long-table.tsx';

/** Candidates listed; the table has the rest. */
const listed = 200;

/** The evidence for a pair and for its target: all candidate sources, and what was conditioned on. */
export function EvidenceView() {
  const table = edges.value;
  const at = selection.value;
  const target = selectedTarget(at);
  if (!table || target === null)
    return (
      <p class="empty">
        Select an edge in the table or the heatmap: its evidence and all candidate sources of its target are
        shown here.
      </p>
    );
  return <Target table={table} target={target} source={at.kind === 'pair' ? at.source : null} />;
}

interface Props {
  readonly table: EdgeColumns;
  readonly target: number;
  readonly source: number | null;
}

function Target({ table, target, source }: Props) {
  const { names } = table;
  const labels = labelsOf(names);
  const { standardError } = table.uncertainty;
  const incoming = useMemo(() => incomingRows(table, target), [table, target]);
  const parents = incoming.filter((row) => table.hasEdge[row] === 1);
  const scored = incoming.filter((row) => !Number.isNaN(table.score[row]!));
  const isPartial = table.metadata.score === 'partial';
  return (
    <div class="figures">
      {source !== null && (
        <PairEvidence
          table={table}
          source={source}
          target={target}
          parents={[...parents].map((row) => table.src[row]!)}
        />
      )}
      <h2 title={names[target]}>{labels[target]}</h2>
      <p>
        {counted(parents.length, 'known parent')}
        {isPartial && parents.length > 0 && ', conditioned on'}
        {parents.length > 0 && ': '}
        {[...parents].map((row) => (
          <button
            key={row}
            class="link chip"
            onClick={() => {
              selectNode(table, table.src[row]!);
            }}
          >
            {labels[table.src[row]!]}
          </button>
        ))}
      </p>
      {scored.length > 0 && <CandidatesPlot table={table} target={target} scored={scored} source={source} />}
      <LongTable label="Candidates">
        <caption>
          {scored.length > listed
            ? `The first ${listed} of ${counted(scored.length, 'candidate')}`
            : counted(scored.length, 'candidate')}
        </caption>
        <thead>
          <tr>
            <th class="number">Rank</th>
            <th>Source</th>
            <th class="number">Score</th>
            {standardError && <th class="number">± error</th>}
            {table.isTested && <th class="number">q</th>}
            {table.pairs.map(({ name }) => (
              <th key={name} class="number">
                {pairLabel(name)}
              </th>
            ))}
            <th>Edge</th>
          </tr>
        </thead>
        <tbody>
          {[...scored.subarray(0, listed)].map((row, rank) => (
            <tr key={row} class={table.src[row] === source ? 'is-selected' : undefined}>
              <td class="number">{rank + 1}</td>
              <td>
                <button
                  class="link"
                  aria-label={`Select ${names[table.src[row]!]!} to ${names[target]!}`}
                  onClick={() => {
                    selectPair(table, table.src[row]!, target);
                  }}
                >
                  {labels[table.src[row]!]}
                </button>
              </td>
              <td class="number">{score(table.score[row]!)}</td>
              {standardError && <td class="number">{score(standardError[row]!)}</td>}
              {table.isTested && <td class="number">{probability(table.qValue[row]!)}</td>}
              {table.pairs.map(({ name, values }) => (
                <td key={name} class="number">
                  {score(values[row]!)}
                </td>
              ))}
              <td>{table.hasEdge[row] ? 'known' : positiveRows.value?.[row] ? 'positive' : ''}</td>
            </tr>
          ))}
        </tbody>
      </LongTable>
    </div>
  );
}

/** Rows into a target, best score first. */
function incomingRows(table: EdgeColumns, target: number): Uint32Array {
  const found: number[] = [];
  table.dst.forEach((node, row) => {
    if (node === target) found.push(row);
  });
  const order = sortPermutation(
    found.map((row) => table.score[row]!),
    true,
  );
  return order.map((place) => found[place]!);
}
