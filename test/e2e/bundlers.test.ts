import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundlers, developing, install, mainScript, project, type Project } from '../matrix/bundlers.ts';
import { checkBuild, checkSizes, type Bench } from '../matrix/check-bundler.ts';
import { TestBrowser } from '../support/browser.ts';
import { expectFirstEdges, firstEdges, textOf } from '../support/first-edges.ts';
import { StaticServers } from '../support/static-server.ts';

/** The packed package in bundlers that install and build in seconds; `npm run matrix` has the others as well. */

let installation: string;
let bench: Bench;
const projects = new Map<string, Project>();
const of = (name: string): Project => projects.get(name)!;

beforeAll(async () => {
  installation = await mkdtemp(join(tmpdir(), 'magnitude-edge-bundlers-'));
  await install(installation, bundlers);
  for (const bundler of bundlers) projects.set(bundler.name, await project(installation, bundler));
  bench = { browser: new TestBrowser(), servers: new StaticServers(), expected: await firstEdges() };
});
afterAll(async () => {
  await bench.browser.close();
  bench.servers.close();
  await rm(installation, { recursive: true });
});

describe.each(bundlers)('$name', (bundler) => {
  test('a page infers; the .wasm that it can use is there, and no other', async () => {
    await checkBuild(bundler, of(bundler.name), bench);
  });

  test('what is not used is left out', async () => {
    await checkSizes(bundler, of(bundler.name));
  });
});

describe.each([5, 8])('Vite %i while developing', (major) => {
  test('a page infers', async () => {
    await developing(installation, of(`Vite ${major}`), major, async (address) => {
      expectFirstEdges((await textOf(bench.browser, address)).text, bench.expected);
    });
  });
});

/** The guide's program, which says what it was refused. */
const refused = mainScript.replace(
  /^show\(\);/m,
  'show().catch((error) => { document.body.textContent = `refused: ${error.message}`; });',
);

describe('failures say what helps', () => {
  test('a runtime that was moved away from its .wasm, and a model that is not there', async () => {
    const { folder } = of('Vite 5');
    const settings = await readFile(join(folder, 'vite.config.js'), 'utf8');
    await writeFile(join(folder, 'main.js'), refused);
    await writeFile(join(folder, 'vite.config.js'), "export default { cacheDir: 'other-cache' };");
    await developing(installation, of('Vite 5'), 5, async (address) => {
      const { text } = await textOf(bench.browser, address);
      expect(text).toMatch(
        /answered with an HTML page\. .*optimizeDeps: \{ exclude: \['onnxruntime-web'\] \}/,
      );
    });
    await writeFile(join(folder, 'vite.config.js'), settings);
    await writeFile(join(folder, 'main.js'), refused.replace('model.onnx', 'absent.onnx'));
    await developing(installation, of('Vite 5'), 5, async (address) => {
      const { text } = await textOf(bench.browser, address);
      expect(text).toMatch(/absent\.onnx could not be read: this address answered with an HTML page/);
    });
  });

  test('a .wasm that was not copied', async () => {
    const { folder } = of('esbuild');
    await writeFile(join(folder, 'main.js'), refused);
    const out = await bundlers.find(({ name }) => name === 'esbuild')!.build(of('esbuild'));
    for (const build of ['', '.jspi', '.asyncify'])
      await rm(join(out, `ort-wasm-simd-threaded${build}.wasm`));
    const { text } = await textOf(bench.browser, `${await bench.servers.serve(out)}/`);
    expect(text).toMatch(
      /ort-wasm-simd-threaded\.wasm could not be fetched\. .*configureRuntime\(\{ wasmPaths \}\)/,
    );
  });
});
