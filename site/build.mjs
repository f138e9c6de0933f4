/**
 * Builds the site into site/dist: `npm run build:site`. Its pages are the Markdown files of the repository, with the
 * explorer, the API reference of all entry points, and the library that the examples run with. No page requests
 * anything from elsewhere.
 *
 *     node site/build.mjs [FOLDER [EXPLORER]]   into another folder; with an explorer that was built before
 */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import MiniSearch from 'minisearch';
import { build } from 'vite';
import { layout } from './layout.mjs';
import { render } from './markdown.mjs';
import { writeServiceWorker } from './offline.mjs';
import { pages } from './pages.mjs';

const root = new URL('../', import.meta.url);
/** @param {string} path */
const at = (path) => fileURLToPath(new URL(path, root));
const [out = at('site/dist'), builtExplorer] = process.argv.slice(2);
/** @param {string} path */
const to = (path) => `${out}/${path}`;

await rm(out, { recursive: true, force: true });
await mkdir(to('lib'), { recursive: true });
await Promise.all([explorer(), reference(), writePages(), copyFiles()]);
await writeFile(to('runtime.json'), JSON.stringify({ wasm: await wasmOfExplorer() }));
await writeServiceWorker(out);

function explorer() {
  if (builtExplorer !== undefined) return cp(builtExplorer, to('explorer'), { recursive: true });
  return build({
    configFile: at('vite.config.ts'),
    mode: 'demo',
    logLevel: 'error',
    build: { outDir: to('explorer') },
  });
}

function reference() {
  return promisify(execFile)(
    process.execPath,
    [at('node_modules/typedoc/bin/typedoc'), '--out', to('reference')],
    {
      cwd: at('.'),
    },
  );
}

/** The pages, and the index of their sections that the search reads. */
async function writePages() {
  const search = new MiniSearch({
    fields: ['heading', 'page', 'text'],
    storeFields: ['heading', 'page', 'url'],
  });
  for (const page of pages) {
    const { html, sections } = render(await readFile(at(page.source), 'utf8'), page);
    await writeFile(to(`${page.name}.html`), layout(page, html));
    search.addAll(
      sections.map(({ id, heading, text }) => {
        const url = `${page.name}.html${id && `#${id}`}`;
        return { id: url, url, heading, page: page.title, text };
      }),
    );
  }
  await writeFile(to('search.json'), JSON.stringify(search));
}

async function copyFiles() {
  await cp(at('site/client'), out, { recursive: true });
  for (const name of ['model.onnx', 'data.npz', 'heldout.csv'])
    await copyFile(at(`demo/public/example/${name}`), to(name));
  for (const name of await readdir(at('docs/examples')))
    await copyFile(at(`docs/examples/${name}`), to(name));
  await copyFile(at('test/fixtures/ordinary/mlp/model.onnx'), to('any.onnx'));
  await copyFile(at('demo/public/icon.svg'), to('icon.svg'));
  await copyFile(at('docs/explorer.png'), to('explorer.png'));
  await copyFile(at('LICENSE'), to('LICENSE'));
  await copyFile(at('bench/results/index.html'), to('charts.html'));
  await copyFile(at('node_modules/minisearch/dist/es/index.js'), to('lib/minisearch.js'));
  await copyFile(at('dist/browser.js'), to('lib/browser.js'));
  // The other entry points, from the same file: one copy of the library on a page.
  for (const [entry, name] of [
    ['statistics', 'statistics'],
    ['training-graph', 'trainingGraph'],
  ]) {
    const names = Object.keys(await import(new URL(`dist/${entry}.js`, root).href));
    await writeFile(
      to(`lib/${entry}.js`),
      `import { ${name} } from './browser.js';\nexport const { ${names.join(', ')} } = ${name};\n`,
    );
  }
}

/** The runtime's files in the explorer, under their own names: the examples load them from there. */
async function wasmOfExplorer() {
  const files = (await readdir(to('explorer/assets'))).filter((file) => file.endsWith('.wasm'));
  return Object.fromEntries(
    files.map((file) => [file.replace(/-[\w-]{8}\.wasm$/, '.wasm'), `explorer/assets/${file}`]),
  );
}
