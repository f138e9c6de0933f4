import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ended, runIn, start, type Run } from '../support/command.ts';
import { largeModel, largeModelData } from '../support/large-model.ts';
import { randomNumbers } from '../support/random-numbers.ts';

/** KILLS=100 kills so often; KILLS_SEED repeats a run. */
const kills = Number(process.env.KILLS ?? 5);
const seed = Number(process.env.KILLS_SEED ?? Math.floor(Math.random() * 2 ** 31));

const SAMPLES = 3_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
  await writeFile(join(folder, 'm.onnx'), largeModel());
  const lines = largeModelData(SAMPLES).split('\n');
  await writeFile(join(folder, 'part-1.csv'), [...lines.slice(0, 1001), ''].join('\n'));
  await writeFile(join(folder, 'part-2.csv'), [lines[0], ...lines.slice(1001)].join('\n'));
});
afterAll(() => rm(folder, { recursive: true }));

const input = [
  'infer',
  '--model',
  'm.onnx',
  '--data',
  'part-*.csv',
  '--batch-size',
  '64',
  '--backend',
  'cpu',
];
const run = (...args: string[]): Promise<Run> => runIn(folder, ...args);

test('killed at random moments and resumed, the run loses no sample and doubles none: the same to the bit', async () => {
  const outputs = ['--out', 'whole.parquet', '--stats-out', 'whole.arrow', '--json', '--top', '1000'];
  const whole = await run(...input, ...outputs);
  expect(whole.err).toMatch(/statistics on cpu/);
  const random = randomNumbers(seed);
  const args = [...input, '--checkpoint', 'c.arrow', '--checkpoint-every', '0.1', '--resume'];
  args.push('--out', 'e.parquet', '--stats-out', 's.arrow', '--json', '--top', '1000');
  let [killed, resumed, finished] = [0, 0, 0];
  for (let runs = 0; killed < kills || finished === 0; runs++) {
    const child = start(folder, args);
    const end = ended(child);
    // Seldom while it starts; else at any moment from the first batch on.
    if (killed < kills && random() > 0.1) {
      await new Promise<void>((resolve) => {
        child.stderr.on('data', (text: string) => {
          if (text.includes('fit: batch')) resolve();
        });
        child.on('close', resolve);
      });
    }
    await Promise.race([end, setTimeout(killed < kills ? 3000 * random() : 600_000)]);
    child.kill('SIGKILL');
    const { status, out, err } = await end;
    if (err.includes('resumes from c.arrow')) resumed++;
    if (status === null) {
      killed++;
      continue;
    }
    expect([status, JSON.parse(out)], `seed ${seed}, run ${runs}: ${err}`).toMatchObject([
      0,
      { samples: SAMPLES, batches: Math.ceil(SAMPLES / 64) },
    ]);
    const read = (file: string): Promise<Buffer> => readFile(join(folder, file));
    expect((await read('s.arrow')).equals(await read('whole.arrow')), `seed ${seed}`).toBe(true);
    expect((await read('e.parquet')).equals(await read('whole.parquet')), `seed ${seed}`).toBe(true);
    // What a killed process left beside the checkpoint is gone with the next one.
    // An output that was being written has a temporary name of its own, of twelve digits, which nobody can tell from another's.
    const left = (await readdir(folder)).filter((file) => file.endsWith('.tmp'));
    expect(left.filter((file) => !/-[\da-f]{12}\.tmp$/.test(file))).toEqual([]);
    finished++;
    await rm(join(folder, 'c.arrow'));
  }
  // A kill before the first checkpoint leaves nothing to go on from; most come later.
  expect(resumed, `seed ${seed}`).toBeGreaterThan(kills / 4);
});

test('what is wrong with a checkpoint is told before the work', async () => {
  const out = ['--out', 'e.csv', '--top', '5'];
  const refused = async (...args: string[]): Promise<[number | null, string]> => {
    const { status, err } = await run(...input, ...out, ...args);
    return [status, err.trim().split('\n').at(-1)!];
  };
  expect(await refused('--resume')).toEqual([2, expect.stringMatching(/--resume needs --checkpoint/)]);
  expect(await refused('--checkpoint', 'e.csv')).toEqual([2, expect.stringMatching(/another output/)]);
  expect((await run(...input, ...out, '--checkpoint', 'k.arrow')).status).toBe(0);
  expect(await refused('--checkpoint', 'k.arrow')).toEqual([
    2,
    'magnitude-edge infer: k.arrow already exists: use --resume to resume from it, or remove it to start over; see --help',
  ]);
  expect(await refused('--checkpoint', 'k.arrow', '--resume', '--loss', 'l1')).toEqual([
    1,
    expect.stringMatching(/The checkpoint has loss mse where l1 was expected\.$/),
  ]);
  const scored = await run('evaluate', '--stats', 'k.arrow', ...out, '--json');
  expect(JSON.parse(scored.out)).toMatchObject({ samples: SAMPLES });
  await writeFile(join(folder, 'part-2.csv'), `${await readFile(join(folder, 'part-2.csv'), 'utf8')}1,2\n`);
  expect(await refused('--checkpoint', 'k.arrow', '--resume')).toEqual([
    1,
    expect.stringMatching(
      /The data have changed since .*: part-2\.csv had \d+ bytes, but part-2\.csv has \d+\.$/,
    ),
  ]);
});
