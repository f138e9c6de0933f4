import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { expectFirstEdges, firstEdges, textOf } from '../support/first-edges.ts';
import { StaticServers } from '../support/static-server.ts';
import { developing, install, others, project, type Project } from './bundlers.ts';
import { checkBuild, checkSizes, type Bench } from './check-bundler.ts';

/**
 * The tests of one bundler, with the packed package in an installation of its own: a file for each, so that each runs by itself.
 *
 * @param name of the bundler
 * @param pages that its build has
 * @param viteMajor of a Vite, whose development server is tried as well
 */
export function bundlerJob(name: string, pages: readonly string[] = ['/'], viteMajor?: number): void {
  const bundler = others.find((one) => one.name === name)!;
  let installation: string;
  let bench: Bench;
  let built: Project;

  beforeAll(async () => {
    installation = await mkdtemp(join(tmpdir(), 'magnitude-edge-matrix-'));
    await install(installation, [bundler]);
    built = await project(installation, bundler);
    bench = { browser: new TestBrowser(), servers: new StaticServers(), expected: await firstEdges() };
  });
  afterAll(async () => {
    await bench.browser.close();
    bench.servers.close();
    await rm(installation, { recursive: true });
  });

  test(`${name}: pages infer; the .wasm that they can use is there, and no other`, async () => {
    await checkBuild(bundler, built, bench, pages);
  });

  if (bundler.size !== undefined) {
    test(`${name}: what is not used is left out`, async () => {
      await checkSizes(bundler, built);
    });
  }

  if (viteMajor !== undefined) {
    test(`${name} while developing`, async () => {
      await developing(installation, built, viteMajor, async (address) => {
        expectFirstEdges((await textOf(bench.browser, address)).text, bench.expected);
      });
    });
  }
}
