import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { largeModel, largeModelData } from '../support/large-model.ts';

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const cores = availableParallelism();
/** The runtime leaves a core to the statistics. */
const threads = Math.max(1, Math.min(4, cores - 1));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-threads-'));
  await writeFile(join(folder, 'm.onnx'), largeModel());
  await writeFile(join(folder, 'd.csv'), largeModelData(40));
  // Stands for whatever may keep a machine from starting the engine's workers; the runtime's start from files.
  await writeFile(
    join(folder, 'no-workers.cjs'),
    `const threads = require('node:worker_threads');
    threads.Worker = class extends threads.Worker {
      constructor(script, options) {
        if (options?.eval) throw new Error('none today');
        super(script, options);
      }
    };
    require('node:module').syncBuiltinESMExports();`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

async function infer(options: readonly string[], node: readonly string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...node, command, 'infer', '--model', 'm.onnx', '--data', 'd.csv', '--backend', 'cpu', ...options],
    { cwd: folder },
  );
  return stdout;
}

const json = (text: string): unknown => JSON.parse(text);

test('the command uses all cores for a model of real size: the runtime up to four and all but one, the statistics one per layer pair', async () => {
  expect(json(await infer(['--out', 'e.csv', '--json']))).toMatchObject({
    samples: 40,
    threads,
    // Four layer pairs, dealt out evenly.
    workers: Math.ceil(4 / Math.ceil(4 / cores)),
    warnings: [],
  });
  expect(await infer(['--out', 'e.csv'])).toMatch(/^ran on .*cpu \(asked for\), \d workers?; model on wasm/m);
});

test('a fallback to one thread is a warning of the summary, for people and programs, and changes no number', async () => {
  const without = ['--require', './no-workers.cjs'];
  const why = 'Workers cannot be used here, so one thread does the work of';
  await infer(['--out', 'workers.csv']);
  expect(json(await infer(['--out', 'alone.csv', '--json'], without))).toMatchObject({
    threads,
    workers: 0,
    warnings: [expect.stringMatching(`^${why} ${cores}: none today`)],
  });
  expect(await infer(['--out', 'alone.csv'], without)).toMatch(new RegExp(`^warning  ${why}`, 'm'));
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  expect(await read('alone.csv')).toBe(await read('workers.csv'));
});
