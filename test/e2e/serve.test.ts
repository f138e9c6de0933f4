import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeFrame } from '../../src/cli/serve/frames.ts';
import { parsedFrames } from '../support/parsed-frames.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

const calls = Buffer.concat([
  ...encodeFrame({ header: { id: 1, call: 'nothing', args: {} }, parts: [new Uint8Array(300_000)] }),
  ...encodeFrame({ header: { id: 2, call: 'diagnostics', args: {} }, parts: [] }),
]);

/** @param input its standard input: 'pipe', or a file's descriptor */
async function serve(input: 'pipe' | number, talk: (process: ReturnType<typeof spawn>) => void) {
  const served = spawn(process.execPath, [cli, 'serve'], { stdio: [input, 'pipe', 'pipe'] });
  const pieces: Buffer[] = [];
  served.stdout!.on('data', (piece: Buffer) => {
    if (pieces.length === 0) talk(served);
    pieces.push(piece);
  });
  const [status] = (await once(served, 'close')) as [number | null];
  return { status, frames: parsedFrames(Buffer.concat(pieces)) };
}

const answers = [
  { ready: expect.any(String) as string, parts: [] },
  { id: 1, error: expect.objectContaining({ code: 'invalid-argument' }) as object, parts: [] },
  { id: 2, error: expect.objectContaining({ code: 'invalid-argument' }) as object, parts: [] },
];

test('calls that come through a pipe are answered in their order, until it ends', async () => {
  const { status, frames } = await serve('pipe', ({ stdin }) => stdin!.end(calls));
  expect(status).toBe(0);
  expect(frames.map(({ header }) => header)).toEqual(answers);
});

test('calls that lie in a file are answered as well', async () => {
  const file = join(folder, 'calls');
  await writeFile(file, calls);
  const { status, frames } = await serve(openSync(file, 'r'), () => undefined);
  expect(status).toBe(0);
  expect(frames.map(({ header }) => header)).toEqual(answers);
});

test('a signal ends the process while it waits for a call', async () => {
  const { status } = await serve('pipe', (served) => served.kill('SIGTERM'));
  expect(status).toBe(143);
});
