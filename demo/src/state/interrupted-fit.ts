import { effect, signal } from '@preact/signals';
import { originPrivateCheckpoint } from 'magnitude-edge';
import type { CheckpointAt } from '../worker/protocol.ts';
import type { NamedFile } from './inputs.ts';
import type { Params } from '../results/params.ts';
import { params } from './params.ts';
import { checkpointed, dataFacts, outcome } from './run.ts';
import { openedFiles, openTogether } from './session.ts';
import { allKept, forget, keep, kept, type Kept } from './store.ts';

/** A fit with a checkpoint that has not finished. */
interface KeptFit extends Kept {
  readonly model: string;
  readonly data: string;
  readonly samples: number;
  readonly total: number;
}

/** What is needed to resume. */
interface KeptFiles extends Kept {
  readonly model: NamedFile;
  readonly data: NamedFile;
  readonly params: Params;
}

/** Most bytes of model and data to keep; larger ones must be chosen and fitted again. */
const mostBytes = 512e6;

/** The checkpoint of this tab. Each tab has its own; a tab that resumes an older fit takes over its checkpoint. */
let id = crypto.getRandomValues(new Uint32Array(4)).join('-');
let isMine = false;
/** The files that are saved with it. */
let filesKept: unknown = null;

const fileOf = (fit: string): string => `fit-${fit}`;

/** A fit of an earlier visit that can resume; null once it does, or is dismissed. */
export const interruptedFit = signal<KeptFit | null>(null);

/** Where a fit that begins now saves its checkpoints; null for the example, and for files too large to keep. */
export function checkpointHere(resumes: boolean): CheckpointAt | null {
  const files = openedFiles.peek();
  if (!files) return null;
  const { model, data } = files;
  if (model.origin === 'example' || model.bytes.length + data.bytes.length > mostBytes) return null;
  claim();
  return { file: fileOf(id), resumes };
}

/** Tells other tabs, as long as this one is open, that the fit is running here. */
function claim(): void {
  if (isMine || !('locks' in navigator)) return;
  isMine = true;
  void navigator.locks.request(fileOf(id), () => new Promise(() => undefined));
}

/** From now on, unfinished fits can resume after a reload. */
export function keepFits(): void {
  effect(() => {
    const [samples, files] = [checkpointed.value, openedFiles.peek()];
    if (samples === 0 || !files) return;
    const { model, data } = files;
    const when = Date.now();
    const fit: KeptFit = {
      ...{ id, when, samples, model: model.name, data: data.name },
      total: dataFacts.peek()?.samples ?? samples,
    };
    const given: KeptFiles = { id, when, model, data, params: params.peek() };
    void keep(filesKept === files ? { fits: fit } : { fits: fit, files: given });
    filesKept = files;
  });
  effect(() => {
    if (outcome.value?.complete !== true || checkpointed.peek() === 0) return;
    filesKept = null;
    checkpointed.value = 0;
    void remove(id);
  });
}

async function remove(fit: string): Promise<void> {
  await forget(['fits', 'files'], fit);
  await originPrivateCheckpoint(fileOf(fit))
    .remove()
    .catch(() => undefined);
}

/** Looks for a fit left by an earlier visit. Fits running in other tabs are not offered. */
export async function findInterruptedFit(): Promise<void> {
  const fits = await allKept<KeptFit>('fits');
  if (fits.length === 0) return;
  const { held = [] } = 'locks' in navigator ? await navigator.locks.query() : {};
  const busy = new Set(held.map(({ name }) => name));
  const [newest, ...older] = fits.filter((fit) => !busy.has(fileOf(fit.id)));
  interruptedFit.value = newest ?? null;
  for (const fit of older) await remove(fit.id);
}

/** Opens its files again. True if the fit can resume. */
export async function openInterrupted(): Promise<boolean> {
  const found = interruptedFit.value;
  if (!found) return false;
  interruptedFit.value = null;
  const files = await kept<KeptFiles>('files', found.id);
  if (!files) return false;
  id = found.id;
  isMine = false;
  params.value = files.params;
  if (!(await openTogether(files.model, () => files.data))) return false;
  filesKept = openedFiles.peek();
  checkpointed.value = found.samples;
  return true;
}

export async function forgetInterrupted(): Promise<void> {
  const found = interruptedFit.value;
  if (found) await remove(found.id);
  if (interruptedFit.value === found) interruptedFit.value = null;
}
