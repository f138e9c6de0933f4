import { computed, signal } from '@preact/signals';
import type { Recovery } from 'magnitude-edge';
import type { Provenance } from '../results/provenance.ts';
import { scoringLine } from '../results/wording.ts';
import { scoreDependsOn, scoringKeys } from '../results/params.ts';
import type { Ranking } from '../worker/table-protocol.ts';
import { result } from './edges.ts';

/** How well one score finds the positives. */
export interface ScoreFigures {
  /** The score as results name it, with only the parameters it depends on. */
  readonly label: string;
  readonly recovery: Recovery;
}

interface Kept extends ScoreFigures {
  readonly key: string;
}

/** Figures of the scores computed so far, from the same samples and positives. */
const kept = signal<{ readonly of: string; readonly figures: readonly Kept[] }>({ of: '', figures: [] });

/** Those figures in the order in which they were computed, and the index of the score shown. */
export const figuresSoFar = computed(() => {
  const shown = result.value?.provenance;
  const { figures } = kept.value;
  return { figures, current: shown ? figures.findIndex(({ key }) => key === keyOf(shown)) : -1 };
});

/** Keeps the figures of a table. Figures of other samples or positives are dropped: they are not comparable. */
export function keepFigures(provenance: Provenance, positives: number, ranking: Ranking): void {
  const of = JSON.stringify([samplesOf(provenance), positives]);
  const before = kept.peek();
  const key = keyOf(provenance);
  const { recovery } = ranking;
  if (!recovery) return;
  const added = { key, label: labelOf(provenance), recovery };
  const others = before.of === of ? before.figures : [];
  const at = others.findIndex((one) => one.key === key);
  kept.value = { of, figures: at < 0 ? [...others, added] : others.with(at, added) };
}

const samplesOf = (of: Provenance) => (of.kind === 'fit' ? [of.run, of.samples] : [of.file.digest]);

const keyOf = (of: Provenance): string =>
  of.kind === 'fit'
    ? JSON.stringify(scoringKeys.map((key) => scoreDependsOn(of.params.score, key) && of.params[key]))
    : of.file.digest;

const labelOf = (of: Provenance): string =>
  of.kind === 'fit' ? scoringLine(of.params) : (of.metadata.score ?? of.file.name);
