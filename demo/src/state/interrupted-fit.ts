import { effect, signal } from '@preact/signals';
import { originPrivateCheckpoint } from 'magnitude-edge';
import type { CheckpointAt } from '../worker/protocol.ts';
import type { NamedFile } from './inputs.ts';
import { params, type Params } from './params.ts';
import { checkpointed, dataFacts, outcome } from './run.ts';
import { openedFiles, openTogether } from './session.ts';
import { allKept, forget, keep, kept, type Kept } from './store.ts';

/** A fit that has a checkpoint and has not come to its end. */
interface KeptFit extends Kept {
  readonly model: string;
  readonly data: string;
  readonly samples: number;
  readonly total: number;
}

/** What it takes to go on. */
interface KeptFiles extends Kept {
  readonly model: NamedFile;
  readonly data: NamedFile;
  readonly params: Params;
}

/** Bytes of model and data at most; larger ones have to be chosen again, and fitted again. */
const mostBytes = 512e6;

/** The checkpoint of this tab; two tabs have two, and one that goes on with an older fit takes its. */
let id = crypto.getRandomValues(new Uint32Array(4)).join('-');
let isMine = false;
/** The files that are kept with it. */
let filesKept: unknown = null;

const fileOf = (fit: string): string => `fit-${fit}`;

/** A fit of an earlier visit that can go on; null once it does, or is not wanted. */
export const interruptedFit = signal<KeptFit | null>(null);

/** Where a fit that begins now has its checkpoints; null for what is quick, or too large to be kept. */
export function checkpointHere(resumes: boolean): CheckpointAt | null {
  const files = openedFiles.peek();
  if (!files) return null;
  const { model, data } = files;
  if (model.origin === 'example' || model.bytes.length + data.bytes.length > mostBytes) return null;
  claim();
  return { file: fileOf(id), resumes };
}

/** Says to other tabs, for as long as this one is open, that the fit is under way here. */
function claim(): void {
  if (isMine || !('locks' in navigator)) return;
  isMine = true;
  void navigator.locks.request(fileOf(id), () => new Promise(() => undefined));
}

/** From now on, fits that are not through can go on after a reload. */
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

/** Looks for what an earlier visit has left; what another tab is at is not offered. */
export async function findInterruptedFit(): Promise<void> {
  const fits = await allKept<KeptFit>('fits');
  if (fits.length === 0) return;
  const { held = [] } = 'locks' in navigator ? await navigator.locks.query() : {};
  const busy = new Set(held.map(({ name }) => name));
  const [newest, ...older] = fits.filter((fit) => !busy.has(fileOf(fit.id)));
  interruptedFit.value = newest ?? null;
  for (const fit of older) await remove(fit.id);
}

/** Opens its files again. True where the fit can go on. */
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
  interruptedFit.value = null;
  if (found) await remove(found.id);
}
