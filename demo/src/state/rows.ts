import { effect } from '@preact/signals';
import { refuse } from './alerts.ts';
import { edgesVersion, rows, sort } from './edges.ts';
import { latestOnly } from './latest-only.ts';
import { requestedFilter } from './requested-filter.ts';
import { tableWorker } from './workers.ts';

const refresh = latestOnly(async (isLatest) => {
  const table = edgesVersion.peek();
  const answer = await tableWorker.rows(sort.peek(), requestedFilter());
  // Another table may have arrived with rows of its own.
  if (isLatest() && edgesVersion.peek() === table) rows.value = answer;
}, refuse);

/** From now on, rows follow table, sort and filter. */
export function keepRowsInStep(): void {
  effect(() => {
    const asked = [edgesVersion.value, sort.value, requestedFilter()] as const;
    if (asked[0] > 0) refresh();
  });
}
