import { result } from './edges.ts';
import { run } from './fitting.ts';
import type { NamedFile } from './inputs.ts';
import { currentInputs, openData } from './session.ts';

/**
 * Opens data and runs, where the results on show are of another model or there are none: nobody waits to be told. Results of
 * the same model stay until somebody asks for others.
 */
export async function openDataAndRun(file: NamedFile): Promise<void> {
  if (!(await openData(file))) return;
  const shown = result.value?.provenance;
  const isOfThisModel = shown?.kind === 'fit' && shown.model.digest === currentInputs.value.model?.digest;
  if (!isOfThisModel) await run();
}
