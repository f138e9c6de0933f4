import { execFile } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installPacked } from '../support/packed.ts';

/** The packed package in a project of a user, with nothing else installed but the compiler. */

const program = `
import { GsnnModel, MagnitudeEdgeInferer, batches, encodeTable } from 'magnitude-edge';
import { buildTrainingGraph } from 'magnitude-edge/training-graph';
import { createEngine } from 'magnitude-edge/statistics';
import { tableFromIPC } from 'magnitude-edge/browser';

export async function infer(device: GPUDevice) {
  const model = await GsnnModel.load('model.onnx', { device });
  const inferer = await MagnitudeEdgeInferer.create(model);
  await inferer.fit(batches('data.npz', model));
  const edges = await inferer.evaluate({ score: 'partial' });
  const row = edges.get(0)!;
  const numbers: number[] = [row.corr, row.corr_a0_g1, row.n_cond, row.q_value];
  const name: string = row.src_func;
  const channel = (await inferer.evaluate({ score: 'channel' })).get(0)!;
  const p: number | null = channel.p_value;
  // @ts-expect-error: a score is no string
  const wrong: string = channel.score;
  return [numbers, name, p, wrong, encodeTable(edges, 'csv'), buildTrainingGraph, createEngine, tableFromIPC];
}
`;

/** Compilers, a way to resolve imports each, and whether declarations are checked as well: apache-arrow's own need 5.7. */
const compilers = [
  { version: '5.4', moduleResolution: 'bundler', module: 'ESNext', skipLibCheck: true },
  // Old resolvers know no `exports`: `main`, `types` and `typesVersions` are for them.
  { version: '5.4', moduleResolution: 'node10', module: 'ESNext', skipLibCheck: true },
  { version: '5.7', moduleResolution: 'node16', module: 'Node16', skipLibCheck: false },
  { version: '5.9', moduleResolution: 'nodenext', module: 'NodeNext', skipLibCheck: false },
  { version: '6.0', moduleResolution: 'bundler', module: 'ESNext', skipLibCheck: false },
];

let folder: string;
const run = async (command: string, args: readonly string[]): Promise<string> => {
  try {
    return (await promisify(execFile)(command, args, { cwd: folder })).stdout;
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-types-'));
  await writeFile(join(folder, 'program.ts'), program);
  await installPacked(folder, [
    ...['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'],
    ...compilers.map(({ version }) => `typescript-${version}@npm:typescript@~${version}.0`),
  ]);
}, 180_000);
afterAll(() => rm(folder, { recursive: true }));

test.each(compilers)(
  'TypeScript $version, $moduleResolution',
  async ({ version, moduleResolution, module, skipLibCheck }) => {
    const flags = [
      ...['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,dom,dom.iterable,esnext.disposable'],
      ...['--skipLibCheck', String(skipLibCheck), '--module', module, '--moduleResolution', moduleResolution],
    ];
    const compiler = join(folder, `node_modules/typescript-${version}/bin/tsc`);
    expect(await run(process.execPath, [compiler, ...flags, 'program.ts'])).toBe('');
  },
);

test('declaration maps lead to sources that are in the package', async () => {
  const installed = join(folder, 'node_modules/magnitude-edge');
  const files = await readdir(installed, { recursive: true });
  const maps = files.filter((name) => name.endsWith('.d.ts.map'));
  const declared = files.filter((name) => /^dist\/types\/(?!before-6).*\.d\.ts$/.test(name));
  expect(maps.map((name) => name.replace(/\.map$/, '')).sort()).toEqual(declared.sort());
  for (const map of maps) {
    const { sources } = JSON.parse(await readFile(join(installed, map), 'utf8')) as { sources: string[] };
    for (const source of sources) await access(join(installed, map, '..', source));
  }
});

test('publint', async () => {
  const found = await run('npx', ['--no-install', 'publint', 'node_modules/magnitude-edge', '--strict']);
  expect(found).toMatch(/All good!/);
});

test('are the types wrong', async () => {
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
  // The package has ECMAScript modules alone, which CommonJS imports with `await import`.
  const found = await run('npx', ['--no-install', 'attw', tarball, '--ignore-rules', 'cjs-resolves-to-esm']);
  expect(found).toMatch(/No problems found/);
});
