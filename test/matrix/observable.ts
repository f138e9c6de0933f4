import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { commandsOf, DocumentPage } from '../support/document-snippets.ts';
import { copyExample, firstEdges } from '../support/first-edges.ts';
import { installPacked } from '../support/packed.ts';
import { StaticServers } from '../support/static-server.ts';

/** Pages that Observable's programs build of the snippets of docs/notebooks.md, by the commands that stand there. */

interface Notebook {
  readonly heading: string;
  /** The snippet's language, and the file that it stands in */
  readonly language: string;
  readonly file: string;
  /** Where the model and the data are */
  readonly data: string;
  /** What is built */
  readonly out: string;
  /** Packages of the document's own words, with the versions that are tried */
  readonly versions: Readonly<Record<string, string>>;
}

/** The tests of a page that one of the programs builds, in a folder of its own. */
export function observableJob({ heading, language, file, data, out, versions }: Notebook): void {
  const page = new DocumentPage('docs/notebooks.md');
  const browser = new TestBrowser();
  const servers = new StaticServers();
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-observable-'));
    const { packages, commands } = commandsOf(page.snippet(heading, 'sh'));
    await installPacked(
      folder,
      packages.map((name) => `${name}@${versions[name]!}`),
    );
    await mkdir(join(folder, data), { recursive: true });
    await copyExample(join(folder, data));
    await writeFile(join(folder, file), page.snippet(heading, language));
    const env = { ...process.env, OBSERVABLE_TELEMETRY_DISABLE: '1' };
    await promisify(execFile)('bash', ['-euc', commands], { cwd: folder, env });
  });
  afterAll(async () => {
    await browser.close();
    servers.close();
    await rm(folder, { recursive: true });
  });

  test(`${heading}: the built page draws the edges`, async () => {
    const site = await servers.serve(join(folder, out));
    const tab = await browser.newPage();
    const thrown: string[] = [];
    tab.on('pageerror', (error) => thrown.push(String(error)));
    // Fonts of other sites are no part of this.
    await tab.route(
      (url) => url.origin !== site,
      (route) => route.abort(),
    );
    await tab.goto(`${site}/`);
    await tab
      .locator('svg g[aria-label="bar"] rect')
      .nth(9)
      .or(tab.locator('.observablehq--error'))
      .waitFor({ state: 'attached' });
    expect(await tab.locator('.observablehq--error').allTextContents()).toEqual([]);
    const names = await tab.locator('g[aria-label="y-axis tick label"] text').allTextContents();
    const bars = await tab
      .locator('svg g[aria-label="bar"] rect')
      .evaluateAll((rects) => rects.map((rect) => Number(rect.getAttribute('width'))));
    expect(thrown).toEqual([]);

    const expected = (await firstEdges()).map((row) => row.split(','));
    expect(names).toEqual(expected.map(([source, target]) => `${source!} → ${target!}`));
    const [first] = expected.map((row) => Number(row[4]));
    // Bars are as long as their scores: Plot writes pixels with all their digits, the model's last bits may differ.
    bars.forEach((width, at) => {
      expect(width / bars[0]!).toBeCloseTo(Number(expected[at]![4]) / first!, 4);
    });
  });
}
