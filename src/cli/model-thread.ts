import { statSync } from 'node:fs';
import { availableThreads } from '../available-threads.ts';
import { runModelsOnOwnThread } from '../model/runtime-thread.ts';

/** Bytes of a model file; 24 nodes take a twentieth of this, 600 nodes four times as much. */
const SMALL_MODEL = 1 << 18;

/** Runs models on a thread of their own if more than one thread is available. */
export function startModelThread(): void {
  if (availableThreads() > 1) runModelsOnOwnThread(import.meta.resolve('onnxruntime-web'));
}

/** The same, unless the model file is small: starting a thread would take longer than it saves. */
export function startThreadForLargeModel(path: string): void {
  // A missing file is reported where it is read.
  const { size = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (size > SMALL_MODEL) startModelThread();
}
