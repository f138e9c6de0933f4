import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expandPatterns, toUrl } from '../../../src/cli/data-paths.ts';
import { refusal } from '../../support/refusal.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-paths-'));
  await mkdir(join(folder, 'a/b'), { recursive: true });
  await mkdir(join(folder, 'part-9.npz'));
  const files = ['part-10.npz', 'part-2.npz', 'part-x.csv', '.part-3.npz', 'odd[1].npz', 'a/part-1.npz'];
  for (const file of [...files, 'a/b/part-0.npz']) await writeFile(join(folder, file), '');
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ['part-*.npz', ['part-10.npz', 'part-2.npz']],
  ['part-?.*', ['part-2.npz', 'part-x.csv']],
  ['part-[0-9].npz', ['part-2.npz']],
  ['part-[!0-9].*', ['part-x.csv']],
  ['*/part*', ['a/part-1.npz']],
  ['**/part-[01].npz', ['a/b/part-0.npz', 'a/part-1.npz']],
  ['.part*', ['.part-3.npz']],
  // A file of that name is no pattern.
  ['odd[1].npz', ['odd[1].npz']],
  ['part-2.npz', ['part-2.npz']],
])('%s', async (pattern, expected) => {
  const found = await expandPatterns([join(folder, pattern)]);
  expect(found).toEqual(expected.map((file) => join(folder, file)));
});

test('files stay in the order in which they were given, and an address is no pattern', async () => {
  const address = 'https://host.test/part-*.npz?a=[1]';
  const paths = [join(folder, 'part-x.csv'), address, join(folder, 'part-1*')];
  expect(await expandPatterns(paths)).toEqual([paths[0], address, join(folder, 'part-10.npz')]);
  expect(toUrl(address).href).toBe('https://host.test/part-*.npz?a=[1]');
  expect(toUrl('/a b.npz').href).toBe('file:///a%20b.npz');
});

test('a pattern that no file matches is refused', async () => {
  const error = await refusal(expandPatterns([join(folder, 'none-*.npz')]));
  expect([error.code, error.message]).toEqual(['invalid-data', `No file matches '${folder}/none-*.npz'.`]);
});
