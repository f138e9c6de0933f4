import { signal } from '@preact/signals';
import { NumberField } from '../parts/number-field.tsx';
import { edges, rowOfPair } from '../state/edges.ts';
import { labelsOf } from '../names/labels.ts';
import { positives } from '../state/positives.ts';
import { modelFacts, outcome, phase } from '../state/run.ts';
import { selection } from '../state/selection.ts';
import { fitChanges } from '../state/session.ts';
import { runTrials, trial } from '../state/trials.ts';
import { TrialOutcomes } from './trial-outcomes.tsx';

const percent = signal(20);
const repeats = signal(20);

/** Two questions: are masked edges recovered, and does the graph find more than a permuted one? */
export function EdgeRecovery() {
  const table = edges.value;
  if (!table || !outcome.value?.source)
    return <p class="empty">Trials need a fit: an edge table alone contains no statistics.</p>;
  if (fitChanges.value.length > 0)
    return (
      <p class="empty">
        Trials use the last run, and its inputs have changed since: {fitChanges.value.join(', ')}. Run again
        first.
      </p>
    );
  return (
    <div class="figures">
      <MaskTrials />
      <PermuteTrials />
      {trial.value && <TrialOutcomes trial={trial.value} />}
    </div>
  );
}

/** What masking does to this model, shown beforehand. */
const masking = (canMask: boolean) =>
  canMask
    ? 'Masked edges are switched off in the model, which is run over the samples again for each repeat, and are removed from the evaluation graph: they are not conditioned on and count as missing.'
    : 'This model has no edge_mask input, so masked edges are removed from the evaluation graph only: they are not conditioned on and count as missing, but the model still uses them. Export it with edge_mask=True to switch them off in the model.';

function MaskTrials() {
  const busy = phase.value !== 'idle';
  const pair = selectedKnownEdge();
  return (
    <section>
      <h2>Mask known edges</h2>
      <p class="caption">
        {masking(modelFacts.value?.canMask ?? false)} High ranks mean that the scores find them again.
      </p>
      <div class="toolbar flush">
        <NumberField
          label="Share %"
          value={percent.value}
          onChange={(value) => {
            if (value !== null && value > 0 && value <= 100) percent.value = value;
          }}
        />
        <RepeatsField />
        <button
          disabled={busy}
          onClick={() =>
            void runTrials(`${percent.value}% of the known edges masked`, repeats.value, (repeat) => ({
              kind: 'mask',
              repeat: repeat + 1,
              share: percent.value / 100,
              edge: null,
            }))
          }
        >
          Mask a random share
        </button>
      </div>
      <div class="toolbar flush">
        <button
          disabled={busy || !pair}
          onClick={() =>
            pair &&
            void runTrials(`${pair.names.join(' → ')} masked`, 1, () => ({
              kind: 'mask',
              repeat: 1,
              share: 0,
              edge: pair.edge,
            }))
          }
        >
          Mask the selected edge
        </button>
        <span class="soft">{pair ? pair.names.join(' → ') : 'Select a known edge in any view'}</span>
      </div>
    </section>
  );
}

function PermuteTrials() {
  const busy = phase.value !== 'idle';
  const hasPositives = positives.value.length > 0;
  return (
    <section>
      <h2>Permute the graph</h2>
      <p class="caption">
        A control for partial scores: parents are drawn anew with every node's in- and out-degree kept. If the
        graph carries information, the real one finds the positives better than permuted ones.
      </p>
      <div class="toolbar flush">
        <button
          disabled={busy || !hasPositives}
          onClick={() =>
            void runTrials('Permuted conditioning sets', repeats.value + 1, (repeat) => ({
              kind: 'permute',
              repeat,
              positives: positives.value,
            }))
          }
        >
          Permute the graph
        </button>
        <span class="soft">
          {hasPositives ? `${repeats.value} repeats, as set above` : 'Load positive edges first'}
        </span>
      </div>
    </section>
  );
}

const RepeatsField = () => (
  <NumberField
    label="Repeats"
    value={repeats.value}
    onChange={(value) => {
      if (value !== null && value >= 2 && value <= 1000) repeats.value = Math.round(value);
    }}
  />
);

/** The selected pair, if it is an edge of the graph between different nodes. */
function selectedKnownEdge(): { edge: readonly [number, number]; names: readonly [string, string] } | null {
  const [table, at] = [edges.value, selection.value];
  if (!table || at.kind !== 'pair' || at.source === at.target) return null;
  const row = rowOfPair.value(at.source, at.target);
  if (row < 0 || table.hasEdge[row] !== 1) return null;
  return {
    edge: [at.source, at.target],
    names: [labelsOf(table.names)[at.source]!, labelsOf(table.names)[at.target]!],
  };
}
