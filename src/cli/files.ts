import { constants, openSync } from 'node:fs';
import { access, open, rename, writeFile, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { RecordBatch } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import { tableFormat, type TableFormat } from '../table/formats.ts';
import { UsageError } from './arguments.ts';
import { isAddress } from './data-paths.ts';
import { fileIdentity, STANDARD_OUTPUT, type OutputPlace } from './output-place.ts';
import { ClosedOutput, writeToStandardOutput } from './standard-output.ts';
import { codeOf, reasonOf } from './system-errors.ts';
import type { Terminal } from './terminal.ts';
import {
  createTemporary,
  keepTemporary,
  removeTemporary,
  syncFolder,
  type TemporaryFile,
} from './temporary-files.ts';

/** Bytes read at a time; the system reads at most 2 GiB per call. */
const PIECE_BYTES = 1 << 28;

/** Reads a file, or a pipe to its end. @throws MagnitudeEdgeError `invalid-data` naming the path */
export async function readInput(path: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    return size > 0 ? await readSized(handle, size) : await readToEnd(handle);
  } catch (cause) {
    throw new MagnitudeEdgeError('invalid-data', `${path} could not be read: ${reasonOf(cause)}.`, {
      details: { source: path },
      cause,
    });
  } finally {
    await handle?.close();
  }
}

/**
 * Checks before any work that inputs can be read and that none is given twice, not even through links.
 * @param twice what is wrong with giving one twice, for the error message
 * @throws MagnitudeEdgeError `invalid-data`, UsageError
 */
export async function checkInputs(paths: readonly string[], twice: string): Promise<void> {
  const seen = new Set<string>();
  for (const path of paths) {
    if (isAddress(path)) {
      if (seen.has(path)) throw new UsageError(`${path} was given twice; ${twice}`);
      seen.add(path);
      continue;
    }
    await access(path, constants.R_OK).catch((cause: unknown) => {
      throw new MagnitudeEdgeError('invalid-data', `${path} could not be read: ${reasonOf(cause)}.`, {
        details: { source: path },
        cause,
      });
    });
    const identity = await fileIdentity(path);
    if (identity === undefined) continue;
    if (seen.has(identity)) throw new UsageError(`${path} was given twice; ${twice}`);
    seen.add(identity);
  }
}

async function readSized(handle: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(PIECE_BYTES, size - at), at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/** For pipes, and for files that report no size. */
async function readToEnd(handle: FileHandle): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of handle.createReadStream({ autoClose: false })) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

/**
 * The format of an output: the value of `--format`, else by the path's extension.
 * @throws UsageError if neither determines it
 */
export function outputFormat(path: string, said?: TableFormat): TableFormat {
  if (said !== undefined) return said;
  if (path === STANDARD_OUTPUT) throw new UsageError('--out - needs --format arrow, csv, tsv or parquet');
  if (/\.gz$/i.test(path))
    throw new UsageError(`${path} ends in .gz, but compressed text can only be read, not written`);
  return inputFormat(path);
}

/** The format of a path by its extension. @throws UsageError for any other extension */
export function inputFormat(path: string): TableFormat {
  try {
    return tableFormat(path);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.replace(/\.$/, '') : String(error));
  }
}

/** One file that a command writes. */
export interface OutputFile {
  readonly place: OutputPlace;
  /** All at once, or as they are produced */
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
}

/** A folder of files by target that a command writes. */
export interface OutputFolder {
  readonly folder: string;
  readonly batches: AsyncIterable<RecordBatch>;
}

/**
 * Writes files so that each appears completely or not at all: to a temporary file alongside, synced to disk, then moved
 * into place with the permissions of the file that it replaces. None is moved before all are written. Devices, pipes
 * and standard output receive their bytes as they are produced, after the files are written.
 *
 * @throws MagnitudeEdgeError `invalid-argument` if they cannot be written; ClosedOutput; any error of the source of the
 * bytes
 */
export async function writeOutputs(outputs: readonly (OutputFile | OutputFolder)[]): Promise<void> {
  const moves: (() => Promise<void>)[] = [];
  const written: { readonly temporary: TemporaryFile; readonly place: OutputPlace }[] = [];
  let current = '';
  try {
    for (const output of outputs) {
      if ('folder' in output) {
        // Only commands that write a folder need Arrow here.
        const { writePartitions } = await import('./partitions.ts');
        moves.push(await writePartitions(output.folder, output.batches));
        continue;
      }
      const { place, bytes } = output;
      current = place.path;
      if (place.direct) {
        await writeDirectly(place, bytes);
        continue;
      }
      const temporary = await createTemporary(dirname(place.file), place.replaces);
      written.push({ temporary, place });
      await writeFile(temporary.handle, bytes);
      await temporary.handle.sync();
      await temporary.handle.close();
    }
    for (const { temporary, place } of written) {
      current = place.path;
      await rename(temporary.path, place.file);
      keepTemporary(temporary);
    }
    for (const move of moves) await move();
  } catch (cause) {
    await Promise.all(written.map(({ temporary }) => removeTemporary(temporary)));
    if (cause instanceof MagnitudeEdgeError || cause instanceof ClosedOutput) throw cause;
    const name = current === STANDARD_OUTPUT ? 'standard output' : current;
    throw new MagnitudeEdgeError('invalid-argument', `${name} could not be written: ${reasonOf(cause)}.`, {
      details: { source: current },
      cause,
    });
  }
  for (const folder of new Set(written.map(({ place }) => dirname(place.file)))) await syncFolder(folder);
}

async function writeDirectly({ path, replaces }: OutputPlace, bytes: OutputFile['bytes']): Promise<void> {
  if (path === STANDARD_OUTPUT) {
    await writeToStandardOutput(bytes instanceof Uint8Array ? [bytes] : bytes);
    return;
  }
  if (replaces?.isFIFO()) {
    await pipeline(bytes instanceof Uint8Array ? [bytes] : bytes, await openPipe(path));
    return;
  }
  const handle = await open(path, 'w');
  try {
    await writeFile(handle, bytes);
  } finally {
    await handle.close();
  }
}

/** Milliseconds between two checks whether a pipe has a reader */
const PIPE_INTERVAL = 50;

/**
 * Opens a named pipe once it has a reader. Neither the wait nor a slow reader blocks a thread, which would keep signals
 * from ending the process.
 */
async function openPipe(path: string): Promise<Socket> {
  for (;;) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      return new Socket({ fd, readable: false, writable: true });
    } catch (cause) {
      if (codeOf(cause) !== 'ENXIO') throw cause;
      await setTimeout(PIPE_INTERVAL);
    }
  }
}

/** The stream for the summary: standard error if the table goes to standard output. */
export function summaryStream({ out, err }: Terminal, place: OutputPlace | undefined): NodeJS.WritableStream {
  return place?.path === STANDARD_OUTPUT ? err : out;
}
