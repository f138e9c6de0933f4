import { MagnitudeEdgeError } from '../errors.ts';
import type { CheckpointSink } from './inferer-options.ts';

/**
 * A checkpoint in the Origin Private File System of a page or its workers: it survives a reload, and only pages of the
 * same origin can read it. A write replaces the old contents only once it is complete.
 *
 * @param name of the file
 */
export function originPrivateCheckpoint(name: string): CheckpointSink & { remove(): Promise<void> } {
  const folder = (): Promise<FileSystemDirectoryHandle> => {
    const storage = (globalThis.navigator as Navigator | undefined)?.storage;
    if (storage && 'getDirectory' in storage) return storage.getDirectory();
    throw new MagnitudeEdgeError(
      'invalid-argument',
      'There is no Origin Private File System here: only browser pages served over https or from localhost have one.',
    );
  };
  return {
    async read() {
      try {
        const file = await (await (await folder()).getFileHandle(name)).getFile();
        return new Uint8Array(await file.arrayBuffer());
      } catch (error) {
        if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
        throw error;
      }
    },
    async write(bytes) {
      const handle = await (await folder()).getFileHandle(name, { create: true });
      // The file keeps its old contents until the stream is closed.
      const stream = await handle.createWritable();
      try {
        await stream.write(bytes as Uint8Array<ArrayBuffer>);
        await stream.close();
      } catch (error) {
        await stream.abort().catch(() => undefined);
        throw error;
      }
    },
    async remove() {
      await (await folder()).removeEntry(name).catch((error: unknown) => {
        if (!(error instanceof DOMException && error.name === 'NotFoundError')) throw error;
      });
    },
  };
}
