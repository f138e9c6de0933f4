import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, type Stats } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

/** Files that must not outlive the process, whatever ends it. */
const temporaries = new Set<string>();

process.on('exit', () => {
  for (const path of temporaries) rmSync(path, { force: true, recursive: true });
});

/** A file that is there while something is written, then moved to where it belongs. */
export interface TemporaryFile {
  readonly path: string;
  readonly handle: FileHandle;
}

/**
 * Opens a new file for writing, with a short name: the file it will become may have the longest one that is allowed.
 * @param replaces the file whose place it is to take, with its owner and permissions
 * @param name of its own: what a killed process has left there is written over. Default: one that no other file has.
 */
export async function createTemporary(
  folder: string,
  replaces?: Stats,
  name?: string,
): Promise<TemporaryFile> {
  const path = join(folder, name ?? `.magnitude-edge-${randomBytes(6).toString('hex')}.tmp`);
  temporaries.add(path);
  // What few may read few can read from the start.
  const handle = await open(path, name === undefined ? 'wx' : 'w', replaces ? 0o600 : 0o666);
  if (replaces) {
    // Only root may give files away; for others they are their own already, or become so.
    await handle.chown(replaces.uid, replaces.gid).catch(() => undefined);
    await handle.chmod(replaces.mode & 0o7777);
  }
  return { path, handle };
}

/** What was temporary is in its place. */
export function keepTemporary({ path }: TemporaryFile): void {
  temporaries.delete(path);
}

export async function removeTemporary({ path, handle }: TemporaryFile): Promise<void> {
  // Closing twice is no fault; a full disk may refuse the first.
  await handle.close().catch(() => undefined);
  await rm(path, { force: true });
  temporaries.delete(path);
}

/** Makes a new folder that is there while it is filled, then moved to where it belongs. */
export function createTemporaryFolder(beside: string): string {
  const path = mkdtempSync(join(beside, '.magnitude-edge-'));
  temporaries.add(path);
  return path;
}

/** What was temporary is in its place. */
export function keepTemporaryFolder(path: string): void {
  temporaries.delete(path);
}

export async function removeTemporaryFolder(path: string): Promise<void> {
  await rm(path, { force: true, recursive: true });
  temporaries.delete(path);
}

/** Makes the new name last through a power failure, where the system lets folders be opened. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder);
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file itself is on the disk.
  }
}
