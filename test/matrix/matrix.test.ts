import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { expectFirstEdges, firstEdges, textOf } from '../support/first-edges.ts';
import { StaticServers } from '../support/static-server.ts';
import { developing, install, others, project, type Project } from './bundlers.ts';
import { checkBuild, checkSizes, type Bench } from './check-bundler.ts';

/** The packed package in the bundlers that take longer to install and to run. */

let installation: string;
let bench: Bench;
const projects = new Map<string, Project>();

beforeAll(async () => {
  installation = await mkdtemp(join(tmpdir(), 'magnitude-edge-matrix-'));
  await install(installation, others);
  for (const bundler of others) projects.set(bundler.name, await project(installation, bundler));
  bench = { browser: new TestBrowser(), servers: new StaticServers(), expected: await firstEdges() };
});
afterAll(async () => {
  await bench.browser.close();
  bench.servers.close();
  await rm(installation, { recursive: true });
});

describe.each(others)('$name', (bundler) => {
  test('pages infer; the .wasm that they can use is there, and no other', async () => {
    const pages = bundler.name.startsWith('Next') ? ['/', '/pages-router.html'] : ['/'];
    await checkBuild(bundler, projects.get(bundler.name)!, bench, pages);
  });
});

test.each(others.filter(({ size }) => size !== undefined))(
  '$name: what is not used is left out',
  async (bundler) => {
    await checkSizes(bundler, projects.get(bundler.name)!);
  },
);

test.each([6, 7])('Vite %i while developing', async (major) => {
  await developing(installation, projects.get(`Vite ${major}`)!, major, async (address) => {
    expectFirstEdges((await textOf(bench.browser, address)).text, bench.expected);
  });
});
