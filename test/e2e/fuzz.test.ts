import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { trials } from '../support/trials.ts';

const fuzz = fileURLToPath(new URL('../harness/fuzz.mjs', import.meta.url));

test('damaged files of every format are read or refused, within a second, never as something else', async () => {
  const files = trials(720);
  const { stdout } = await promisify(execFile)(process.execPath, [fuzz, '--files', String(files)]).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout.split('\n').filter((line) => line.startsWith('FAULT'))).toEqual([]);
  expect(stdout).toContain(`${files} files, seed 1: 0 faults`);
});
