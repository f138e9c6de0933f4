import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DocumentPage } from '../support/document-snippets.ts';
import { copyExample, firstEdges } from '../support/first-edges.ts';
import { pack } from '../support/packed.ts';
import { StaticServers } from '../support/static-server.ts';
import { NotebookServer, notebookOf, OpenNotebook, startJupyter } from './jupyter.ts';

/** Cells of JavaScript, as docs/notebooks.md has them, with the files that it wants in reach. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = new DocumentPage('docs/notebooks.md');

/** What the packed package and the runtime have for pages. */
async function copyFiles(to: string): Promise<void> {
  const unpacked = mkdtempSync(join(tmpdir(), 'magnitude-edge-packed-'));
  const tarball = await pack(unpacked);
  await promisify(execFile)('tar', ['-xzf', tarball], { cwd: unpacked });
  cpSync(join(unpacked, 'package/dist/browser.js'), join(to, 'browser.js'));
  rmSync(unpacked, { recursive: true });
  const runtime = join(root, 'node_modules/onnxruntime-web/dist');
  for (const name of readdirSync(runtime).filter((file) => file.startsWith('ort-wasm-simd-threaded')))
    cpSync(join(runtime, name), join(to, name));
}

/** The lines that a cell writes: names and score to three digits, of the first ten new edges. */
async function lines(): Promise<string[]> {
  const rows = await firstEdges();
  return rows.map((row) => {
    const [source, target, , , score] = row.split(',');
    return `${source} → ${target} ${Number(score).toFixed(3)}`;
  });
}

let server: NotebookServer;
const files = new StaticServers();
beforeEach(() => {
  server = new NotebookServer();
});
afterEach(async () => {
  files.close();
  await server.close();
});

test('a cell of JavaScript in JupyterLab', async () => {
  await copyFiles(join(server.folder, 'lib'));
  await copyExample(server.folder);
  writeFileSync(
    join(server.folder, 'javascript.ipynb'),
    notebookOf([page.snippet('JupyterLab, in a cell of JavaScript', 'jupyter')]),
  );
  const tab = await server.open(`${await startJupyter(server, 'lab')}lab/tree/javascript.ipynb`);
  const notebook = new OpenNotebook(tab);
  await notebook.ready('javascript.ipynb');
  await notebook.run(0);
  const output = tab.locator('.jp-OutputArea-output').filter({ hasText: ' → ' });
  expect((await output.innerText()).trim().split('\n')).toEqual(await lines());
});

test('a frame in marimo', async () => {
  const lib = join(server.folder, 'lib');
  await copyFiles(lib);
  await copyExample(lib);
  const address = await files.serve(lib, { 'Access-Control-Allow-Origin': '*' });
  const cell = page
    .snippet('marimo', 'marimo')
    .replace('http://127.0.0.1:8080', address)
    .replaceAll(/^/gm, '    ');
  const app = `import marimo\napp = marimo.App()\n\n@app.cell\ndef _():\n    import marimo as mo\n${cell}\n    return\n`;
  writeFileSync(join(server.folder, 'app.py'), app);
  const url = await server.start(
    ['marimo', 'run', 'app.py', '--headless', '--no-token'],
    /http:\/\/localhost:\d+/,
  );
  const tab = await server.open(url);
  const body = tab.frameLocator('iframe').locator('body').filter({ hasText: ' → ' });
  expect((await body.innerText()).trim().split('\n')).toEqual(await lines());
});
