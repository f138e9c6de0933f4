import { batch, computed, effect, signal } from '@preact/signals';
import { readPositiveEdges, type NamedPair } from 'magnitude-edge';
import type { Ranking } from '../worker/table-protocol.ts';
import { refuse } from './alerts.ts';
import { edgesVersion, result } from './edges.ts';
import { keepFigures } from './figures.ts';
import { inputs, noteInput, type NamedFile } from './inputs.ts';
import { modelFacts } from './run.ts';
import { tableWorker } from './workers.ts';

/** Edges known to be right and not in the graph: held out, or from another source. */
export const positives = signal<readonly NamedPair[]>([]);
/** How the table ranks them; null without positives or table. */
export const ranking = signal<Ranking | null>(null);

/** The number of the table that was ranked. */
const rankedTable = signal(0);

/** 1 at the rows of positives, or null. Only for the table that was ranked. */
export const positiveRows = computed(() =>
  rankedTable.value === edgesVersion.value ? (ranking.value?.marks ?? null) : null,
);

/** Removes positives that came with other files, above all the example's; those from the user's disk stay. */
export function forgetLinkedPositives(): void {
  if (inputs.value.positives?.origin === 'disk') return;
  positives.value = [];
  noteInput('positives', undefined);
}

/** Reads pairs as the command does. Refuses a file without pairs and keeps the previous ones. */
export function setPositives(file: NamedFile): void {
  try {
    const pairs = readPositiveEdges(file.bytes, file.name);
    positives.value = pairs;
    noteInput('positives', {
      name: file.name,
      note: `${pairs.length.toLocaleString('en')} pair${pairs.length === 1 ? '' : 's'}`,
      refused: false,
      origin: file.origin,
      address: file.address,
    });
  } catch (error) {
    const note = error instanceof Error ? error.message : '';
    noteInput('positives', { name: file.name, note, refused: true });
    refuse(error);
  }
}

/** Whether a pair joins two of these nodes. */
function joinNodesOf(names: readonly string[] | undefined, pairs: readonly NamedPair[]): boolean {
  const known = new Set(names);
  return pairs.some(([source, target]) => known.has(source) && known.has(target));
}

let ranked: readonly NamedPair[] = [];
/** Counts lists of positives. */
let lists = 0;

/** From now on, the ranking follows table and positives; answers for an older table are dropped. */
export function keepRankingInStep(): void {
  effect(() => {
    const version = edgesVersion.value;
    const pairs = positives.value;
    // A ranking of other positives, or without a table, is invalid.
    if (version === 0 || pairs !== ranked) ranking.value = null;
    if (pairs !== ranked) lists++;
    ranked = pairs;
    if (version === 0 || pairs.length === 0) return;
    tableWorker.rank(pairs).then(
      (answer) => {
        if (edgesVersion.peek() !== version || positives.peek() !== pairs) return;
        batch(() => {
          ranking.value = answer;
          const from = result.peek()?.provenance;
          if (from) keepFigures(from, lists, answer);
          rankedTable.value = version;
        });
      },
      (error: unknown) => {
        // Positives of a model opened since are no error: its results will rank them.
        if (!joinNodesOf(modelFacts.peek()?.functions, pairs)) refuse(error);
      },
    );
  });
}
