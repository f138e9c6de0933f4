import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { openSource } from '../../../src/bytes/open-source.ts';
import { batches } from '../../../src/index.ts';
import { refusal } from '../../support/refusal.ts';

const MEBIBYTE = 2 ** 20;
const graph = {
  nodeNames: { input: ['in'], function: ['f'], output: ['out'] },
  edgeIndex: { 'input,function': [[], []], 'function,function': [[], []], 'function,output': [[], []] },
} as const;
const refused =
  /what has arrived of it so far, since it cannot be read in ranges, would take \d+ bytes of memory, but the budget is 1048576/;

const sizes = async (url: URL | string): Promise<number[]> => {
  const found: number[] = [];
  for await (const { size } of batches(url, { graph }, { memoryBudget: MEBIBYTE })) found.push(size);
  return found;
};

test('the answer of a server that tells no size is refused once more than the budget has arrived', async () => {
  let sent = 0;
  const server = createServer((_, response) => {
    const send = (): void => {
      while (response.write('1,2\n'.repeat(4096))) sent += 4 * 4096;
      response.once('drain', send);
    };
    send();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const error = await refusal(sizes(`http://127.0.0.1:${(server.address() as AddressInfo).port}/d.csv`));
    expect([error.code, error.message]).toEqual(['out-of-memory', expect.stringMatching(refused)]);
    // The rest is what sockets buffer.
    expect(sent).toBeLessThan(64 * MEBIBYTE);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a pipe is read once, and refused once more than the budget has arrived', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'open-source-'));
  try {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const url = pathToFileURL(path);
    const text = `in,out\n${'1,2\n'.repeat(100)}`;
    const [found] = await Promise.all([sizes(url), writeFile(path, text)]);
    expect(found).toEqual([100]);
    // The writer gets an error when its reader closes the pipe.
    const written = writeFile(path, '1,2\n'.repeat(MEBIBYTE)).catch(() => undefined);
    const error = await refusal(sizes(url));
    expect([error.code, error.message]).toEqual(['out-of-memory', expect.stringMatching(refused)]);
    await written;
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the size that a server announces is checked before anything is read', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': 3 });
    response.end('abc');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const told: unknown[] = [];
    const { source, whole } = await openSource(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/d`,
      {
        fallbackName: 'the data',
        code: 'invalid-data',
        onWhole: (bytes, _, isWholeSize) => told.push([bytes, isWholeSize]),
      },
    );
    expect([source.size, whole, told]).toEqual([3, true, [[3, true]]]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
