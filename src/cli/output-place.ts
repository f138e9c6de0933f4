import { constants, type Stats } from 'node:fs';
import { access, lstat, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { MagnitudeEdgeError } from '../errors.ts';
import { UsageError } from './arguments.ts';
import { missing, reasonOf } from './system-errors.ts';

/** The value of `--out` that means standard output. */
export const STANDARD_OUTPUT = '-';

/** Where an output goes once links have been followed. */
export interface OutputPlace {
  /** As it was given */
  readonly path: string;
  /** The file itself, with all links followed; it may not exist yet */
  readonly file: string;
  /** Whether bytes are written directly: to a device, a pipe or standard output, where no file can be moved. */
  readonly direct: boolean;
  /** The existing file */
  readonly replaces: Stats | undefined;
  /** Equal for two paths that lead to one file, as far as this can be told before the file exists */
  readonly identity: string | undefined;
}

/**
 * Resolves where outputs go, before any work: none may be an input or another output, not even through links.
 * @param inputs paths that the command reads
 * @param outputs paths that it will write; undefined if there is none
 * @throws UsageError for an output that is an input or another output, MagnitudeEdgeError `invalid-argument` for one
 * that cannot be written
 */
export async function placeOutputs(
  inputs: readonly string[],
  outputs: readonly (string | undefined)[],
): Promise<OutputPlace[]> {
  const taken = new Map<string, string>();
  for (const path of inputs) {
    const identity = await fileIdentity(path);
    if (identity !== undefined) taken.set(identity, `${path}, which is an input`);
  }
  const places: OutputPlace[] = [];
  for (const path of outputs) {
    if (path === undefined) continue;
    const place = await placeOf(path);
    places.push(place);
    if (place.identity === undefined) continue;
    const other = taken.get(place.identity);
    if (other !== undefined) throw new UsageError(`${path} would overwrite ${other}`);
    taken.set(place.identity, `${path}, another output`);
  }
  return places;
}

/** Equal for paths to one file; undefined if there is none, or if it is a device such as a terminal. */
export async function fileIdentity(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || found.isCharacterDevice() ? undefined : `${found.dev}:${found.ino}`;
}

async function placeOf(given: string): Promise<OutputPlace> {
  // Opening the device again would truncate a file that standard output goes to.
  const path = given === '/dev/stdout' ? STANDARD_OUTPUT : given;
  if (path === STANDARD_OUTPUT)
    return { path, file: path, direct: true, replaces: undefined, identity: STANDARD_OUTPUT };
  const refuse = (why: string, cause?: unknown): never => {
    throw new MagnitudeEdgeError('invalid-argument', `${path} cannot be written: ${why}.`, {
      details: { source: path },
      cause,
    });
  };
  const present = await stat(path).catch((cause: unknown) =>
    reasonOf(cause) === missing ? undefined : refuse(reasonOf(cause), cause),
  );
  if (present?.isDirectory()) refuse('it is a folder');
  if (present !== undefined) {
    await access(path, constants.W_OK).catch((cause: unknown) => refuse(reasonOf(cause), cause));
  }
  const identity = await fileIdentity(path);
  if (present !== undefined && !present.isFile())
    return { path, file: path, direct: true, replaces: present, identity };
  const file = await fileBehindLinks(path).catch((cause: unknown) => refuse(reasonOf(cause), cause));
  const folder = dirname(file);
  await access(folder, constants.W_OK).catch((cause: unknown) =>
    refuse(
      `the folder ${dirname(path)} ${reasonOf(cause) === missing ? 'does not exist' : 'is not writable'}`,
      cause,
    ),
  );
  return {
    path,
    file,
    direct: false,
    replaces: present,
    // File systems may ignore differences in case or normalization.
    identity: identity ?? file.normalize('NFC').toLowerCase(),
  };
}

/** Longest chain of links; systems allow 40. */
const MOST_LINKS = 40;

/** The path of a file, which need not exist yet, with all links followed, dangling ones included. */
async function fileBehindLinks(path: string): Promise<string> {
  let at = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links++) {
    at = resolve(await realpath(dirname(at)).catch(() => dirname(at)), basename(at));
    const found = await lstat(at).catch(() => undefined);
    if (!found?.isSymbolicLink()) return at;
    at = resolve(dirname(at), await readlink(at));
  }
  throw new Error('its links form a loop');
}
