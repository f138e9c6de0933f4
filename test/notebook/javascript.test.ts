import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyExample, firstEdges } from '../support/first-edges.ts';
import { StaticServers } from '../support/static-server.ts';
import { NotebookServer, notebookOf, OpenNotebook, startJupyter } from './jupyter.ts';

/** Cells of JavaScript, as docs/notebooks.md has them, with the files that it wants in reach. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/notebooks.md'), 'utf8');
const snippet = (language: string): string => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(page)![1]!;

/** What the package and the runtime have for pages. */
function copyFiles(to: string): void {
  const runtime = join(root, 'node_modules/onnxruntime-web/dist');
  cpSync(join(root, 'dist/browser.js'), join(to, 'browser.js'));
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
  copyFiles(join(server.folder, 'lib'));
  await copyExample(server.folder);
  writeFileSync(join(server.folder, 'javascript.ipynb'), notebookOf([snippet('jupyter')]));
  const tab = await server.open(`${await startJupyter(server, 'lab')}lab/tree/javascript.ipynb`);
  const notebook = new OpenNotebook(tab);
  await notebook.ready('javascript.ipynb');
  await notebook.run(0);
  const output = tab.locator('.jp-OutputArea-output').filter({ hasText: ' → ' });
  expect((await output.innerText()).trim().split('\n')).toEqual(await lines());
});

test('a frame in marimo', async () => {
  const lib = join(server.folder, 'lib');
  copyFiles(lib);
  await copyExample(lib);
  const address = await files.serve(lib, { 'Access-Control-Allow-Origin': '*' });
  const cell = snippet('marimo').replace('http://127.0.0.1:8080', address).replaceAll(/^/gm, '    ');
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
