import { rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { xxhash32Text } from '../bytes/xxhash32.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { CheckpointSink } from '../inferer/inferer-options.ts';
import { UsageError, type Arguments } from './arguments.ts';
import { readInput } from './files.ts';
import type { OutputPlace } from './output-place.ts';
import { reasonOf } from './system-errors.ts';
import { createTemporary, keepTemporary, removeTemporary, syncFolder } from './temporary-files.ts';

export const checkpointHelp = `  --checkpoint S.arrow                 saves the statistics so far to this file, during the run and at its end
  --checkpoint-every SECONDS           time between checkpoints                       (60)
  --resume                             resumes from the checkpoint if there is one, to identical bits; the model,
                                       data, settings and version must be the same`;

export const checkpointOptions = {
  checkpoint: { type: 'string' },
  'checkpoint-every': { type: 'string' },
  resume: { type: 'boolean' },
} as const;

/** Checkpoint options of a command. */
export interface CheckpointSettings {
  readonly path: string;
  readonly seconds: number;
  readonly resume: boolean;
}

/** @throws UsageError for checkpoint options without `--checkpoint` */
export function readCheckpointSettings(given: Arguments): CheckpointSettings | undefined {
  const path = given.text('checkpoint');
  const seconds = given.number('checkpoint-every', { least: 0 });
  const resume = given.flag('resume');
  if (path !== undefined) return { path, seconds: seconds ?? 60, resume };
  if (resume) throw new UsageError('--resume needs --checkpoint');
  if (seconds !== undefined) throw new UsageError('--checkpoint-every needs --checkpoint');
  return undefined;
}

/**
 * The file of the last checkpoint, complete at any time: the next checkpoint is written to a temporary file alongside,
 * synced to disk and renamed into place. A killed process may leave its temporary file behind; the next write
 * overwrites it.
 *
 * @throws UsageError if a checkpoint exists and `resume` is not set, MagnitudeEdgeError `invalid-argument` if nothing
 * can be moved to the place
 */
export function checkpointFile(place: OutputPlace, resume: boolean): CheckpointSink {
  const { file, path } = place;
  if (place.direct) {
    throw new MagnitudeEdgeError('invalid-argument', `${path} cannot hold a checkpoint: it is not a file.`, {
      details: { source: path },
    });
  }
  if (place.replaces !== undefined && !resume) {
    throw new UsageError(
      `${path} already exists: use --resume to resume from it, or remove it to start over`,
    );
  }
  const folder = dirname(file);
  const temporaryName = `.magnitude-edge-${xxhash32Text(basename(file))}.tmp`;
  return {
    async read() {
      const existing = await stat(file).catch(() => undefined);
      return existing === undefined ? undefined : readInput(file);
    },
    async write(bytes) {
      const before = await stat(file).catch(() => undefined);
      try {
        const temporary = await createTemporary(folder, before, temporaryName);
        try {
          await writeFile(temporary.handle, bytes);
          await temporary.handle.sync();
          await temporary.handle.close();
          await rename(temporary.path, file);
          keepTemporary(temporary);
        } catch (cause) {
          await removeTemporary(temporary);
          throw cause;
        }
      } catch (cause) {
        const why = reasonOf(cause);
        throw new MagnitudeEdgeError('invalid-argument', `${path} could not be written: ${why}.`, {
          details: { source: path },
          cause,
        });
      }
      await syncFolder(folder);
    },
  };
}
