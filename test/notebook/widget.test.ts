import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FrameLocator } from 'playwright';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  NotebookServer,
  notebookOf,
  OpenNotebook,
  patience,
  row,
  rowsOf,
  selectionOf,
  startJupyter,
  textOf,
} from './jupyter.ts';

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const cells = [
  'from small_table import table_of\nfrom magnitude_edge import explore\nimport ipykernel; print(ipykernel.__version__)',
  // Large enough for its bytes to come in pieces.
  'first = explore(table_of(420), title="large")\nfirst',
  'second = explore(table_of(8, seed=1), title="small", height=480)\nsecond',
  'print(first.selected, len(first.edges), len(first.selection))\nprint(second.selected, len(second.edges), second.edges["corr"].min() >= 0)',
  'second.selected = ["n3", "n5"]',
  'try:\n    await first\nexcept Exception as error:\n    print(error)',
];

const withModel = [
  `import numpy as np
from magnitude_edge import MagnitudeEdgeInferer
with np.load("data.npz") as arrays:
    x, y = arrays["x"], arrays["y"]
inferer = MagnitudeEdgeInferer("model.onnx", backend="cpu")
inferer.fit([(x[:500], y[:500])], verbose=False)`,
  'widget = inferer.explore()\nwidget',
  'channel = inferer.explore(inferer.evaluate(score="channel"))\nchannel',
  'inferer.fit([(arrays["x"], arrays["y"]) for arrays in [np.load("data.npz")]], verbose=False)',
];

const poll = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: patience });
const background = (explorer: FrameLocator) =>
  explorer.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);

/** The start of the version of ipykernel that is meant to be tested. */
const kernel = new RegExp(`^${process.env.IPYKERNEL ?? ''}`);

let server: NotebookServer;
beforeEach(() => {
  server = new NotebookServer();
  cpSync(beside('small_table.py'), join(server.folder, 'small_table.py'));
});
afterEach(() => server.close());

describe.each(['lab', 'notebook'] as const)('two widgets in %s', (kind) => {
  test('are drawn apart, and what is done in one comes back to Python', async () => {
    const name = `two-${kind}.ipynb`;
    writeFileSync(join(server.folder, name), notebookOf(cells));
    const url = await startJupyter(server, kind);
    const page = await server.open(`${url}${kind === 'lab' ? 'lab/tree' : 'notebooks'}/${name}`);
    const complaints: string[] = [];
    // Of the frame's page and of the module that shows it; the notebook's own are its own matter.
    page.on('pageerror', ({ message, stack = '' }) => {
      if (/srcdoc|blob:/.test(stack)) complaints.push(`${message}\n${stack}`);
    });
    const notebook = new OpenNotebook(page);
    await notebook.ready(name);
    expect(textOf(await notebook.run(0))).toMatch(kernel);
    await notebook.run(1);
    const first = notebook.explorer(1);
    await row(first, 3).click();
    await notebook.run(2);
    const second = notebook.explorer(2);
    await row(second, 3).waitFor();
    await second.getByLabel('Score ≥').fill('0');
    await second.getByLabel('Score ≥').press('Enter');
    await poll(() => rowsOf(second).textContent()).toContain(' of ');
    const kept = Number.parseInt((await rowsOf(second).textContent()) ?? '');
    expect(kept).toBeLessThan(56);
    // The two have nothing in common: neither the selection nor the filter.
    await poll(() => selectionOf(second).textContent()).toBe('Select an edge in any view');
    expect(await rowsOf(first).textContent()).toBe('175,980 rows');
    const shown = await selectionOf(first).textContent();
    const [source, target] = /(n\d+) → (n\d+)/.exec(shown ?? '')?.slice(1) ?? [];
    // A filter is told once it has stayed for a moment.
    await page.waitForTimeout(1000);
    const [ofFirst, ofSecond] = textOf(await notebook.run(3))
      .trim()
      .split('\n');
    expect(ofFirst).toBe(`['${source ?? ''}', '${target ?? ''}'] 175980 1`);
    expect(ofSecond).toBe(`[] ${kept} True`);
    await notebook.run(4);
    await poll(() => selectionOf(second).textContent()).toContain('n3 → n5');
    expect(await selectionOf(first).textContent()).toBe(shown);
    expect(textOf(await notebook.run(5))).toContain('in the next cell');
    const light = await background(first);
    await page.evaluate(() =>
      window.jupyterapp!.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' }),
    );
    await poll(() => background(first)).not.toBe(light);
    expect(complaints).toEqual([]);
  });
});

test('a widget with its model shows what is behind a score', async () => {
  for (const file of ['model.onnx', 'data.npz'])
    cpSync(beside(`../../demo/public/example/${file}`), join(server.folder, file));
  writeFileSync(join(server.folder, 'model.ipynb'), notebookOf(withModel));
  const page = await server.open(`${await startJupyter(server, 'lab')}lab/tree/model.ipynb`);
  const notebook = new OpenNotebook(page);
  await notebook.ready('model.ipynb');
  await notebook.run(0);
  await notebook.run(1);
  const explorer = notebook.explorer(1);
  await explorer.getByRole('row', { name: /f4.*f16/ }).click();
  await explorer.getByRole('tab', { name: 'Evidence' }).click();
  await explorer
    .getByRole('img', { name: /^Scatter of 500 samples: .* of f4 .* of f16/ })
    .first()
    .waitFor();
  await notebook.run(2);
  const channel = notebook.explorer(2);
  await row(channel, 0).click();
  await channel.getByRole('tab', { name: 'Evidence' }).click();
  await channel.getByRole('img', { name: /coefficients from f\d+ to f\d+, the largest/ }).waitFor();
  // The table is of other samples than those held after this.
  await notebook.run(3);
  await row(explorer, 5).click();
  await explorer.getByText('call explore() again').waitFor();
});
