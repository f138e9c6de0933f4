import { signal } from '@preact/signals';
import { Plot } from '../charts/plot.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { counted, score } from '../parts/format.ts';
import { edges, rowOfPair } from '../state/edges.ts';
import { positives } from '../state/positives.ts';
import { outcome, phase } from '../state/run.ts';
import { selection } from '../state/selection.ts';
import { runTrials, trial, type Trial } from '../state/trials.ts';

const percent = signal(20);
const repeats = signal(20);

/** Questions to the scores that need no new samples: mask edges and see them come back, permute the graph and see less. */
export function TryView() {
  const table = edges.value;
  if (!table || !outcome.value)
    return <p class="empty">Trials need a fit; a table alone has no statistics to ask.</p>;
  const busy = phase.value !== 'idle';
  const at = selection.value;
  const row = at.kind === 'pair' ? rowOfPair.value(at.source, at.target) : -1;
  const known = at.kind === 'pair' && row >= 0 && table.hasEdge[row] === 1 ? at : null;
  const done = trial.value;
  return (
    <div class="figures">
      <section>
        <h2>Mask known edges</h2>
        <p class="caption">
          Masked edges leave the graph that judges: they are no longer conditioned on and count as missing.
          The model keeps its weights. High ranks mean that the scores would have found them.
        </p>
        <div class="toolbar flush">
          <NumberField
            label="Share %"
            value={percent.value}
            onChange={(value) => {
              if (value !== null && value > 0 && value <= 100) percent.value = value;
            }}
          />
          <NumberField
            label="Repeats"
            value={repeats.value}
            onChange={(value) => {
              if (value !== null && value >= 2 && value <= 1000) repeats.value = Math.round(value);
            }}
          />
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
          <button
            disabled={busy || !known}
            title={known ? undefined : 'Select a known edge first'}
            onClick={() =>
              known &&
              void runTrials(
                `${table.names[known.source]!} → ${table.names[known.target]!} masked`,
                1,
                () => ({ kind: 'mask', repeat: 1, share: 0, edge: [known.source, known.target] }),
              )
            }
          >
            Mask the selected edge
          </button>
        </div>
      </section>
      <section>
        <h2>Permute the graph</h2>
        <p class="caption">
          A control for partial scores: parents are drawn anew with every node's in- and out-degree kept. If
          the graph carries information, the real one finds the positives better than permuted ones.
        </p>
        <div class="toolbar flush">
          <button
            disabled={busy || positives.value.length === 0}
            title={positives.value.length > 0 ? undefined : 'Give positive edges first'}
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
        </div>
      </section>
      {done && <Outcomes done={done} />}
    </div>
  );
}

function Outcomes({ done }: { readonly done: Trial }) {
  const { outcomes, kind } = done;
  const real = kind === 'permute' ? outcomes[0] : undefined;
  const repeated = kind === 'permute' ? outcomes.slice(1) : outcomes;
  const areas = repeated.map(({ rocAuc }) => rocAuc).filter((area) => !Number.isNaN(area));
  const [mean, deviation] = moments(areas);
  const ranks = repeated.flatMap((one) => one.ranks);
  const first = ranks.filter((rank) => rank === 1).length;
  const scoreName = done.params.score === 'partial' ? 'partial' : 'marginal';
  return (
    <section aria-live="polite">
      <h2>
        {done.title}, {scoreName} score
      </h2>
      <dl class="numbers">
        <Item
          label="Repeats"
          value={`${repeated.length} of ${kind === 'permute' ? done.repeats - 1 : done.repeats}`}
        />
        <Item label="Mean AUC" value={score(mean)} />
        <Item label="SD" value={score(deviation)} />
        <Item label="Mean MRR" value={score(moments(repeated.map(({ mrr }) => mrr))[0])} />
        {real && <Item label="Real AUC" value={score(real.rocAuc)} />}
        {!real && <Item label="Ranked first" value={`${first} of ${ranks.length}`} />}
      </dl>
      {real && (
        <p class="caption">
          {counted(areas.filter((area) => area >= real.rocAuc).length, 'permuted graph')} of {areas.length}{' '}
          reach the real one
          {done.params.score !== 'partial' && '; the marginal score does not condition, so all are equal'}.
        </p>
      )}
      <Plot
        title="AUC of each repeat"
        summary={`AUC over ${areas.length} repeats, mean ${mean.toFixed(4)}, standard deviation ${deviation.toFixed(4)}`}
        x={{ label: 'repeat', domain: [0.5, Math.max(2, repeated.length) + 0.5] }}
        y={{ label: 'ROC AUC', domain: [Math.min(0.4, ...areas), 1] }}
        height={200}
      >
        {(x, y) => (
          <>
            <line
              class="reference"
              x1={x(0.5)}
              x2={x(Math.max(2, repeated.length) + 0.5)}
              y1={y(0.5)}
              y2={y(0.5)}
            />
            {real && (
              <line
                class="curve"
                x1={x(0.5)}
                x2={x(Math.max(2, repeated.length) + 0.5)}
                y1={y(real.rocAuc)}
                y2={y(real.rocAuc)}
              />
            )}
            {repeated.map(
              ({ rocAuc }, k) =>
                !Number.isNaN(rocAuc) && <circle key={k} class="dot" cx={x(k + 1)} cy={y(rocAuc)} r={3.5} />,
            )}
          </>
        )}
      </Plot>
    </section>
  );
}

function Item({ label, value }: { readonly label: string; readonly value: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Mean and standard deviation (n - 1). */
function moments(values: readonly number[]): [mean: number, deviation: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / (values.length - 1))];
}
