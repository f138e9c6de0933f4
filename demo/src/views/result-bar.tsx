import { computed } from '@preact/signals';
import { coverageFrom, coverageWarning, nothingScored, unscoredInWords } from 'magnitude-edge';
import { counted, whole } from '../parts/format.ts';
import { provenanceLine, provenanceText } from '../results/wording.ts';
import { edges, result } from '../state/edges.ts';
import { run } from '../state/fitting.ts';
import { dataFacts, fitRun, phase } from '../state/run.ts';
import { changes } from '../state/session.ts';
import type { Provenance } from '../results/provenance.ts';

/** What the table and all views of it were computed from, and whether that still matches the controls. */
export function ResultBar() {
  const shown = result.value;
  const said = shown && standing(shown.provenance);
  const outdated = said?.isOutdated ?? false;
  const unscored = coverageText.value;
  return (
    <section class={outdated ? 'result-bar outdated' : 'result-bar'} aria-label="Provenance of these results">
      <p
        class="clip"
        role="status"
        title={shown ? `${said!.text}\n\n${provenanceText(shown.provenance)}` : undefined}
      >
        {said?.text}
      </p>
      {unscored && (
        <p class={unscored.isMuch ? 'unscored much' : 'unscored'} title={unscored.detail}>
          {unscored.text}
        </p>
      )}
      {outdated && (
        <button
          class="tight"
          disabled={phase.value !== 'idle' || !dataFacts.value}
          title={dataFacts.value ? undefined : 'Choose the data for this model first'}
          onClick={() => void run()}
        >
          Run again
        </button>
      )}
    </section>
  );
}

interface Standing {
  readonly text: string;
  readonly isOutdated: boolean;
}

function standing(of: Provenance): Standing {
  const changed = changes.value;
  const line = provenanceLine(of);
  if (changed.length > 0)
    return { text: `Results of ${line}. Changed since: ${changed.join(', ')}`, isOutdated: true };
  if (of.kind === 'fit' && of.run !== fitRun.value)
    return {
      text: `Results of ${line} from an earlier run: the latest run has no scores yet`,
      isOutdated: true,
    };
  const few =
    of.kind === 'fit' && of.samples < of.data.samples ? ` of ${of.data.samples.toLocaleString('en')}` : '';
  const none = noScores();
  return {
    text: `${none ? `${none} ` : ''}${few ? line.replace(/\)$/, `${few} samples)`) : line}`,
    isOutdated: false,
  };
}

/**
 * How many pairs of the table have no score and why, as its metadata record it; also if the table has only some rows.
 */
const coverageText = computed(() => {
  const coverage = edges.value && coverageFrom(new Map(Object.entries(edges.value.metadata)));
  // If nothing is scored, the bar itself says so first.
  if (!coverage || coverage.unscored.pairs === 0) return null;
  const { unscored, candidates } = coverage;
  const warning = coverageWarning(coverage);
  return warning === undefined
    ? {
        isMuch: false,
        text: `${counted(unscored.pairs, 'pair')} without a score`,
        detail: `Without a score: ${unscoredInWords(coverage)}.`,
      }
    : {
        isMuch: true,
        text: `${whole(candidates.unscored)} of ${counted(candidates.pairs, 'candidate')} without a score`,
        detail: warning,
      };
});

/** What must be said first about a table without a single score. */
function noScores(): string | null {
  const table = edges.value;
  const coverage = table && coverageFrom(new Map(Object.entries(table.metadata)));
  if (coverage && nothingScored(coverage)) return coverageWarning(coverage)!;
  if (!table || table.score.some((score) => !Number.isNaN(score))) return null;
  return `None of the ${counted(table.rows, 'pair')} has a score.`;
}
