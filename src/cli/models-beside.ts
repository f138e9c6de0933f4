import { statSync } from 'node:fs';
import { availableThreads } from '../available-threads.ts';
import { runModelsBeside } from '../model/runtime-thread.ts';

/** Bytes of a model's file: 24 nodes have a twentieth of them, 600 nodes four times as many. */
const SMALL_MODEL = 1 << 18;

/** Has models run beside this thread, where there may be more than one. */
export function startModelsBeside(): void {
  if (availableThreads() > 1) runModelsBeside(import.meta.resolve('onnxruntime-web'));
}

/** The same, unless the model's file is small: the start of a thread takes longer then than it saves. */
export function startLargeModelBeside(path: string): void {
  // A file that is not there is refused where it is read.
  const { size = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (size > SMALL_MODEL) startModelsBeside();
}
