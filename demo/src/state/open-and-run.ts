import { result } from './edges.ts';
import { run } from './fitting.ts';
import type { NamedFile } from './inputs.ts';
import { currentInputs, openData } from './session.ts';

/**
 * Opens data, and runs at once unless results of the same model are shown: those stay until the user asks for others.
 */
export async function openDataAndRun(file: NamedFile): Promise<void> {
  if (!(await openData(file))) return;
  const shown = result.value?.provenance;
  const isOfThisModel = shown?.kind === 'fit' && shown.model.digest === currentInputs.value.model?.digest;
  if (!isOfThisModel) await run();
}
