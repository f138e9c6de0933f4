import { effect, signal } from '@preact/signals';
import { provenanceLine } from '../results/wording.ts';
import { refuse } from './alerts.ts';
import { sessionOf, restoreSession, type Session } from './bundle.ts';
import { edges, result } from './edges.ts';
import { phase } from './run.ts';
import { allKept, forget, isKept, keep, kept, type Kept } from './store.ts';
import { tableWorker } from './workers.ts';

/** How a tab was left: small, so that it can be read without its table. */
interface KeptSession extends Kept {
  readonly line: string;
  readonly session: Session;
}

interface KeptTable extends Kept {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Each tab saves under its own id: two tabs do not overwrite each other. */
const id = crypto.getRandomValues(new Uint32Array(4)).join('-');
/** Most rows of a table to save; larger tables are files anyway. */
const mostRows = 1_000_000;
/** Sessions kept: more than one, since several tabs may be open. */
const mostSessions = 3;
/** Milliseconds without a change after which the view is saved. */
const rest = 400;

/** A session of an earlier visit that can be restored; null once it was, or is dismissed. */
export const lastSession = signal<KeptSession | null>(null);

/** A session that this tab has restored: from then on it is saved as this tab's own, not twice. */
let restored: string | null = null;

/** Looks for a session left by an earlier visit. */
export async function findLastSession(): Promise<void> {
  const [newest] = await allKept<KeptSession>('sessions');
  // The user may have opened files meanwhile.
  if (newest && newest.id !== id) lastSession.value = newest;
}

/** Shows it again. */
export async function restoreLastSession(): Promise<void> {
  const found = lastSession.value;
  if (!found) return;
  lastSession.value = null;
  const table = await kept<KeptTable>('tables', found.id);
  if (table) {
    restored = found.id;
    await restoreSession(table.name, table.bytes, found.session);
  } else refuse(new Error('The table of this session is no longer kept.'));
}

/** Deletes it. It is offered until it is gone: a tab that is closed before would offer it again. */
export async function forgetLastSession(): Promise<void> {
  const found = lastSession.value;
  if (found) await forget(['sessions', 'tables'], found.id);
  if (lastSession.value === found) lastSession.value = null;
}

/** From now on, results are saved with their view; the bundled example is always available. */
export function keepSessions(): void {
  let table = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const shown = result.value;
    if (!shown || phase.value !== 'idle' || shown.columns.rows > mostRows) return;
    const { provenance } = shown;
    const origin = provenance.kind === 'fit' ? provenance.model.origin : provenance.file.origin;
    if (origin === 'example') return;
    // Read here, so that any change of it is saved.
    const session = sessionOf(shown);
    const line = provenanceLine(provenance);
    clearTimeout(timer);
    timer = setTimeout(() => void keepNow(), rest);
    const keepNow = async () => {
      const when = Date.now();
      const entry: KeptSession = { id, when, line, session };
      // Other tabs may have evicted it.
      if (table === shown.table && (await isKept('tables', id))) {
        await keep({ sessions: entry });
        return;
      }
      table = shown.table;
      try {
        const bytes = await tableWorker.write('arrow', null, session.about);
        if (edges.peek() !== shown.columns) return;
        const name = `${line.replaceAll(/[/\\]/g, '-')}.arrow`;
        await keep({ sessions: entry, tables: { id, when, name, bytes } as KeptTable });
        if (restored !== null) await forget(['sessions', 'tables'], restored);
        restored = null;
        for (const { id: old } of (await allKept('sessions')).slice(mostSessions))
          await forget(['sessions', 'tables'], old);
      } catch {
        // Another table has arrived; it is saved instead.
      }
    };
  });
}
