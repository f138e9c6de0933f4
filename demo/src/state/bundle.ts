import { provenanceText } from '../results/wording.ts';
import { refuse } from './alerts.ts';
import { edges, result, type Result } from './edges.ts';
import { digestOf, type NamedFile } from './inputs.ts';
import { restoreSelection, restoreSettings, sessionLink } from './link.ts';
import { positives, setPositives } from './positives.ts';
import { openTable } from './session.ts';
import { shortlist, takeShortlist, type Listed } from './shortlist.ts';
import { tableWorker } from './workers.ts';

const tableName = 'table.arrow';
const sessionName = 'session.json';

/** The contents of a bundle besides its table. */
export interface Session {
  readonly format: 'magnitude-edge session 1';
  readonly about: string;
  /** Settings and view, as in a link. */
  readonly settings: string;
  readonly positives: readonly (readonly [string, string])[];
  readonly shortlist: readonly Listed[];
}

/** How the results are viewed now. */
export const sessionOf = (shown: Result): Session => ({
  format: 'magnitude-edge session 1',
  about: provenanceText(shown.provenance),
  settings: new URL(sessionLink()).search,
  positives: positives.value,
  shortlist: shortlist.value,
});

/** The results shown as one file: the table, its view, positives and shortlist. */
export async function makeBundle(): Promise<Uint8Array<ArrayBuffer>> {
  const shown = result.value;
  if (!shown) throw new Error('There are no results yet.');
  const { strToU8, zipSync } = await import('fflate');
  const session = sessionOf(shown);
  const table = await tableWorker.write('arrow', null, session.about);
  return zipSync({
    [tableName]: table,
    [sessionName]: strToU8(JSON.stringify(session, null, 2)),
  });
}

/** Whether a file is such a bundle: a zip archive that names its two parts. */
export function isBundle({ name, bytes }: NamedFile): boolean {
  const end = new TextDecoder('latin1').decode(bytes.subarray(-400));
  return name.endsWith('.zip') && end.includes(sessionName);
}

/** Opens a bundle as it was saved. */
export async function openBundle(file: NamedFile): Promise<void> {
  try {
    const { strFromU8, unzipSync } = await import('fflate');
    const parts = unzipSync(file.bytes);
    const [table, text] = [parts[tableName], parts[sessionName]];
    if (!table || !text)
      throw new Error(
        `${file.name} is not a session of this page: it lacks ${table ? sessionName : tableName}.`,
      );
    const session = JSON.parse(strFromU8(text)) as Session;
    await restoreSession(file.name.replace(/\.zip$/, '.arrow'), new Uint8Array(table), session);
  } catch (error) {
    refuse(error);
  }
}

/** Shows a table with the view of a session. */
export async function restoreSession(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  session: Session,
): Promise<void> {
  if (!(await openTable({ name, bytes, digest: await digestOf(bytes), origin: 'disk' }))) return;
  if (session.positives.length > 0) {
    const list = `src,dst\n${session.positives.map((pair) => pair.map(quotedName).join(',')).join('\n')}\n`;
    setPositives({
      name: 'positives of the session',
      bytes: new TextEncoder().encode(list),
      digest: '',
      origin: 'disk',
    });
  }
  const query = new URLSearchParams(session.settings);
  restoreSettings(query);
  if (edges.value) restoreSelection(query);
  takeShortlist(session.shortlist);
}

const quotedName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
