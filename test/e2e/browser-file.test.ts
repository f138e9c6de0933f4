import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { copyExample, expectFirstEdges, firstEdges, textOf } from '../support/first-edges.ts';
import { installPacked } from '../support/packed.ts';
import { StaticServers } from '../support/static-server.ts';

/** Pages without a bundler: the one file as the guide says to use it, by its own commands and its own page; and the parts. */

const root = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;
const servers = new StaticServers();
const browser = new TestBrowser();
const run = (file: string, args: readonly string[]) => promisify(execFile)(file, args, { cwd: folder });

let html: string;
let expected: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-page-'));
  await installPacked(folder);
  await copyExample(folder);
  const guide = await readFile(join(root, 'docs/guide.md'), 'utf8');
  const [, copy] = /```sh\n(mkdir -p lib && cp [^`]*)```/.exec(guide)!;
  await run('bash', ['-euc', copy!]);
  const [, script] = /```html\n(<script type="module">\n[^`]*browser\.js[^`]*)```/.exec(guide)!;
  html = `<!doctype html><meta charset="utf-8"><title>page</title><body>${script!}`;
  await writeFile(join(folder, 'index.html'), html);
  expected = await firstEdges();
});
afterAll(async () => {
  await browser.close();
  servers.close();
  await rm(folder, { recursive: true });
});

/** Opens a page that says the edges. @returns its title */
async function expectEdgesAt(address: string): Promise<string> {
  const { text, title } = await textOf(browser, address);
  expectFirstEdges(text, expected);
  return title;
}

test('from the page’s own site', async () => {
  await expectEdgesAt(`${await servers.serve(folder)}/`);
});

test('from another origin, without COOP and COEP', async () => {
  const elsewhere = await servers.serve(folder, { 'Access-Control-Allow-Origin': '*' });
  await writeFile(join(folder, 'elsewhere.html'), html.replace('./lib/', `${elsewhere}/lib/`));
  await expectEdgesAt(`${await servers.serve(folder)}/elsewhere.html`);
});

/** Starts the statistics' workers and says in the title what came of it. */
const workers = `
  import { statistics } from './lib/browser.js';
  const engine = statistics.createCpuEngine({ nodes: 4, pairs: 2, reduction: 'l1' }, { workers: 2 });
  const rows = () => Float32Array.from({ length: 40 }, Math.random);
  await engine.accumulateMagnitudes({ size: 10, x: [rows(), rows()], y: [rows(), rows()] });
  document.title = 'workers: ' + engine.diagnostics.workers + JSON.stringify(engine.diagnostics.warnings ?? []);
  await engine.release();`;

/** The guide's page with its script in a file, since a strict policy allows none inline. @param first what runs before it */
async function underPolicy(policy: string, first: string): Promise<string> {
  const [, script] = /<script type="module">([^]*)<\/script>/.exec(html)!;
  await writeFile(join(folder, 'page.js'), first + script!);
  await writeFile(
    join(folder, 'strict.html'),
    html.replace(/<script[^]*/, '<script type="module" src="page.js"></script>'),
  );
  const site = await servers.serve(folder, { 'Content-Security-Policy': policy });
  return `${site}/strict.html`;
}

const fromFiles = `import { configureRuntime } from './lib/browser.js'; configureRuntime({ workerPath: './lib/' });`;

test.each([
  ['with workers from Blobs', 'worker-src blob:', '', /^workers: 2\[\]$/],
  ['with workers from files', "worker-src 'self'", fromFiles, /^workers: 2\[\]$/],
  ['without workers, and says why', "worker-src 'self'", '', /^workers: 0\["[^"]*blob[^"]*"\]$/],
])('under a strict policy: %s', async (_, workerPolicy, settings, title) => {
  const policy = `default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'; ${workerPolicy}; require-trusted-types-for 'script'; trusted-types magnitude-edge`;
  expect(await expectEdgesAt(await underPolicy(policy, settings + workers))).toMatch(title);
});

test('a policy that lets no WebAssembly run is named', async () => {
  const asks = `
    import * as library from './lib/browser.js';
    const asked = await library.GsnnModel.load('model.onnx');
    const fitted = await library.MagnitudeEdgeInferer.create(asked);
    await fitted.fit(library.batches('data.npz', asked)).catch((error) => {
      document.body.textContent = \`refused: \${error.message}\`;
    });
    await new Promise(() => undefined);`;
  const page = await underPolicy(
    "default-src 'none'; connect-src 'self'; script-src 'self'; worker-src blob:",
    asks,
  );
  expect((await textOf(browser, page)).text).toMatch(
    /could not be started: .*script-src needs 'wasm-unsafe-eval'/,
  );
});

test('the parts, by the import map that the command prints', async () => {
  const command = join(folder, 'node_modules/magnitude-edge/dist/cli.js');
  const { stdout } = await run(process.execPath, [command, 'import-map']);
  const parts = html.replace('./lib/browser.js', 'magnitude-edge');
  await writeFile(
    join(folder, 'parts.html'),
    parts.replace('<body>', `<script type="importmap">${stdout}</script><body>`),
  );
  await expectEdgesAt(`${await servers.serve(folder)}/parts.html`);
});

test('files that a function finds, and bytes that a function gives', async () => {
  const settings = `
    import { configureRuntime } from './lib/browser.js';
    configureRuntime({
      wasmPaths: (file) => (file.endsWith('.mjs') ? undefined : \`/node_modules/onnxruntime-web/dist/\${file}\`),
    });`;
  const bytes = settings.replace(
    /wasmPaths: .*/,
    'wasmBinary: async (file) => (await fetch(`/node_modules/onnxruntime-web/dist/${file}`)).arrayBuffer(),',
  );
  await mkdir(join(folder, 'alone/lib'), { recursive: true });
  await symlink(join(folder, 'lib/browser.js'), join(folder, 'alone/lib/browser.js'));
  await copyExample(join(folder, 'alone'));
  const site = await servers.serve(folder);
  for (const code of [settings, bytes]) {
    await writeFile(
      join(folder, 'alone/index.html'),
      html.replace('type="module">', `type="module">${code}`),
    );
    await expectEdgesAt(`${site}/alone/`);
  }
});
