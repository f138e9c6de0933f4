import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeTable } from '../../src/index.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const command = path('../../dist/cli.js');
const model = path('../../demo/public/example/model.onnx');
const reading = path('../fixtures/reading/');

/** The command where functions cannot be made from text: what 'unsafe-eval' forbids pages. */
function runStrictly(...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disallow-code-generation-from-strings', command, ...args], {
      cwd: folder,
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', reject).on('close', (status) => {
      resolve({ status, out, err });
    });
  });
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('without functions made from text', () => {
  test.each([
    ['pandas-default.feather', 'arrow'],
    ['polars-default.parquet', 'parquet'],
    ['missing-targets.npz', 'csv'],
  ] as const)('%s is read, tables come and go as .%s', async (data, ending) => {
    const file = join(reading, data);
    const out = `edges.${ending}`;
    const infer = ['infer', '--model', model, '--data', file, '--backend', 'cpu', '--out', out];
    if (data.startsWith('missing')) {
      const refused = await runStrictly(...infer);
      expect([refused.status, refused.err]).toEqual([
        1,
        expect.stringMatching(/\(--mask-missing-targets leaves/),
      ]);
      infer.push('--mask-missing-targets');
    }
    const { status, err } = await runStrictly(...infer, '--stats-out', 's.arrow');
    expect([status, err]).toEqual([0, expect.stringContaining('96 samples')]);
    const table = await decodeTable(await readFile(join(folder, out)), ending, out);
    const first = ['src_func', 'dst_func'].map((column) => String(table.getChild(column)!.get(0)));
    expect(first).toEqual(['f4', 'f16']);
    // Six decimals were written down, of float32 gradients.
    expect(Math.abs((table.getChild('corr')!.get(0) as number) - 0.768257)).toBeLessThan(1e-6);
    const ranked = await runStrictly(
      'rank',
      ...['--edges', out, '--positives', join(reading, 'heldout.csv'), '--out', `ranks.${ending}`, '--json'],
    );
    expect([ranked.status, ranked.out]).toEqual([0, expect.stringContaining('"n_positives":16')]);
    expect((await runStrictly('merge', 's.arrow', '--out', 'merged.arrow')).status).toBe(0);
  });

  test('a budget of the command', async () => {
    const { status, err } = await runStrictly(
      ...[
        'infer',
        '--model',
        model,
        '--data',
        join(reading, 'zstd.arrow'),
        '--backend',
        'cpu',
        '--out',
        'e.csv',
      ],
      ...['--memory-budget', '10000'],
    );
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(/96 rows would take \d+ bytes .*\(--memory-budget BYTES raises it\)/),
    ]);
  });
});
