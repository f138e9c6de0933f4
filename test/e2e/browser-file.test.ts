import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';

/** The one file for pages without a bundler, as the guide says to use it: its own commands and its own page. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

let folder: string;
const servers: Server[] = [];
const browser = new TestBrowser();

/** Serves the folder as a static host does, which sends no headers but those given. */
async function serve(headers: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://host').pathname.slice(1) || 'index.html';
    readFile(join(folder, path)).then(
      (bytes) => {
        const type = types[extname(path)] ?? 'application/octet-stream';
        response.writeHead(200, { 'Content-Type': type, ...headers }).end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The rows that the guide's page writes, once it has. */
async function rowsOn(address: string, title = 'page'): Promise<string[]> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(address);
  const text = await Promise.race([
    page.waitForFunction(() => document.body.textContent.includes('src_func') && document.body.textContent),
    page.waitForEvent('pageerror').then((error) => Promise.reject(error)),
  ]);
  const rows = String(await text.jsonValue())
    .trim()
    .split('\n');
  expect([errors, await page.title()]).toEqual([[], title]);
  await page.context().close();
  return rows;
}

let html: string;
let expected: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-page-'));
  await mkdir(join(folder, 'node_modules'));
  await symlink(root, join(folder, 'node_modules/magnitude-edge'));
  await symlink(join(root, 'node_modules/onnxruntime-web'), join(folder, 'node_modules/onnxruntime-web'));
  for (const name of ['model.onnx', 'data.npz']) {
    await copyFile(join(root, 'demo/public/example', name), join(folder, name));
  }
  const guide = await readFile(join(root, 'docs/guide.md'), 'utf8');
  const [, copy] = /```sh\n(mkdir -p lib && cp [^`]*)```/.exec(guide)!;
  await promisify(execFile)('bash', ['-euc', copy!], { cwd: folder });
  const [, script] = /```html\n(<script type="module">\n[^`]*browser\.js[^`]*)```/.exec(guide)!;
  html = `<!doctype html><meta charset="utf-8"><title>page</title><body>${script!}`;
  await writeFile(join(folder, 'index.html'), html);
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(root, 'dist/cli.js'),
    ...[
      'infer',
      '--model',
      join(folder, 'model.onnx'),
      '--data',
      join(folder, 'data.npz'),
      '--backend',
      'cpu',
    ],
    ...['--score', 'partial', '--candidates-only', '--top', '10', '--out', '-', '--format', 'csv'],
  ]);
  expected = stdout.trim().split('\n').slice(1);
});
afterAll(async () => {
  await browser.close();
  for (const server of servers) server.close();
  await rm(folder, { recursive: true });
});

/** Names and scores of the rows, which the page writes as objects and the command as CSV. */
function expectRows(rows: readonly string[]): void {
  expect(rows.length).toBe(10);
  const firstOf = (line: string) =>
    /"?src_func"?: "?(\w+)"?, "?dst_func"?: "?(\w+)"?.*?"?corr"?: ([-\d.e]+)/.exec(line)!;
  rows.forEach((row, at) => {
    const [, source, target, corr] = firstOf(row);
    const [src, dst, , , score] = expected[at]!.split(',');
    expect([source, target]).toEqual([src, dst]);
    // The same model in the browser's build of the runtime: float32 magnitudes that may differ in their last bits.
    expect(Math.abs(Number(corr) - Number(score))).toBeLessThan(1e-5);
  });
}

test('from the page’s own site', async () => {
  expectRows(await rowsOn(await serve({})));
});

test('from another origin, without COOP and COEP', async () => {
  const elsewhere = await serve({ 'Access-Control-Allow-Origin': '*' });
  await writeFile(join(folder, 'elsewhere.html'), html.replace('./lib/', `${elsewhere}/lib/`));
  expectRows(await rowsOn(`${await serve({})}/elsewhere.html`));
});

test('under a strict policy', async () => {
  // The page's script in a file, since the policy allows none inline.
  const [, script] = /<script type="module">([^]*)<\/script>/.exec(html)!;
  const workers = `
    import { statistics } from './lib/browser.js';
    const engine = statistics.createCpuEngine({ nodes: 4, pairs: 2, reduction: 'l1' }, { workers: 2 });
    const rows = () => Float32Array.from({ length: 40 }, Math.random);
    await engine.accumulateMagnitudes({ size: 10, x: [rows(), rows()], y: [rows(), rows()] });
    document.title = 'workers: ' + engine.diagnostics.workers + JSON.stringify(engine.diagnostics.warnings ?? []);
    await engine.release();`;
  await writeFile(join(folder, 'page.js'), workers + script!);
  await writeFile(
    join(folder, 'strict.html'),
    '<!doctype html><meta charset="utf-8"><title>page</title><body><script type="module" src="page.js"></script>',
  );
  const policy =
    "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; require-trusted-types-for 'script'; trusted-types magnitude-edge";
  expectRows(
    await rowsOn(`${await serve({ 'Content-Security-Policy': policy })}/strict.html`, 'workers: 2[]'),
  );
});
