import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectGoldenEdges } from '../support/edge-goldens.ts';
import { fixture } from '../support/model-files.ts';
import { softwareVulkan } from '../support/software-vulkan.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A project that has the package installed, with another `webgpu` from test to test. */
let folder: string;
const installed = (): string => join(folder, 'node_modules/webgpu');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await mkdir(join(folder, 'node_modules'));
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (name === 'webgpu' || name.startsWith('.')) continue;
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  await writeFile(join(folder, 'm.onnx'), fixture('layer-elu'));
  await writeFile(join(folder, 'd.npz'), fixture('layer-elu', 'edges-data.npz'));
});
afterAll(() => rm(folder, { recursive: true }));

const withoutDriver = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' };
const withDriver = softwareVulkan;
const real = join(root, 'node_modules/webgpu');

const installReal = () => symlink(real, installed());
const installFaulty = async (): Promise<void> => {
  await mkdir(installed());
  await writeFile(join(installed(), 'package.json'), '{ "type": "module", "main": "index.js" }');
  await cp(join(root, 'test/support/faulty-dawn.mjs'), join(installed(), 'index.js'));
};
const faulty = (fault: string) => () => ({
  ...withDriver(),
  FAULT: fault,
  REAL_WEBGPU: pathToFileURL(join(real, 'index.js')).href,
});

function run(
  environment: Record<string, string>,
  ...args: string[]
): Promise<{ failed: boolean; out: string; err: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { ...process.env, ...environment } };
    execFile(process.execPath, ['dist/cli.js', ...args], options, (error, out, err) => {
      resolve({ failed: error !== null, out, err });
    });
  });
}

test.each([
  ['without the package', () => Promise.resolve(), () => ({}), /'webgpu' is not installed/],
  ...(existsSync('/dev/dri') || process.platform !== 'linux'
    ? []
    : ([['without a graphics device', installReal, () => ({}), /has no graphics device/]] as const)),
  ['without a driver', installReal, () => withoutDriver, /no WebGPU adapter was found/],
  ['with a software driver', installReal, withDriver, /runs shaders on the CPU/],
  ['whose adapter gives no device', installFaulty, faulty('refused'), /refused to create a device/],
  ['whose device fails the self-test', installFaulty, faulty('arithmetic'), /The statistics are computed on/],
  ['whose device is lost at its first work', installFaulty, faulty('lost'), /device was lost/],
] as const)(
  'left to itself on a machine %s, the command takes the CPU, and says why',
  async (_, install, environment, why) => {
    await rm(installed(), { recursive: true, force: true });
    await install();
    const stats = ['--stats-out', 's.arrow', '--out', 'e.arrow', '--json'];
    const infer = await run(
      environment(),
      'infer',
      '--model',
      'm.onnx',
      '--data',
      'd.npz',
      '--batch-size',
      '32',
      ...stats,
    );
    expect(infer.failed, infer.err).toBe(false);
    const { backend, backendReason } = JSON.parse(infer.out) as Record<string, string>;
    expect([backend, backendReason]).toEqual(['cpu', expect.stringMatching(why)]);
    const golden = tableFromIPC(fixture('layer-elu', 'edges-corr.arrow'));
    expectGoldenEdges(tableFromIPC(await readFile(join(folder, 'e.arrow'))), golden);

    const evaluate = await run(environment(), 'evaluate', '--stats', 's.arrow', '--out', 'f.arrow', '--json');
    expect(evaluate.failed, evaluate.err).toBe(false);
    expect(JSON.parse(evaluate.out)).toMatchObject({ backend: 'cpu' });
    expectGoldenEdges(tableFromIPC(await readFile(join(folder, 'f.arrow'))), golden);
  },
);

test('asked for, WebGPU that cannot be had is refused', async () => {
  await rm(installed(), { recursive: true, force: true });
  await installFaulty();
  for (const fault of ['refused', 'arithmetic', 'lost']) {
    const options = ['--backend', 'webgpu', '--out', 'no.arrow'];
    const { failed, err } = await run(
      faulty(fault)(),
      'infer',
      '--model',
      'm.onnx',
      '--data',
      'd.npz',
      ...options,
    );
    expect(failed, fault).toBe(true);
    expect(err).toMatch(/^magnitude-edge infer: .*\n$/m);
    expect(err).not.toMatch(/\n\s+at /);
  }
  expect(existsSync(join(folder, 'no.arrow'))).toBe(false);
});
