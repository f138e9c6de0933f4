import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { tableFromIPC, Table, type RecordBatch } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import { PiecewiseWriter } from '../table/encode-batches.ts';
import { tableToParquet } from '../table/parquet.ts';
import { takeRows } from '../table/take-rows.ts';
import { reasonOf } from './system-errors.ts';
import {
  createTemporaryFolder,
  keepTemporaryFolder,
  removeTemporaryFolder,
  syncFolder,
} from './temporary-files.ts';

/** Bytes aimed at for the rows of a group, which are sorted by target in memory, and the approximate bytes of a row. */
const GROUP_BYTES = 1 << 26;
const ROW_BYTES = 96;
/** Most files open at a time. Above some 11,800 nodes, groups therefore exceed `GROUP_BYTES`: with 65,535, 2 GB each. */
const MOST_GROUPS = 200;

/** Checks before any work that a folder can be made. @throws MagnitudeEdgeError `invalid-argument` */
export async function checkNewFolder(path: string): Promise<void> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (exists) throw refused(path, 'it already exists, and existing folders are not overwritten');
  const parent = await stat(dirname(resolve(path))).catch(() => undefined);
  if (!parent?.isDirectory()) throw refused(path, `the folder ${dirname(path)} does not exist`);
}

/**
 * Writes an edge table as a folder of Parquet files, one per target in a folder of its name (Hive layout: DuckDB,
 * Polars and pyarrow open only the files of the requested targets). Rows of a target keep the table's order. The folder
 * appears completely or not at all: it is filled under a temporary name alongside its place, and moved by the returned
 * function.
 *
 * Rows arrive sorted by score, not by target. They are first partitioned into temporary files of neighbouring targets, at
 * most `MOST_GROUPS`. Only one of these files is in memory at a time: about `GROUP_BYTES`, or a 200th of the table if that
 * is more.
 *
 * @param batches at least one, all of one schema
 * @returns a function that moves the folder into place
 * @throws MagnitudeEdgeError `invalid-argument` if it cannot be written
 */
export async function writePartitions(
  path: string,
  batches: AsyncIterable<RecordBatch>,
): Promise<() => Promise<void>> {
  const place = resolve(path);
  const folder = createTemporaryFolder(dirname(place));
  try {
    const groups = new TargetGroups(folder);
    try {
      for await (const batch of batches) groups.add(batch);
    } finally {
      groups.close();
    }
    for (const file of groups.files) {
      await writeTargets(await readFile(file), folder);
      await rm(file);
    }
  } catch (cause) {
    await removeTemporaryFolder(folder);
    if (cause instanceof MagnitudeEdgeError) throw cause;
    throw refused(path, reasonOf(cause), cause);
  }
  return async () => {
    try {
      await rename(folder, place);
    } catch (cause) {
      await removeTemporaryFolder(folder);
      throw refused(path, reasonOf(cause), cause);
    }
    keepTemporaryFolder(folder);
    await syncFolder(dirname(place));
  };
}

/** Partitions rows into files by target as they arrive. */
class TargetGroups {
  readonly #folder: string;
  readonly #groups = new Map<
    number,
    { readonly file: string; readonly fd: number; readonly writer: PiecewiseWriter }
  >();
  #targetsPerGroup = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get files(): string[] {
    return Array.from(this.#groups.values(), ({ file }) => file);
  }

  add(batch: RecordBatch): void {
    if (this.#targetsPerGroup === 0) {
      const nodes = Number(batch.schema.metadata.get('N'));
      const groups = Math.min(MOST_GROUPS, Math.ceil((nodes ** 2 * ROW_BYTES) / GROUP_BYTES), nodes);
      this.#targetsPerGroup = Math.ceil(nodes / groups);
    }
    for (const [group, rows] of rowsBy(batch, (target) => Math.floor(target / this.#targetsPerGroup))) {
      const { fd, writer } = this.#open(group);
      writer.write(takeRows(batch, rows));
      for (const piece of writer.pieces.splice(0)) writeSync(fd, piece);
    }
  }

  close(): void {
    for (const { fd, writer } of this.#groups.values()) {
      writer.finish();
      for (const piece of writer.pieces.splice(0)) writeSync(fd, piece);
      closeSync(fd);
    }
  }

  #open(group: number) {
    const known = this.#groups.get(group);
    if (known) return known;
    const file = join(this.#folder, `.targets-${group}.arrow`);
    const opened = { file, fd: openSync(file, 'wx'), writer: new PiecewiseWriter() };
    this.#groups.set(group, opened);
    return opened;
  }
}

/** Row indices of a batch, in order, grouped by the key of their target. */
function rowsBy(batch: RecordBatch, keyOf: (target: number) => number): Map<number, Uint32Array> {
  const targets = batch.getChild('dst_idx')!.toArray() as Int32Array;
  const rows = new Map<number, number[]>();
  targets.forEach((target, row) => {
    const key = keyOf(target);
    const known = rows.get(key);
    if (known) known.push(row);
    else rows.set(key, [row]);
  });
  return new Map(Array.from(rows, ([key, list]) => [key, Uint32Array.from(list)]));
}

/** Writes one file per target of a group. */
async function writeTargets(group: Uint8Array, folder: string): Promise<void> {
  const parts = new Map<number, RecordBatch[]>();
  for (const batch of tableFromIPC(group).batches) {
    for (const [target, rows] of rowsBy(batch, (own) => own)) {
      const known = parts.get(target);
      if (known) known.push(takeRows(batch, rows));
      else parts.set(target, [takeRows(batch, rows)]);
    }
  }
  for (const own of parts.values()) {
    const name = String(own[0]!.getChild('dst_func')!.get(0));
    const target = join(folder, `dst_func=${encodeURIComponent(name)}`);
    mkdirSync(target);
    await writeFile(join(target, 'edges.parquet'), tableToParquet(new Table(own)));
  }
}

function refused(path: string, why: string, cause?: unknown): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-argument', `${path} cannot be written: ${why}.`, {
    details: { source: path },
    ...(cause === undefined ? {} : { cause }),
  });
}
