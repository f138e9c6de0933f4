import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeTable } from 'magnitude-edge';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runIn, type Run } from '../support/command.ts';
import { fixture, withProfile } from '../support/model-files.ts';

/** Names that no file system takes as they are */
const odd = ['a/b', '..', 'ü%2F', 'CON: "x"', 'tab\there'];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'partitions-'));
  const model = withProfile('layer-elu', (profile) => {
    const names = profile.nodeNames as { function: string[] };
    odd.forEach((name, k) => (names.function[k] = name));
  });
  await writeFile(join(folder, 'm.onnx'), model);
  await writeFile(join(folder, 'd.npz'), fixture('layer-elu', 'edges-data.npz'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...args: string[]): Promise<Run> => runIn(folder, ...args);

async function rowsOf(file: string): Promise<Record<string, unknown>[]> {
  const table = await decodeTable(await readFile(join(folder, file)), 'parquet', file);
  return table.toArray().map((row) => (row as { toJSON(): Record<string, unknown> }).toJSON());
}

test('a folder of files by target holds the rows of the table, in its order', async () => {
  const input = ['--model', 'm.onnx', '--data', 'd.npz', '--backend', 'cpu', '--score', 'partial'];
  const fit = await run('infer', ...input, '--out', 'whole.parquet', '--stats-out', 's.arrow');
  expect([fit.status, fit.err]).toEqual([0, expect.any(String)]);
  const whole = await rowsOf('whole.parquet');
  const args = ['--stats', 's.arrow', '--score', 'partial', '--out', 'by-target', '--partition-by', 'target'];
  const { status, out, err } = await run('evaluate', ...args, '--json');
  expect([status, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({ out: 'by-target', rows: whole.length });
  const targets = [...new Set(whole.map((row) => String(row.dst_func)))];
  const folders = await readdir(join(folder, 'by-target'));
  expect(folders.map((name) => decodeURIComponent(name.replace('dst_func=', ''))).toSorted()).toEqual(
    targets.toSorted(),
  );
  for (const target of targets) {
    const file = `by-target/dst_func=${encodeURIComponent(target)}/edges.parquet`;
    expect(await rowsOf(file)).toEqual(whole.filter((row) => row.dst_func === target));
  }
  expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  const direct = await run('infer', ...input, '--out', 'direct', '--partition-by', 'target', '--top', '40');
  expect(direct.status).toBe(0);
  expect((await readdir(join(folder, 'direct'))).length).toBe(
    new Set(whole.slice(0, 40).map((row) => row.dst_func)).size,
  );
});

test.each([
  [['--out', 'by-target'], 1, /by-target cannot be written: it already exists/],
  [['--out', 'no/such/place'], 1, /the folder no\/such does not exist/],
  [['--out', '-'], 2, /writes a folder, but --out - is standard output/],
  [['--out', 'x', '--format', 'csv'], 2, /writes Parquet files, but --format is csv/],
])('%j is refused', async (args, status, message) => {
  const found = await run('evaluate', '--stats', 's.arrow', '--partition-by', 'target', ...args);
  expect([found.status, found.err]).toEqual([status, expect.stringMatching(message)]);
});
