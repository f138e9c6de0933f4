import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandsOf, DocumentPage } from '../support/document-snippets.ts';
import { copyExample, firstEdges } from '../support/first-edges.ts';
import { installPacked } from '../support/packed.ts';
import { notebookOf, python } from './jupyter.ts';

/** The cell of docs/notebooks.md in Deno's kernel, which Jupyter starts, with the packed package. */

const heading = "Deno's Jupyter kernel";

/** Arquero takes any 2.x of flechette; that of this repository is known to be installable. */
const { devDependencies } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { devDependencies: Record<string, string> };
const flechette = `@uwdata/flechette@${devDependencies['@uwdata/flechette']!}`;
const versions: Readonly<Record<string, string>> = { deno: '2', arquero: '8' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'magnitude-edge-deno-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Output {
  readonly data?: Readonly<Record<string, string | string[]>>;
}

test('a cell in Deno’s kernel', async () => {
  const page = new DocumentPage('docs/notebooks.md');
  const { packages, commands } = commandsOf(page.snippet(heading, 'sh'));
  await installPacked(folder, [...packages.map((name) => `${name}@${versions[name]!}`), flechette]);
  await copyExample(folder);
  writeFileSync(join(folder, 'deno.ipynb'), notebookOf([page.snippet(heading, 'deno')], 'deno'));

  // The kernel is installed for a user, who has this folder as home.
  const env = { ...process.env, HOME: folder, DENO_DIR: join(folder, '.deno') };
  const options = { cwd: folder, env };
  await promisify(execFile)('bash', ['-euc', commands], options);
  const execute = ['-m', 'nbconvert', '--execute', '--to', 'notebook', '--output', 'run.ipynb', 'deno.ipynb'];
  await promisify(execFile)(python, execute, options);

  const { cells } = JSON.parse(readFileSync(join(folder, 'run.ipynb'), 'utf8')) as {
    cells: { outputs: Output[] }[];
  };
  const html = cells[0]!.outputs.flatMap(({ data }) => data?.['text/html'] ?? []).join('');
  const rows = [...html.matchAll(/<tr>(.*?)<\/tr>/gs)]
    .map(([, row]) => [...row!.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell]) => cell!))
    .filter((row) => row.length > 0);
  const expected = (await firstEdges()).map((row) => row.split(','));
  expect(rows.map(([source, target]) => [source, target])).toEqual(
    expected.map(([source, target]) => [source, target]),
  );
  rows.forEach(([, , score], at) => {
    // Arquero shows four digits or more.
    expect(Number(score)).toBeCloseTo(Number(expected[at]![4]), 4);
  });
});
