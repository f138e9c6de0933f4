import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeTable } from '../../src/index.ts';
import { command } from '../support/command.ts';
import { expectFigures, expectScores64, networkCases, type NetworkCase } from '../support/network-case.ts';
import { softwareVulkan } from '../support/software-vulkan.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command where Dawn finds the software driver. @returns its summary */
async function run(...args: string[]): Promise<Record<string, unknown>> {
  const options = { cwd: folder, env: { ...process.env, ...softwareVulkan() }, maxBuffer: 2 ** 26 };
  const all = [command, ...args, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, all, options);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function expectScores(network: NetworkCase, score: string, file: string): Promise<void> {
  if (score !== 'corr') {
    expectScores64(network, score, await decodeTable(await readFile(join(folder, file)), 'arrow', file));
  }
  const asked = ['--edges', file, '--positives', network.heldOut, '--top-k', '1,5,20', '--bootstrap', '0'];
  const { recovery } = await run('rank', ...asked);
  expectFigures(network, score, recovery as Parameters<typeof expectFigures>[2]);
}

const source = ({ model, data }: NetworkCase): string[] => ['--model', model, '--data', data];
const all = ['--include-self', '--out', 'edges.arrow'];

test.each(networkCases)('$name: the command on the CPU', async (network) => {
  const given = [...source(network), '--backend', 'cpu', '--stats-out', 's.arrow'];
  await run('infer', ...given, '--score', 'channel', ...all);
  await expectScores(network, 'channel', 'edges.arrow');
  for (const score of ['corr', 'regression', 'channel']) {
    await run('evaluate', '--stats', 's.arrow', '--backend', 'cpu', '--score', score, ...all);
    await expectScores(network, score, 'edges.arrow');
  }
});

// A software adapter takes many minutes for a network of real size, in float32 as well, which is a third of the work of 'exact':
// those are run where somebody names their folder, on a machine with a GPU.
const onWebGpu = process.env.MAGNITUDE_EDGE_NETWORKS === undefined ? networkCases.slice(0, 1) : networkCases;
test.each(onWebGpu)('$name: the command on WebGPU', async (network) => {
  const onGpu = ['--backend', 'webgpu', '--precision', 'fast'];
  const statistics = ['--stats-out', 's.arrow'];
  const inferred = await run('infer', ...source(network), ...onGpu, '--score', 'regression', ...all);
  expect(inferred).toMatchObject({ backend: 'webgpu' });
  await expectScores(network, 'regression', 'edges.arrow');
  await run('infer', ...source(network), ...onGpu, ...statistics, '--score', 'channel', ...all);
  const table = await decodeTable(await readFile(join(folder, 'edges.arrow')), 'arrow', 'edges.arrow');
  expect(Object.fromEntries(table.schema.metadata)).toMatchObject({ backend: 'webgpu', precision: 'fast' });
  await expectScores(network, 'channel', 'edges.arrow');
  const again = await run('evaluate', '--stats', 's.arrow', ...onGpu, '--score', 'corr', ...all);
  expect(again).toMatchObject({ backend: 'webgpu' });
  await expectScores(network, 'corr', 'edges.arrow');
});
