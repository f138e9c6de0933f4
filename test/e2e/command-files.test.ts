import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ended, runIn, shellIn, start, type Run } from '../support/command.ts';
import { fixture } from '../support/model-files.ts';

const inputs = ['m.onnx', 'd.npz'];
const infer = ['infer', '--model', 'm.onnx', '--data', 'd.npz', '--backend', 'cpu'];
let folder: string;
/** The table that `infer` writes */
let table: Buffer;

const at = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(at(name), 'utf8');
const run = (...args: string[]): Promise<Run> => runIn(folder, ...args);
/** What is there beside the inputs, hidden files too. */
const files = (): string[] => readdirSync(folder).filter((name) => !inputs.includes(name));
const lines = (run: Run): string[] => run.err.trimEnd().split('\n');
/** What a run says last, and that it says no more: no stack trace follows. */
const lastLine = (run: Run): string => lines(run).at(-1)!;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-files-'));
  writeFileSync(at('m.onnx'), fixture('layer-elu'));
  writeFileSync(at('d.npz'), fixture('layer-elu', 'edges-data.npz'));
  await run(...infer, '--out', 'e.csv');
  table = readFileSync(at('e.csv'));
});
beforeEach(() => {
  for (const name of files()) rmSync(at(name), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

describe('an output that is an input or another output is refused before any work', () => {
  test.each<[string, string[], RegExp]>([
    ['the same file', [...infer, '--out', 'x.arrow', '--stats-out', './x.arrow'], /another output/],
    ['the data', [...infer, '--out', 'd.npz', '--format', 'csv'], /d\.npz, which is an input/],
    ['the model', [...infer, '--out', 'a.csv', '--stats-out', 'm.onnx'], /m\.onnx, which is an input/],
    ['the data through a link', [...infer, '--out', 'link.csv'], /d\.npz, which is an input/],
    ['the data through a folder', [...infer, '--out', 'here/d.npz', '--format', 'csv'], /which is an input/],
    [
      'one new file, one of them by a dangling link',
      [...infer, '--out', 'dangling.csv', '--stats-out', 'new.csv'],
      /another output/,
    ],
    [
      'one new file in a linked folder',
      [...infer, '--out', 'here/a.csv', '--stats-out', 'a.csv'],
      /another output/,
    ],
    ['one name in two cases', [...infer, '--out', 'A.csv', '--stats-out', 'a.csv'], /another output/],
    [
      'standard output twice',
      [...infer, '--out', '-', '--format', 'csv', '--stats-out', '/dev/stdout'],
      /another output/,
    ],
    ['the model of train-graph', ['train-graph', 'm.onnx', '--out', 'm.onnx'], /which is an input/],
    ['a file that is merged', ['merge', 'm.onnx', 'd.npz', '--out', 'd.npz'], /which is an input/],
    [
      'the table that is ranked',
      ['rank', '--edges', 't.csv', '--positives', 'd.npz', '--out', 't.csv'],
      /which is an input/,
    ],
  ])('%s', async (_, args, sentence) => {
    symlinkSync('d.npz', at('link.csv'));
    symlinkSync('new.csv', at('dangling.csv'));
    symlinkSync('.', at('here'));
    writeFileSync(at('t.csv'), table);
    const before = files();
    const { status, out, err } = await run(...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).toMatch(sentence);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(files()).toEqual(before);
    expect(readFileSync(at('m.onnx'))).toEqual(Buffer.from(fixture('layer-elu')));
  });

  test('a file given twice, through a link', async () => {
    symlinkSync('d.npz', at('link.npz'));
    const { status, err } = await run(
      'infer',
      '--model',
      'm.onnx',
      '--data',
      'd.npz',
      'link.npz',
      '--out',
      'a.csv',
    );
    expect([status, err]).toEqual([2, expect.stringContaining('link.npz was given twice')]);
  });
});

test('links are written through, dangling ones too, and modes kept', async () => {
  mkdirSync(at('far'));
  writeFileSync(at('far/real.csv'), 'old', { mode: 0o600 });
  chmodSync(at('far/real.csv'), 0o640);
  symlinkSync('far/real.csv', at('link.csv'));
  symlinkSync('far/new.arrow', at('dangling.arrow'));
  expect((await run(...infer, '--out', 'link.csv', '--stats-out', 'dangling.arrow')).status).toBe(0);
  expect(readFileSync(at('far/real.csv'))).toEqual(table);
  expect(statSync(at('far/real.csv')).mode & 0o777).toBe(0o640);
  expect(readdirSync(at('far'))).toEqual(['new.arrow', 'real.csv']);
  expect(files()).toEqual(['dangling.arrow', 'far', 'link.csv']);
});

test('a name as long as the file system takes, and one that is longer', async () => {
  const longest = `${'x'.repeat(251)}.csv`;
  expect((await run(...infer, '--out', longest)).status).toBe(0);
  expect(files()).toEqual([longest]);
  const refused = await run(...infer, '--out', `x${longest}`);
  expect([refused.status, lines(refused).length]).toEqual([1, 1]);
  expect(refused.err).toMatch(/its name is longer than the file system allows/);
});

describe('interrupted', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s while the table is being made: exit %i, nothing left, one line',
    async (signal, expected) => {
      writeFileSync(at('e.csv'), 'kept');
      const child = start(folder, [
        ...infer,
        '--permutations',
        '2000000',
        '--out',
        'e.csv',
        '--stats-out',
        's.arrow',
      ]);
      let [seen, unfinished] = ['', 0];
      child.stderr.on('data', (text: Buffer) => (seen += text.toString()));
      // The scorings may have begun a moment before the file is opened that takes their table.
      const looking = setInterval(() => {
        if (!seen.includes('uncertainty: ') || child.killed) return;
        unfinished = files().filter((name) => name.endsWith('.tmp')).length;
        if (unfinished > 0) child.kill(signal);
      }, 5);
      const { status, err } = await ended(child);
      clearInterval(looking);
      expect([status, unfinished, files(), text('e.csv')]).toEqual([expected, 1, ['e.csv'], 'kept']);
      expect(err).toMatch(/\nmagnitude-edge: interrupted\n$/);
      expect(err).not.toMatch(/ at /);
    },
  );

  test('while a pipe waits for its reader', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    const child = start(folder, [...infer, '--format', 'csv', '--out', 'pipe']);
    child.stderr.on('data', (text: Buffer) => {
      if (text.toString().includes('fit: batch 1/1')) child.kill('SIGINT');
    });
    expect((await ended(child)).status).toBe(130);
    expect(files()).toEqual(['pipe']);
  });
});

