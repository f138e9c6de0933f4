import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { patience, python } from './jupyter.ts';

const folder = mkdtempSync(join(tmpdir(), 'export-html-'));
const browser = new TestBrowser();
afterAll(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

const script = `
import sys
sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL('.', import.meta.url)))})
from small_table import table_of
from magnitude_edge import export_html
table = table_of(60)
names = [f"n{k}" for k in range(60)]
export_html(table, sys.argv[1], names=names, positives=[("n1", "n2")], title="from a colleague")
print(table.iloc[2][["src_func", "dst_func"]].str.cat(sep=" → "))
`;

test('a file from Python opens from a disk, with all its views and without a network', async () => {
  const file = join(folder, 'edges.html');
  const third = execFileSync(python, ['-c', script, file], { encoding: 'utf8' }).trim();
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  page.setDefaultTimeout(patience);
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(pathToFileURL(file).href);
  expect(await page.title()).toBe('from a colleague');
  await page.locator('[role=grid] [aria-rowindex="4"]').click();
  await page.getByRole('status', { name: 'Selection' }).getByText(third).waitFor();
  await expect
    .poll(() => page.getByRole('status', { name: 'Rows shown' }).textContent(), { timeout: patience })
    .toBe('3,540 rows');
  await page.locator('canvas[data-order=index]').waitFor();
  for (const [tab, sign] of [
    ['Network', 'known,'],
    ['Evidence', 'candidates'],
    ['Ranking', 'ROC'],
    ['Significance', 'p-values of all scored pairs'],
  ] as const) {
    await page.getByRole('tab', { name: tab }).click();
    await page.getByRole('tabpanel').getByText(sign).first().waitFor();
  }
  await page.getByRole('button', { name: 'Figure' }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download SVG' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/significance.svg$/);
  expect(requests.filter((url) => !/^(file|blob|data):/.test(url))).toEqual([]);
  expect(complaints).toEqual([]);
});

const bytesScript = `
import sys
sys.path.insert(0, ${JSON.stringify(fileURLToPath(new URL('.', import.meta.url)))})
from pathlib import Path
from small_table import table_of
from magnitude_edge.explorer_data import built_file, explorer_data
Path(sys.argv[1]).write_bytes(explorer_data(table_of(60)).content)
print(built_file("explorer.html"))
`;

test('a filter that is being typed when the table arrives stays', async () => {
  const file = join(folder, 'table.arrow');
  const explorer = execFileSync(python, ['-c', bytesScript, file], { encoding: 'utf8' }).trim();
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  page.setDefaultTimeout(patience);
  await page.goto(pathToFileURL(explorer).href);
  const field = page.getByLabel('Score ≥');
  await field.pressSequentially('0.');
  const facts = { version: 1, title: 'table', names: null, positives: [] };
  await page.evaluate(
    ([base64, told]) => {
      // A page that nobody holds is its own parent.
      const { port1, port2 } = new MessageChannel();
      window.postMessage('connect', '*', [port2]);
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      port1.postMessage({ kind: 'table', facts: told, bytes });
    },
    [readFileSync(file).toString('base64'), facts] as const,
  );
  await page.locator('[role=grid] [aria-rowindex="4"]').waitFor();
  await field.press('End');
  await field.pressSequentially('5');
  await field.press('Enter');
  expect(await field.inputValue()).toBe('0.5');
  const shown = page.getByRole('status', { name: 'Rows shown' });
  await expect.poll(() => shown.textContent(), { timeout: patience }).toMatch(/^\d+ of 3,540$/);
  // What is no number is put back when the field is left.
  await field.fill('none');
  await field.blur();
  expect(await field.inputValue()).toBe('0.5');
});
