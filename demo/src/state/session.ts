import { batch, computed, signal } from '@preact/signals';
import { changesSince, fitChangesSince, type Inputs } from '../results/changes.ts';
import { factsOfFile, type FileFacts } from '../results/provenance.ts';
import { WorkerRefusal } from '../worker/rpc.ts';
import { refuse } from './alerts.ts';
import { drop } from './cancel.ts';
import { result } from './edges.ts';
import { forgetFit } from './forget-fit.ts';
import { noteInput, type InputRole, type NamedFile } from './inputs.ts';
import { params } from './params.ts';
import { forgetLinkedPositives } from './positives.ts';
import { dataFacts, modelFacts, outcome, phase, running } from './run.ts';
import { forgetScores, putOnShow, showScores } from './scores.ts';
import { endTrial } from './trials.ts';
import { fitWorker, fitWorkerNumber, tableKeeper } from './workers.ts';

/** The files of this session, kept so that another provider or another worker can open them again. */
export const files = signal<{ readonly model: NamedFile | null; readonly data: NamedFile | null }>({
  model: null,
  data: null,
});
/** The worker that holds them open. */
let openIn = fitWorkerNumber.peek();

/** Model and data, once both are open. */
export const openedFiles = computed(() => {
  const { model, data } = files.value;
  return model && data && { model, data };
});

/** What a run would compute from now. */
export const currentInputs = computed<Inputs>(() => ({
  model: factsOf(files.value.model),
  data: factsOf(files.value.data),
  params: params.value,
}));

const factsOf = (file: NamedFile | null): FileFacts | null => file && factsOfFile(file);

/** What has changed since the table shown was computed, in words; empty while it matches the controls. */
export const changes = computed(() =>
  result.value ? changesSince(result.value.provenance, currentInputs.value) : [],
);

/** What has changed since the statistics in the worker were computed. */
export const fitChanges = computed(() => {
  const source = outcome.value?.source;
  return source ? fitChangesSince(source, currentInputs.value) : [];
});

/** Opens a model. If it is refused, the previous model, its data and its scores stay. */
export async function openModel(file: NamedFile): Promise<boolean> {
  return taking('model', file, async () => {
    const facts = await fitWorker.openModel(file, params.value);
    batch(() => {
      files.value = { model: file, data: null };
      modelFacts.value = facts;
      dataFacts.value = null;
      forgetFit();
      if (file.origin === 'disk') forgetLinkedPositives();
      noteInput('data', undefined);
      noteInput('table', undefined);
    });
    openIn = fitWorkerNumber.peek();
    const { functions, edges: known } = facts;
    return `${count(functions.length, 'function node')}, ${count(known.length, 'edge')}`;
  });
}

/** Opens data for the current model. Reads all of it once, so that an error occurs now and not half-way. */
export async function openData(file: NamedFile): Promise<boolean> {
  return taking('data', file, async () => {
    if (!(await openAgain())) throw new Error('The model could not be opened again.');
    const facts = await fitWorker.openData(file, params.value);
    batch(() => {
      files.value = { ...files.value, data: file };
      dataFacts.value = facts;
      // A fit that was stopped cannot resume with other samples.
      if (outcome.value) outcome.value = { ...outcome.value, complete: true, failure: null };
      endTrial();
    });
    return count(facts.samples, 'sample');
  });
}

/**
 * Opens a model, and then its data. False if one is refused, or if another file was requested before both were open;
 * the other file then stays.
 */
export async function openTogether(
  model: NamedFile,
  data: (() => NamedFile | Promise<NamedFile>) | null,
): Promise<boolean> {
  const opening = openModel(model);
  const asked = filesAskedFor();
  if (!(await opening)) return false;
  const file = (await data?.()) ?? null;
  if (filesAskedFor() !== asked) return false;
  return file === null || ((await openData(file)) && filesAskedFor() === asked + 1);
}

/** Opens model and data again, in another runtime. */
export async function reopen(): Promise<boolean> {
  const { model, data } = files.value;
  return model !== null && data !== null && openTogether(model, () => data);
}

/**
 * Opens the files in the worker that replaced the one that held them. True if they are open, or nothing was to be done.
 */
export async function openAgain(): Promise<boolean> {
  if (openIn === fitWorkerNumber.peek()) return true;
  const { model, data } = files.peek();
  const number = fitWorkerNumber.peek();
  try {
    if (model) await fitWorker.openModel(model, params.value);
    if (data) await fitWorker.openData(data, params.value);
    openIn = number;
    return true;
  } catch (error) {
    if (!isStopped(error)) refuse(error);
    return false;
  }
}

/** Shows a table made elsewhere, by the command or an earlier session. */
export async function openTable(file: NamedFile): Promise<boolean> {
  return taking('table', file, async () => {
    const opened = await tableKeeper.open(file.bytes, file.name);
    const { columns } = opened;
    // Positives of the example would be looked up among other nodes.
    if (file.origin === 'disk') forgetLinkedPositives();
    await putOnShow(opened, { kind: 'file', file: factsOfFile(file), metadata: columns.metadata }, null);
    batch(() => {
      // The table stands on its own: the open files belong to other scores.
      files.value = { model: null, data: null };
      noteInput('model', undefined);
      noteInput('data', undefined);
      modelFacts.value = null;
      dataFacts.value = null;
      forgetFit();
    });
    return count(columns.rows, 'row');
  });
}

/** Openings under way. */
let openings = 0;

let askedFor = 0;

/** Number of models, data and tables requested since the page was opened. */
export const filesAskedFor = (): number => askedFor;

/** Runs `work` for an input and notes its outcome with the input. */
async function taking(role: InputRole, file: NamedFile, work: () => Promise<string>): Promise<boolean> {
  const wasFitting = running.value;
  drop();
  forgetScores();
  phase.value = 'opening';
  openings += 1;
  askedFor += 1;
  try {
    const note = await work();
    noteInput(role, { name: file.name, note, refused: false, origin: file.origin, address: file.address });
    return true;
  } catch (error) {
    // A cancelled opening leaves everything as it was.
    if (isStopped(error)) return false;
    noteInput(role, { name: file.name, note: error instanceof Error ? error.message : '', refused: true });
    refuse(error);
    if (wasFitting) void showScores();
    return false;
  } finally {
    openings -= 1;
    if (openings === 0) endOpening();
  }
}

/** Frees the page, unless it is busy with something else by now. */
function endOpening(): void {
  if (phase.value === 'opening') phase.value = 'idle';
}

/** Whether work was ended because it is no longer wanted. */
const isStopped = (error: unknown): boolean =>
  error instanceof WorkerRefusal && (error.code === 'AbortError' || error.code === 'replaced');

const count = (n: number, thing: string) => `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;
