import { signal } from '@preact/signals';
import { refuse } from './alerts.ts';
import { isBundle, openBundle } from './bundle.ts';
import { fromFile, modelFromFiles, type NamedFile } from './inputs.ts';
import { openDataAndRun } from './open-and-run.ts';
import { setPositives } from './positives.ts';
import { openModel, openTable } from './session.ts';
import { isEdgeTable } from './sniff.ts';

export const isDropping = signal(false);

/** Handlers for the element that accepts dropped files. */
export const dropTarget = {
  onDragOver: (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    isDropping.value = true;
  },
  onDragLeave: (event: DragEvent) => {
    if (event.relatedTarget === null) isDropping.value = false;
  },
  onDrop: (event: DragEvent) => {
    event.preventDefault();
    isDropping.value = false;
    void takeFiles([...(event.dataTransfer?.files ?? [])]);
  },
};

/** Opens files of any kind, told apart by name and content; the model first, because data is read against it. */
export async function takeFiles(dropped: readonly File[]): Promise<void> {
  try {
    // External data of a model (m.onnx.data) belongs to it, whatever else is dropped.
    const ofModel = dropped.filter((file) => /\.(onnx|data)$/i.test(file.name));
    if (ofModel.some((file) => /\.onnx$/i.test(file.name))) await openModel(await modelFromFiles(ofModel));
    const files = await Promise.all(dropped.filter((file) => !ofModel.includes(file)).map(fromFile));
    const kinds = files.map((file) => ({ file, kind: kindOf(file) }));
    const take = async (kind: Kind, open: (file: NamedFile) => unknown) => {
      for (const entry of kinds) if (entry.kind === kind) await open(entry.file);
    };
    await take('bundle', openBundle);
    await take('positives', setPositives);
    await take('table', openTable);
    await take('data', openDataAndRun);
  } catch (error) {
    refuse(error);
  }
}

type Kind = 'data' | 'table' | 'positives' | 'bundle';

function kindOf(file: NamedFile): Kind {
  if (isBundle(file)) return 'bundle';
  if (isEdgeTable(file.bytes)) return 'table';
  if (/\.(csv|tsv|txt)$/i.test(file.name) && headerOf(file).length <= 3) return 'positives';
  return 'data';
}

const headerOf = (file: NamedFile) =>
  (new TextDecoder().decode(file.bytes.subarray(0, 4096)).split(/\r?\n/, 1)[0] ?? '').split(/[,\t]/);
