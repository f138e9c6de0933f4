import { execFile } from 'node:child_process';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { TestBrowser } from './browser.ts';

/** The guide's page: the first ten new edges of the bundled example, one JSON row each, in the text of the body. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const example = (name: string): string => join(root, 'demo/public/example', name);

/** Copies the files that the page fetches into a folder. */
export async function copyExample(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of ['model.onnx', 'data.npz']) await copyFile(example(name), join(folder, name));
}

/** The same rows as written by the command. */
export async function firstEdges(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[join(root, 'dist/cli.js'), 'infer', '--model', example('model.onnx'), '--data', example('data.npz')],
    ...['--score', 'partial', '--candidates-only', '--top', '10', '--out', '-', '--format', 'csv'],
    ...['--backend', 'cpu'],
  ]);
  return stdout.trim().split('\n').slice(1);
}

/** Text and title of the page at an address, once it shows its result; an error thrown in the page fails the test. */
export async function textOf(
  browser: TestBrowser,
  address: string,
): Promise<{ text: string; title: string }> {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  const thrown: string[] = [];
  page.on('pageerror', (error) => thrown.push(String(error)));
  try {
    await page.goto(address);
    const text = await Promise.race([
      page.waitForFunction(
        () => /src_func|refused: /.test(document.body.textContent) && document.body.textContent,
      ),
      page.waitForEvent('pageerror').then((error) => Promise.reject(error)),
    ]);
    expect(thrown).toEqual([]);
    return { text: String(await text.jsonValue()), title: await page.title() };
  } finally {
    await page.context().close();
  }
}

/** Compares names and scores of the page's rows with those of the command. */
export function expectFirstEdges(text: string, expected: readonly string[]): void {
  const rows = text.trim().split('\n');
  expect(rows.length, text).toBe(10);
  rows.forEach((row, at) => {
    const [, source, target, corr] = /"src_func": "(\w+)", "dst_func": "(\w+)".*?"corr": ([-\d.e]+)/.exec(
      row,
    )!;
    const [src, dst, , , score] = expected[at]!.split(',');
    expect([source, target]).toEqual([src, dst]);
    // The same model in the browser's build of the runtime: float32 magnitudes may differ in their last bits.
    expect(Math.abs(Number(corr) - Number(score))).toBeLessThan(1e-5);
  });
}
