import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, type Stats } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that must not outlive the process, however it ends. */
const temporaries = new Set<string>();

process.on('exit', () => {
  for (const path of temporaries) rmSync(path, { force: true, recursive: true });
});

/** A file that is written under a temporary name and then moved into place. */
export interface TemporaryFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/**
 * Opens a new file for writing. Its name is short, since the final name may already have the greatest length allowed.
 * @param replaces the file to replace, whose owner and permissions it takes
 * @param name a fixed name: what a killed process left there is overwritten. Default: a name that no other file has.
 */
export async function createTemporary(
  folder: string,
  replaces?: Stats,
  name?: string,
): Promise<TemporaryFile> {
  const path = join(folder, name ?? `.magnitude-edge-${randomBytes(6).toString('hex')}.tmp`);
  temporaries.add(path);
  // A file that few may read must be protected from the start.
  const handle = await open(path, name === undefined ? 'wx' : 'w', replaces ? 0o600 : 0o666);
  if (replaces) {
    // Only root may change owners; otherwise the file has the right owner already, or gets it.
    await handle.chown(replaces.uid, replaces.gid).catch(() => undefined);
    await handle.chmod(replaces.mode & 0o7777);
  }
  return { path, handle };
}

/** Keeps a temporary file that has been moved into place. */
export function keepTemporary({ path }: TemporaryFile): void {
  temporaries.delete(path);
}

export async function removeTemporary({ path, handle }: TemporaryFile): Promise<void> {
  // Closing twice does no harm; on a full disk the first close may have failed.
  await handle.close().catch(() => undefined);
  await rm(path, { force: true });
  temporaries.delete(path);
}

/** Makes a new folder under a temporary name, to be filled and then moved into place. */
export function createTemporaryFolder(parent: string): string {
  const path = mkdtempSync(join(parent, '.magnitude-edge-'));
  temporaries.add(path);
  return path;
}

/** Keeps a temporary folder that has been moved into place. */
export function keepTemporaryFolder(path: string): void {
  temporaries.delete(path);
}

export async function removeTemporaryFolder(path: string): Promise<void> {
  await rm(path, { force: true, recursive: true });
  temporaries.delete(path);
}

/** Makes the new name survive a power failure, if the system allows folders to be opened. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder);
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file itself is on disk.
  }
}
