import { effect, signal } from '@preact/signals';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { identityOf, type Provenance } from '../results/provenance.ts';
import { scoringLine } from '../results/wording.ts';
import { result } from './edges.ts';
import { phase } from './run.ts';

/** The scores of one result, for comparison with others about the same nodes. */
export interface KeptRun {
  readonly id: string;
  readonly label: string;
  readonly names: readonly string[];
  readonly columns: Pick<EdgeColumns, 'names' | 'rows' | 'src' | 'dst' | 'score' | 'hasEdge'>;
}

/** Most rows of all kept runs together: 17 bytes each. */
const mostRows = 6_000_000;

/** Results so far, oldest first. Results about other nodes are dropped: they have no pairs in common with these. */
export const keptRuns = signal<readonly KeptRun[]>([]);
let of = '';

/** Keeps a run; it replaces one of the same name. */
export function keepRun(run: KeptRun, identity: string): void {
  const others = identity === of ? keptRuns.peek().filter(({ id }) => id !== run.id) : [];
  of = identity;
  const kept = [...others, run];
  while (kept.length > 2 && kept.reduce((sum, { columns }) => sum + columns.rows, 0) > mostRows) kept.shift();
  keptRuns.value = kept;
}

/** From now on, results are kept, except intermediate ones. */
export function keepRunsInStep(): void {
  effect(() => {
    const shown = result.value;
    if (!shown || phase.value !== 'idle') return;
    const { columns, provenance } = shown;
    // The result shown keeps its place when other work ends.
    if (keptRuns.peek().some((run) => run.columns === columns)) return;
    const label = labelOf(provenance);
    keepRun({ id: label, label, names: columns.names, columns }, identityOf(provenance));
  });
}

/** Label of a result among others of the same model or table. */
const labelOf = (provenance: Provenance): string =>
  provenance.kind === 'fit'
    ? `${scoringLine(provenance.params)} · ${provenance.data.name}, n = ${provenance.samples.toLocaleString('en')}`
    : provenance.file.name;