describe('where there is no room', () => {
  test('files that outgrow a limit leave nothing, of either output', async () => {
    writeFileSync(at('e.arrow'), 'kept');
    const run = await shellIn(
      folder,
      `ulimit -f 1; $ME ${infer.join(' ')} --out e.arrow --stats-out s.arrow`,
    );
    expect([run.status, lastLine(run)]).toEqual([
      1,
      'magnitude-edge infer: e.arrow could not be written: it would be larger than the system allows.',
    ]);
    expect([files(), text('e.arrow')]).toEqual([['e.arrow'], 'kept']);
  });

  test('a full device', async () => {
    const written = await run(...infer, '--out', '/dev/full', '--format', 'csv', '--stats-out', 's.arrow');
    expect([written.status, lastLine(written)]).toEqual([
      1,
      'magnitude-edge infer: /dev/full could not be written: the disk is full.',
    ]);
    expect(files()).toEqual([]);
  });

  test.each([
    ['--help', 'magnitude-edge: standard output could not be written: the disk is full.'],
    [
      `${infer.join(' ')} --out - --format csv`,
      'magnitude-edge infer: standard output could not be written: the disk is full.',
    ],
  ])('standard output is full: %s', async (args, sentence) => {
    const run = await shellIn(folder, `$ME ${args} > /dev/full`);
    expect([run.status, lastLine(run)]).toEqual([1, sentence]);
    expect(run.err).not.toMatch(/ at /);
  });
});

describe('standard output', () => {
  test('takes the table, its summary goes to standard error', async () => {
    const { status, out, err } = await run(...infer, '--out', '-', '--format', 'csv', '--json');
    expect([status, out]).toEqual([0, table.toString()]);
    expect(JSON.parse(err.trimEnd().split('\n').at(-1)!)).toMatchObject({ rows: 42 });
    const redirected = await shellIn(folder, `$ME ${infer.join(' ')} --out /dev/stdout --format csv > o.csv`);
    expect([redirected.status, readFileSync(at('o.csv'))]).toEqual([0, table]);
    expect((await run(...infer, '--out', '-')).err).toMatch(/--out - needs --format/);
  });

  test('closed by its reader: silence, and no other output is written half', async () => {
    const closed = await shellIn(folder, `$ME --help | true; echo \${PIPESTATUS[0]}`);
    expect(closed).toEqual({ status: 0, out: '0\n', err: '' });
    const piped = await shellIn(
      folder,
      `$ME ${infer.join(' ')} --out - --format csv --stats-out s.arrow | true; echo \${PIPESTATUS[0]}`,
    );
    expect(piped.out).toBe('141\n');
    expect(lastLine(piped)).toMatch(/^fit: batch/);
    expect(files()).toEqual([]);
  });
});

test('a named pipe gets the table as it comes', async () => {
  const piped = await shellIn(
    folder,
    `mkfifo pipe; cat pipe > got.csv & $ME ${infer.join(' ')} --out pipe --format csv; wait`,
  );
  expect(piped.status).toBe(0);
  expect(readFileSync(at('got.csv'))).toEqual(table);
});
