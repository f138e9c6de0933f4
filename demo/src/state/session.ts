import { batch } from '@preact/signals';
import { refuse } from './alerts.ts';
import { drop } from './cancel.ts';
import { edges, edgesVersion, scoresOnGpu } from './edges.ts';
import { noteInput, type InputRole, type NamedFile } from './inputs.ts';
import { addresses } from './link.ts';
import { params } from './params.ts';
import { forgetLinkedPositives } from './positives.ts';
import { dataFacts, modelFacts, outcome, phase, placement, progress, running, unscored } from './run.ts';
import { forgetScores, showScores } from './scores.ts';
import { clearSelection } from './selection.ts';
import { endTrial } from './trials.ts';
import { fitWorker, tableWorker } from './workers.ts';

/** The files of this session, kept so that another provider can open them again. */
const files: { model?: NamedFile | undefined; data?: NamedFile | undefined } = {};

/** Opens a model. The one before it, its data and its scores stay when the new one is refused. */
export async function openModel(file: NamedFile): Promise<boolean> {
  return taking('model', file, async () => {
    const facts = await fitWorker.openModel(file, params.value);
    files.model = file;
    modelFacts.value = facts;
    dataFacts.value = null;
    files.data = undefined;
    forgetFit();
    if (file.origin === 'disk') forgetLinkedPositives();
    noteInput('data', undefined);
    noteInput('table', undefined);
    const { functions, edges: known } = facts;
    return `${count(functions.length, 'function node')}, ${count(known.length, 'edge')}`;
  });
}

/** Opens data for the model that is there, reading all of it once, so that a refusal comes now and not half-way. */
export async function openData(file: NamedFile): Promise<boolean> {
  return taking('data', file, async () => {
    const facts = await fitWorker.openData(file, params.value);
    files.data = file;
    dataFacts.value = facts;
    // A fit that was stopped cannot go on with other samples.
    if (outcome.value) outcome.value = { ...outcome.value, complete: true, failure: null };
    endTrial();
    return count(facts.samples, 'sample');
  });
}

/** Opens model and data again, for another runtime. */
export async function reopen(): Promise<boolean> {
  const { model, data } = files;
  return model !== undefined && data !== undefined && (await openModel(model)) && (await openData(data));
}

/** Shows a table made elsewhere, by the command or an earlier session. */
export async function openTable(file: NamedFile): Promise<boolean> {
  return taking('table', file, async () => {
    const columns = await tableWorker.open(file.bytes, file.name);
    batch(() => {
      // The table stands for itself: what was open belongs to other scores.
      Object.assign(files, { model: undefined, data: undefined });
      if (file.origin === 'disk') forgetLinkedPositives();
      noteInput('model', undefined);
      noteInput('data', undefined);
      modelFacts.value = null;
      dataFacts.value = null;
      forgetFit();
      clearSelection();
      edges.value = columns;
      scoresOnGpu.value = false;
      edgesVersion.value += 1;
    });
    return count(columns.rows, 'row');
  });
}

/** What was fitted is gone; the table on show stays until there is another. */
function forgetFit(): void {
  scoresOnGpu.value = false;
  outcome.value = null;
  unscored.value = false;
  progress.value = null;
  placement.value = null;
  endTrial();
}

/** Runs `work` for an input and notes beside the input what came of it. */
async function taking(role: InputRole, file: NamedFile, work: () => Promise<string>): Promise<boolean> {
  const wasFitting = running.value;
  drop();
  forgetScores();
  phase.value = 'opening';
  try {
    const note = await work();
    noteInput(role, { name: file.name, note, refused: false, origin: file.origin });
    if (file.origin === 'disk' && role !== 'sources' && role !== 'targets')
      Reflect.deleteProperty(addresses, role);
    return true;
  } catch (error) {
    noteInput(role, { name: file.name, note: error instanceof Error ? error.message : '', refused: true });
    refuse(error);
    if (wasFitting) void showScores();
    return false;
  } finally {
    phase.value = 'idle';
  }
}

const count = (n: number, thing: string) => `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;
