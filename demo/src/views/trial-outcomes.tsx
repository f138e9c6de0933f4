import { Plot } from '../charts/plot.tsx';
import { scoreKinds } from '../edges/score-kind.ts';
import { Figure } from '../parts/figure.tsx';
import { counted, score } from '../parts/format.ts';
import type { Trial } from '../state/trials.ts';
import type { TrialOutcome } from '../worker/protocol.ts';

/** The outcome of a trial: numbers over the repeats, the AUC of each, and each repeat's edges with their ranks. */
export function TrialOutcomes({
  trial: { outcomes, kind, title, params, source, repeats },
}: {
  readonly trial: Trial;
}) {
  const real = kind === 'permute' ? outcomes[0] : undefined;
  const repeated = kind === 'permute' ? outcomes.slice(1) : outcomes;
  const wanted = kind === 'permute' ? repeats - 1 : repeats;
  const areas = repeated.map(({ rocAuc }) => rocAuc).filter((area) => !Number.isNaN(area));
  const [mean, deviation] = moments(areas);
  const ranks = repeated.flatMap((one) => one.ranks);
  return (
    <section class="outcomes">
      <h2 aria-live="polite">
        {title}, {scoreKinds[params.score].label}
      </h2>
      <dl class="numbers">
        <Figure label="Repeats" value={`${repeated.length} of ${wanted}`} />
        <Figure label="Mean AUC" value={score(mean)} />
        <Figure label="SD" value={score(deviation)} />
        <Figure label="Mean MRR" value={score(moments(repeated.map(({ mrr }) => mrr))[0])} />
        {real && <Figure label="Real AUC" value={score(real.rocAuc)} />}
        {!real && (
          <Figure
            label="Ranked first"
            value={`${ranks.filter((rank) => rank === 1).length} of ${ranks.length}`}
          />
        )}
      </dl>
      <p class="caption">
        Of {source.model.name} with {source.data.name}, {counted(source.data.samples, 'sample')}.{' '}
        {real ? againstReal(real, areas, params.score === 'partial') : wasMaskedIn(outcomes)}
      </p>
      <AreaPlot repeated={repeated} areas={areas} mean={mean} deviation={deviation} real={real} />
      {kind === 'mask' && <MaskedEdges outcomes={outcomes} />}
    </section>
  );
}

function againstReal(real: TrialOutcome, areas: readonly number[], isPartial: boolean): string {
  const reaching = areas.filter((area) => area >= real.rocAuc).length;
  const why = isPartial ? '' : '; only partial correlations condition on the graph, so all are equal';
  return `${reaching} of ${counted(areas.length, 'permuted graph')} ${reaching === 1 ? 'reaches' : 'reach'} the AUC of the real graph${why}.`;
}

function wasMaskedIn(outcomes: readonly TrialOutcome[]): string {
  switch (outcomes[0]?.maskedIn) {
    case 'model':
      return 'Masked in the model: each repeat is a separate fit over all samples.';
    case 'graph':
      return 'Masked in the evaluation graph only: the model has no edge_mask input.';
    default:
      return '';
  }
}

interface Areas {
  readonly repeated: readonly TrialOutcome[];
  readonly areas: readonly number[];
  readonly mean: number;
  readonly deviation: number;
  readonly real: TrialOutcome | undefined;
}

function AreaPlot({ repeated, areas, mean, deviation, real }: Areas) {
  const last = Math.max(2, repeated.length) + 0.5;
  return (
    <Plot
      title="AUC of each repeat"
      summary={`AUC over ${areas.length} repeats, mean ${mean.toFixed(4)}, standard deviation ${deviation.toFixed(4)}`}
      x={{ label: 'repeat', domain: [0.5, last] }}
      y={{ label: 'ROC AUC', domain: [Math.min(0.4, ...areas), 1] }}
      height={200}
      legend={[
        { label: 'repeat', form: 'disc', colour: '--inferred' },
        { label: 'chance', form: 'dashed', colour: '--ink-soft' },
        ...(real ? [{ label: 'real graph', form: 'line', colour: '--accent' } as const] : []),
      ]}
      probe={(px, _, scales) => {
        const repeat = Math.round(0.5 + (px / scales.x(last)) * (last - 0.5));
        const area = repeated[repeat - 1]?.rocAuc ?? Number.NaN;
        return Number.isNaN(area)
          ? null
          : { x: repeat, y: area, title: `Repeat ${repeat}`, lines: [`ROC AUC ${score(area)}`] };
      }}
    >
      {(x, y) => (
        <>
          <line class="reference" x1={x(0.5)} x2={x(last)} y1={y(0.5)} y2={y(0.5)} />
          {real && <line class="curve" x1={x(0.5)} x2={x(last)} y1={y(real.rocAuc)} y2={y(real.rocAuc)} />}
          {repeated.map(
            ({ rocAuc }, k) =>
              !Number.isNaN(rocAuc) && <circle key={k} class="dot" cx={x(k + 1)} cy={y(rocAuc)} r={3.5} />,
          )}
        </>
      )}
    </Plot>
  );
}

/** Repeats listed; the numbers above cover all of them. */
const listed = 100;

function MaskedEdges({ outcomes }: { readonly outcomes: readonly TrialOutcome[] }) {
  return (
    <table class="plain-table">
      <caption>Masked edges and their ranks among the sources of their targets</caption>
      <thead>
        <tr>
          <th class="number">Repeat</th>
          <th class="number">AUC</th>
          <th class="number">MRR</th>
          <th>Edges, with rank</th>
        </tr>
      </thead>
      <tbody>
        {outcomes.slice(0, listed).map(({ rocAuc, mrr, pairs, ranks }, repeat) => (
          <tr key={repeat}>
            <td class="number">{repeat + 1}</td>
            <td class="number">{score(rocAuc)}</td>
            <td class="number">{score(mrr)}</td>
            <td>{edgesWithRanks(pairs, ranks)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function edgesWithRanks(pairs: TrialOutcome['pairs'], ranks: TrialOutcome['ranks']): string {
  const most = 12;
  const shown = pairs
    .slice(0, most)
    .map(([source, target], k) => `${source} → ${target} (${ranks[k] ?? '–'})`);
  return shown.join(', ') + (pairs.length > most ? `, and ${pairs.length - most} more` : '');
}

/** Mean and standard deviation (n - 1). */
function moments(values: readonly number[]): [mean: number, deviation: number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / (values.length - 1))];
}
