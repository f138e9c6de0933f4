import { useMemo } from 'preact/hooks';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { explainedBy } from '../edges/explained.ts';
import { labelsOf } from '../names/labels.ts';
import { Chip } from '../parts/chip.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { percent, score } from '../parts/format.ts';
import { pairFacts, pairText } from '../results/pair-facts.ts';
import { provenanceText } from '../results/wording.ts';
import { result, rowOfPair } from '../state/edges.ts';
import { evidence } from '../state/evidence.ts';
import { usePairMagnitudes } from '../state/pair-magnitudes.ts';
import { listed, setNote, toggleListed } from '../state/shortlist.ts';
import { pairLabel } from '../table/columns.tsx';
import type { PairMagnitudes } from '../worker/protocol.ts';
import { Block } from './block.tsx';
import { Scatters } from './scatter.tsx';

interface Props {
  readonly table: EdgeColumns;
  readonly source: number;
  readonly target: number;
  /** Known parents of the target. */
  readonly parents: readonly number[];
}

/** All evidence for and against a pair. */
export function PairEvidence({ table, source, target, parents }: Props) {
  const { names } = table;
  const labels = labelsOf(names);
  const row = rowOfPair.value(source, target);
  const facts = useMemo(() => pairFacts(table, row, source, target), [table, row, source, target]);
  const isChannel = table.metadata.score === 'channel';
  return (
    <section aria-label="Evidence for the pair">
      <h2 title={`${names[source]!} → ${names[target]!}`}>
        {labels[source]} → {labels[target]}
      </h2>
      <dl class="numbers facts-of-pair">
        {facts.map(({ label, value, about }) => (
          <div key={label} title={about}>
            <dt>{label}</dt>
            <dd>{value}</dd>
            <dd class="soft">{about}</dd>
          </div>
        ))}
      </dl>
      <Keeping
        names={[names[source]!, names[target]!]}
        text={pairText(
          [names[source]!, names[target]!],
          facts,
          result.value ? provenanceText(result.value.provenance) : '',
        )}
      />
      {isChannel ? (
        <Block table={table} source={source} target={target} />
      ) : evidence.value ? (
        <Magnitudes table={table} source={source} target={target} parents={parents} />
      ) : (
        <p class="caption">The scatter of magnitudes needs the model and the data that the scores are of.</p>
      )}
    </section>
  );
}

/** The pair's place on the shortlist, with a note; and the facts as text. */
function Keeping({ names, text }: { readonly names: readonly [string, string]; readonly text: string }) {
  const kept = listed(...names);
  return (
    <div class="keeping">
      <Chip
        pressed={kept !== undefined}
        onChange={() => {
          toggleListed(...names);
        }}
      >
        {kept ? '★ On the shortlist' : '☆ Shortlist'}
      </Chip>
      <CopyButton what="pair" label="Copy as text" class="plain tight" text={() => text} />
      {kept && (
        <input
          type="text"
          aria-label="Note"
          placeholder="Note"
          value={kept.note}
          onInput={({ currentTarget }) => {
            setNote(...names, currentTarget.value);
          }}
        />
      )}
    </div>
  );
}

function Magnitudes({ table, source, target, parents }: Props) {
  const others = parents.filter((parent) => parent !== source);
  const magnitudes = usePairMagnitudes(source, target, others);
  if (!magnitudes) return <p class="caption">Running the model for the scatter …</p>;
  if (typeof magnitudes === 'string') return <p class="caption">{magnitudes}</p>;
  return (
    <>
      <Scatters table={table} source={source} target={target} magnitudes={magnitudes} />
      <p class="caption">
        One plot for each layer pair, with the least-squares line; scores beside their titles.
      </p>
      {magnitudes.others && others.length > 0 && (
        <Parents table={table} magnitudes={magnitudes} others={magnitudes.others} count={others.length} />
      )}
    </>
  );
}

/** What the other known parents of the target explain, and what is left for this source. */
function Parents({
  table,
  magnitudes,
  others,
  count,
}: {
  readonly table: EdgeColumns;
  readonly magnitudes: PairMagnitudes;
  readonly others: NonNullable<PairMagnitudes['others']>;
  readonly count: number;
}) {
  const explained = useMemo(
    () => magnitudes.x.map((x, layer) => explainedBy(x, magnitudes.y[layer]!, others[layer]!)),
    [magnitudes],
  );
  const samples = magnitudes.x[0]?.length ?? 0;
  return (
    <table class="plain-table">
      <caption>
        What the other {count === 1 ? 'known parent explains' : `${count} known parents explain`}, over{' '}
        {samples} samples
      </caption>
      <thead>
        <tr>
          <th>Layers</th>
          <th class="number" title="Of the target's gradient magnitude">
            Explained by parents
          </th>
          <th class="number">Correlation</th>
          <th class="number">Given the parents</th>
        </tr>
      </thead>
      <tbody>
        {explained.map(({ byParents, correlation, given }, layer) => (
          <tr key={layer}>
            <td>{pairLabel(table.pairs[layer]?.name ?? `corr_a${layer}_g${layer + 1}`)}</td>
            <td class="number">{percent(byParents)}</td>
            <td class="number">{score(correlation)}</td>
            <td class="number">{score(given)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
