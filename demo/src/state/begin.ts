import { keepRankingInStep } from './positives.ts';
import { keepRowsInStep } from './rows.ts';
import { openExample } from './session.ts';

/** What the page does before anyone touches it. */
export async function begin(): Promise<void> {
  keepRowsInStep();
  keepRankingInStep();
  await openExample();
}
