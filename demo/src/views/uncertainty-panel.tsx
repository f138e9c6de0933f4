import { bytes, counted } from '../parts/format.ts';
import { WholeField } from '../parts/whole-field.tsx';
import { computeUncertainty, change } from '../state/fitting.ts';
import { wholeNumbers } from '../results/params.ts';
import { params } from '../state/params.ts';
import { dataFacts, keepsSamples, modelFacts, outcome, phase } from '../state/run.ts';

/** Uncertainty of the scores: what must be kept for it, its options, and the button that computes it. */
export function UncertaintyPanel() {
  const at = params.value;
  const canAsk = phase.value === 'idle' && outcome.value !== null && keepsSamples.value;
  return (
    <section aria-labelledby="sure-title">
      <h2 id="sure-title">Uncertainty</h2>
      <label class="check">
        <input
          type="checkbox"
          checked={at.uncertainty}
          aria-describedby="sure-cost"
          onChange={(event) => void change({ uncertainty: event.currentTarget.checked })}
        />
        Keep every sample
      </label>
      <p class="caption three-lines" id="sure-cost">
        For standard errors and empirical p-values. Memory: {cost()}.
      </p>
      <details class="more">
        <summary>Groups, shuffles and seed</summary>
        <WholeField
          label="Groups"
          title="Runs of consecutive samples. Scores are formed again without each of them, for standard errors; targets are shuffled within them."
          value={at.groups}
          {...wholeNumbers.groups!}
          onChange={(groups) => void change({ groups })}
        />
        <WholeField
          label="Shuffles"
          title="How often targets are shuffled for the empirical p-value, which is never below 1 / (shuffles + 1). 0 for none."
          value={at.permutations}
          {...wholeNumbers.permutations!}
          onChange={(permutations) => void change({ permutations })}
        />
        <WholeField
          label="Seed"
          title="The same seed gives the same shuffles."
          value={at.seed}
          {...wholeNumbers.seed!}
          onChange={(seed) => void change({ seed })}
        />
      </details>
      <div class="buttons more">
        <button
          disabled={!canAsk}
          title={
            keepsSamples.value
              ? `Scores the samples ${counted(at.groups + at.permutations, 'time')} again; the table gets ${at.permutations > 0 ? 'standard errors, sign stability and empirical p-values' : 'standard errors and sign stability'}`
              : 'Requires a run with "Keep every sample" on'
          }
          onClick={() => void computeUncertainty()}
        >
          Compute uncertainty
        </button>
      </div>
    </section>
  );
}

/** The library's limit of what is kept. Without shuffles, many samples become sums and need less. */
const mostBytes = 2 ** 30;

/** Size of the kept samples: 8 P N bytes each. */
function cost(): string {
  const model = modelFacts.value;
  if (!model) return '8 bytes per sample, layer pair and node';
  const each = 8 * (model.layers - 1) * model.functions.length;
  const samples = dataFacts.value?.samples;
  if (samples === undefined) return `${bytes(each)} per sample`;
  const all = `${bytes(each)} per sample, ${bytes(each * samples)} for ${counted(samples, 'sample')}`;
  return params.value.permutations > 0 && each * samples > mostBytes
    ? `${all}; this exceeds the ${bytes(mostBytes)} limit for shuffles, so the fit would stop early`
    : all;
}
