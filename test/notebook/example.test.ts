import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { NotebookServer, OpenNotebook, patience, startJupyter, textOf } from './jupyter.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const name = 'example.ipynb';

/** A checkout as the notebook expects one around it, with a copy of the notebook that may be written to. */
function checkoutIn(folder: string): void {
  mkdirSync(join(folder, 'python'));
  cpSync(join(repository, 'python/notebooks'), join(folder, 'python/notebooks'), { recursive: true });
  symlinkSync(join(repository, 'export'), join(folder, 'export'));
}

describe('the example notebook in JupyterLab', () => {
  const server = new NotebookServer();
  afterAll(() => server.close());

  test('runs cell by cell; what is clicked in the widget is there in the next cell', async () => {
    checkoutIn(server.folder);
    const url = await startJupyter(server, 'lab');
    const page = await server.open(`${url}lab/tree/python/notebooks/${name}`);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    const notebook = new OpenNotebook(page);
    const said = new Map<string, string>();
    for (const place of await notebook.ready(name)) {
      const result = await notebook.run(place);
      const source = [result.source].flat().join('');
      said.set(source, textOf(result));
      if (!source.endsWith('\nwidget')) continue;
      const explorer = notebook.explorer(place);
      await explorer.getByRole('row', { name: /f4.*f16/ }).click();
      await explorer.getByRole('button', { name: 'known only' }).click();
      await explorer
        .getByRole('status', { name: 'Rows shown' })
        .getByText(/^17 of /)
        .waitFor();
      await expect
        .poll(() => explorer.getByRole('status', { name: 'Selection' }).textContent(), { timeout: patience })
        .toContain('f4 → f16');
      // The page tells of its rows once they have stayed for a moment.
      await page.waitForTimeout(1000);
    }
    const told = (part: string) => [...said].find(([source]) => source.includes(part))?.[1] ?? '';
    expect(told('len(widget.edges)')).toMatch(/selected: f4 → f16\n17 rows on show/);
    expect(told('len(widget.edges)')).toMatch(/f4\s+f16\s+4\s+16/);
    // The published figures of the example (demo/public/example/expected.json).
    expect(told('evaluate_target_ranking')).toContain("'mrr': 0.637");
    const [, old, now] = /loss ([\d.]+) with the old graph, ([\d.]+)/.exec(told('train(wider')) ?? [];
    expect(Number(now)).toBeLessThan(Number(old));
    expect(told('export_html')).toMatch(/example-edges.html: [\d.]+ MB/);
    expect(complaints).toEqual([]);
  });
});
