import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, test } from 'vitest';
import { NotebookServer, row, selectionOf } from './jupyter.ts';

const server = new NotebookServer();
afterAll(() => server.close());

const app = `
import marimo
app = marimo.App()

@app.cell
def _():
    import marimo as mo
    from small_table import table_of
    from magnitude_edge import explore
    widget = mo.ui.anywidget(explore(table_of(8), title="small"))
    widget
    return mo, widget

@app.cell
def _(mo, widget):
    mo.md(f"Selected: {widget.value['selected']} of {len(widget.edges)}, {len(widget.selection)} row")
    return
`;

test('a widget in marimo: a cell that reads the selection runs again when it changes', async () => {
  const tables = 'small_table.py';
  cpSync(fileURLToPath(new URL(tables, import.meta.url)), join(server.folder, tables));
  writeFileSync(join(server.folder, 'app.py'), app);
  const url = await server.start(
    ['marimo', 'run', 'app.py', '--headless', '--no-token'],
    /http:\/\/localhost:\d+/,
  );
  const page = await server.open(url);
  const explorer = page.frameLocator('iframe[title="magnitude-edge explorer"]');
  await row(explorer, 2).click();
  const [source, target] =
    /(n\d+) → (n\d+)/.exec((await selectionOf(explorer).textContent()) ?? '')?.slice(1) ?? [];
  await page.getByText(`Selected: ['${source ?? ''}', '${target ?? ''}'] of 56, 1 row`).waitFor();
});
