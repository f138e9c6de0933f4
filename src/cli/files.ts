import { randomUUID } from 'node:crypto';
import { access, constants, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MagnitudeEdgeError } from '../errors.ts';
import { tableFormat, type TableFormat } from '../table/formats.ts';
import { UsageError } from './arguments.ts';

/** @throws MagnitudeEdgeError `invalid-data` naming the path */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new MagnitudeEdgeError('invalid-data', `${path} could not be read: ${reasonOf(cause)}.`, {
      details: { source: path },
      cause,
    });
  }
}

/** The format that an output's extension asks for. @throws UsageError for another extension */
export function outputFormat(path: string): TableFormat {
  try {
    return tableFormat(path);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.replace(/\.$/, '') : String(error));
  }
}

/**
 * Checks before the work that there is a folder to write the result to.
 * @throws MagnitudeEdgeError `invalid-argument`
 */
export async function checkWritable(path: string): Promise<void> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new MagnitudeEdgeError('invalid-argument', `${path} cannot be written: ${why}.`, {
      details: { source: path },
      cause,
    });
  };
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK);
  } catch (cause) {
    refuse(`the folder ${folder} ${reasonOf(cause) === missing ? 'is not there' : 'is not writable'}`, cause);
  }
  const present = await stat(path).catch(() => undefined);
  if (present?.isDirectory()) refuse('it is a folder');
}

/** One file that a command is to leave behind. */
export interface OutputFile {
  readonly path: string;
  /** All at once, or as they come */
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
}

/**
 * Writes files so that each is there whole or not at all: beside its place first, then moved there. None is moved
 * before all are written.
 *
 * @throws MagnitudeEdgeError `invalid-argument` where they cannot be written; what goes wrong with bytes that come
 */
export async function writeOutputs(files: readonly OutputFile[]): Promise<void> {
  const written: { readonly temporary: string; readonly path: string }[] = [];
  try {
    for (const { path, bytes } of files) {
      const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
      written.push({ temporary, path });
      await writeFile(temporary, bytes);
    }
    for (const { temporary, path } of written) await rename(temporary, path);
  } catch (cause) {
    await Promise.all(written.map(({ temporary }) => rm(temporary, { force: true })));
    if (cause instanceof MagnitudeEdgeError) throw cause;
    const paths = files.map(({ path }) => path).join(', ');
    throw new MagnitudeEdgeError('invalid-argument', `${paths} could not be written: ${reasonOf(cause)}.`, {
      cause,
    });
  }
}

const missing = 'there is no such file';

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return missing;
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission was denied';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
