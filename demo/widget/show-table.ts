import { batch, signal } from '@preact/signals';
import { refuse } from '../src/state/alerts.ts';
import { positives } from '../src/state/positives.ts';
import { putOnShow } from '../src/state/scores.ts';
import { tableKeeper } from '../src/state/workers.ts';
import { offerEvidence } from './evidence.ts';
import type { TableFacts } from './messages.ts';

/** The version of the table shown; 0 before there is one. */
export const version = signal(0);

let asked = 0;

/** Shows a table: Arrow IPC, file or stream. A table superseded by a newer one is dropped. */
export async function showTable(facts: TableFacts, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const turn = ++asked;
  try {
    const opened = await tableKeeper.open(bytes, facts.title, facts.names ?? undefined);
    if (turn !== asked) {
      await tableKeeper.close(opened.table);
      return;
    }
    const file = {
      name: facts.title,
      // Tables with the same list of nodes share an identity, so that the selection stays.
      digest: JSON.stringify(facts.names ?? facts.version),
      origin: 'disk',
      address: null,
    } as const;
    await putOnShow(opened, { kind: 'file', file, metadata: opened.columns.metadata }, null);
    batch(() => {
      positives.value = facts.positives;
      offerEvidence(facts.version, facts.evidence);
      version.value = facts.version;
    });
  } catch (error) {
    refuse(error);
  }
}
