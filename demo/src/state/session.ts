import { batch } from '@preact/signals';
import { dismissAll, refuse } from './alerts.ts';
import { edges, edgesVersion } from './edges.ts';
import { fromAddress, noteInput, type InputRole, type NamedFile } from './inputs.ts';
import { consequenceOf, params, type Params } from './params.ts';
import { addresses } from './link.ts';
import { forgetLinkedPositives, setPositives } from './positives.ts';
import { dataFacts, evaluationSeconds, modelFacts, outcome, phase, progress, running } from './run.ts';
import { endTrial } from './trials.ts';
import { fitWorker, tableWorker } from './workers.ts';
import { clearSelection } from './selection.ts';

/** The files of this session, kept so that another provider or batch size can open them again. */
const files: { model?: NamedFile | undefined; data?: NamedFile | undefined } = {};

/** Opens a model. The one before it, its data and its scores stay when the new one is refused. */
export async function openModel(file: NamedFile): Promise<boolean> {
  return taking('model', file, async () => {
    const facts = await fitWorker.openModel(file, params.value);
    files.model = file;
    modelFacts.value = facts;
    dataFacts.value = null;
    files.data = undefined;
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
    return count(facts.samples, 'sample');
  });
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
      outcome.value = null;
      progress.value = null;
      clearSelection();
      edges.value = columns;
      edgesVersion.value += 1;
    });
    return count(columns.rows, 'row');
  });
}

/** Runs `work` for an input and notes beside the input what came of it. */
async function taking(role: InputRole, file: NamedFile, work: () => Promise<string>): Promise<boolean> {
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
    return false;
  } finally {
    phase.value = 'idle';
  }
}

/** Fits from the start, or on from where the last fit was stopped, and shows the scores. */
export async function run(from: 'start' | 'here' = 'start'): Promise<void> {
  if (phase.value !== 'idle') return;
  dismissAll();
  if (!files.model || !modelFacts.value) {
    refuse(new Error('Choose a model: an .onnx file written by the exporter.'));
    return;
  }
  if (!files.data || !dataFacts.value) {
    refuse(new Error('Choose the data for this model: .npz, .arrow, .csv or .parquet.'));
    return;
  }
  phase.value = 'fitting';
  outcome.value = null;
  endTrial();
  if (from === 'start') progress.value = { samples: 0, total: dataFacts.value.samples, seconds: 0 };
  const live = liveScores();
  try {
    outcome.value = await fitWorker.fit(params.value, from);
  } catch (error) {
    refuse(error);
  }
  live.end();
  phase.value = 'evaluating';
  if (!(outcome.value && outcome.value.samples < 3)) await show(params.value);
  phase.value = 'idle';
}

/** While a fit runs: scores of the samples so far, as often as a quarter of the time allows. */
function liveScores(): { end(): void } {
  let ended = false;
  const isEnded = () => ended;
  const loop = async () => {
    let pause = 400;
    while (!isEnded()) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (isEnded() || phase.value !== 'fitting' || (progress.value?.samples ?? 0) < 3) continue;
      const start = performance.now();
      await show(params.value);
      pause = Math.max(400, 3 * (performance.now() - start));
    }
  };
  void loop();
  return {
    end: () => {
      ended = true;
    },
  };
}

/** Evaluates and puts the table on show. */
async function show(asked: Params): Promise<void> {
  try {
    const scored = await fitWorker.evaluate(asked);
    const columns = await tableWorker.open(scored.bytes, 'the edge table');
    batch(() => {
      edges.value = columns;
      edgesVersion.value += 1;
      evaluationSeconds.value = scored.seconds;
    });
  } catch (error) {
    refuse(error);
  }
}

/** Stops at the batch in hand; the scores so far stay, and the fit can go on later. */
export async function cancel(): Promise<void> {
  if (!running.value) return;
  phase.value = 'stopping';
  await fitWorker.stop();
}

export async function pause(): Promise<void> {
  if (phase.value !== 'fitting') return;
  phase.value = 'paused';
  await fitWorker.pause();
}

export async function resume(): Promise<void> {
  if (phase.value === 'paused') {
    phase.value = 'fitting';
    await fitWorker.resume();
  } else await run('here');
}

/** Changes parameters and brings the page up to date with them: new scores at once, a new fit where one is needed. */
export async function change(changes: Partial<Params>): Promise<void> {
  const before = params.value;
  params.value = { ...before, ...changes };
  if (phase.value === 'fitting' || phase.value === 'paused') return;
  const consequence = consequenceOf(before, params.value);
  if (consequence === 'none' || !outcome.value) return;
  if (consequence === 'evaluate') {
    phase.value = 'evaluating';
    await show(params.value);
    phase.value = 'idle';
    return;
  }
  if (consequence === 'open' && files.model && files.data) {
    const { model, data } = files;
    if (!((await openModel(model)) && (await openData(data)))) return;
  }
  await run();
}

/** The bundled example, fitted at once. */
export async function openExample(): Promise<void> {
  try {
    const [model, data, positives] = await Promise.all(
      ['model.onnx', 'data.npz', 'heldout.csv'].map((name) => fromAddress(`./example/${name}`)),
    );
    if (!((await openModel(model!)) && (await openData(data!)))) return;
    setPositives(positives!);
    await run();
  } catch (error) {
    refuse(error);
  }
}

const count = (n: number, thing: string) => `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;
