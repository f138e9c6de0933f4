import { refuse } from './alerts.ts';
import { isBundle, openBundle } from './bundle.ts';
import { mayFetch } from './consent.ts';
import { downloadRuntimeEarly } from './early-runtime.ts';
import { noResult, result } from './edges.ts';
import { fromAddress } from './fetched.ts';
import { run } from './fitting.ts';
import { openGallery } from './gallery.ts';
import { findInterruptedFit, keepFits } from './interrupted-fit.ts';
import { keepRunsInStep } from './kept-runs.ts';
import { findLastSession, keepSessions } from './last-session.ts';
import { linkedRoles, openedRoles, restoreSelection, restoreSettings, type OpenedRole } from './link.ts';
import { goOffline } from './offline.ts';
import { keepRankingInStep, setPositives } from './positives.ts';
import { keepRowsInStep } from './rows.ts';
import { filesAskedFor, openTable, openTogether } from './session.ts';

/**
 * What the page does before the user does anything: opens what its address asks for, else the example. Files that the
 * user chooses meanwhile take precedence.
 */
export async function begin(): Promise<void> {
  keepRowsInStep();
  keepRankingInStep();
  keepRunsInStep();
  keepSessions();
  keepFits();
  const query = new URLSearchParams(location.search);
  restoreSettings(query);
  // Tables and sessions are shown without running a model.
  if (!query.has('table') && !query.has('session')) void downloadRuntimeEarly();
  try {
    await openWhatIsAsked(query);
  } catch (error) {
    refuse(error);
  }
  restoreSelection(query);
  await goOffline();
}

async function openWhatIsAsked(query: URLSearchParams): Promise<void> {
  const listed = query.get('gallery');
  if (listed) await openGallery(listed);
  const addresses: Partial<Record<OpenedRole, string>> = {};
  for (const role of openedRoles) {
    const address = query.get(role);
    if (address) addresses[role] = address;
  }
  const { model, data, table, session, positives } = addresses;
  const missing = query.get('disk')?.split(',') ?? [];
  const leftBehind = missing.length > 0 ? ofSomebodysDisk(missing) : null;
  noResult.value = leftBehind;
  if (!model && !table && !session) {
    // What the address asks for takes precedence over what an earlier visit left.
    if (missing.length === 0) await Promise.all([findLastSession(), findInterruptedFit()]);
    if (!['model', 'data', 'table'].some((role) => missing.includes(role))) await openExample();
    // A table hides the note that would be in its place.
    if (leftBehind && result.value) refuse(new Error(leftBehind));
    return;
  }
  if (!(await mayFetch(addresses))) {
    noResult.value = 'Nothing was fetched. Choose files of your own, or drop them here.';
    return;
  }
  if (session) {
    const file = await fromAddress(session);
    if (!isBundle(file)) throw new Error(`${file.name} is not a session of this page.`);
    if (isUntouched()) await openBundle(file);
    return;
  }
  if (table) {
    const file = await fromAddress(table);
    if (isUntouched() && (await openTable(file))) await openPositives(positives);
    return;
  }
  const file = await fromAddress(model!);
  if (!isUntouched() || !(await openTogether(file, data ? () => fromAddress(data) : null))) return;
  await openPositives(positives);
  if (data) await run();
}

/** No file has been chosen yet. */
const isUntouched = (): boolean => filesAskedFor() === 0;

/** Positives are optional: a failure to open them does not prevent the run. */
async function openPositives(address: string | undefined): Promise<void> {
  try {
    if (address) setPositives(await fromAddress(address));
  } catch (error) {
    refuse(error);
  }
}

/** Names the files that a link does not include. */
function ofSomebodysDisk(roles: readonly string[]): string {
  const names = [...linkedRoles, 'sources', 'targets'].filter((role) => roles.includes(role));
  const files = names.join(', ') || 'files';
  return `This link contains settings. The files they were used with (${files}) were on a disk and are not part of it: choose them here.`;
}

/** The bundled example, fitted at once. */
async function openExample(): Promise<void> {
  const [model, data, positives] = await Promise.all(
    ['model.onnx', 'data.npz', 'heldout.csv'].map((name) => fromAddress(`./example/${name}`, 'example')),
  );
  if (!isUntouched() || !(await openTogether(model!, () => data!))) return;
  setPositives(positives!);
  await run();
}
