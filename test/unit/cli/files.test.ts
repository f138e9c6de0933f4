import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeOutputs } from '../../../src/cli/files.ts';
import { placeOutputs } from '../../../src/cli/output-place.ts';
import { MagnitudeEdgeError } from '../../../src/index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

const placeOf = async (name: string) => (await placeOutputs([], [join(folder, name)]))[0]!;

async function* pieces(failure?: Error): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Uint8Array.of(1, 2));
  if (failure !== undefined) throw failure;
  yield Uint8Array.of(3);
}

test('bytes that come in pieces end up in one file', async () => {
  await writeOutputs([{ place: await placeOf('out.csv'), bytes: pieces() }]);
  expect([...(await readFile(join(folder, 'out.csv')))]).toEqual([1, 2, 3]);
  expect(await readdir(folder)).toEqual(['out.csv']);
});

test('what goes wrong half way leaves the folder as it was, and is told as it is', async () => {
  await writeOutputs([{ place: await placeOf('out.csv'), bytes: Uint8Array.of(9) }]);
  const refused = new MagnitudeEdgeError('too-few-samples', 'Not enough.');
  for (const failure of [refused, new Error('a bug')]) {
    const written = writeOutputs([
      { place: await placeOf('other.arrow'), bytes: Uint8Array.of(1) },
      { place: await placeOf('out.csv'), bytes: pieces(failure) },
    ]);
    await expect(written).rejects.toThrow(
      failure === refused ? refused : /out\.csv could not be written: a bug/,
    );
    expect(await readdir(folder)).toEqual(['out.csv']);
    expect([...(await readFile(join(folder, 'out.csv')))]).toEqual([9]);
  }
});
