import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pages } from '../../site/pages.mjs';
import { TestBrowser } from '../support/browser.ts';
import { StaticServers } from '../support/static-server.ts';
import { demoFolder } from './build-demo.ts';

/** The site as a static host serves it, in a browser: every page whole, found, readable, and asking for nothing elsewhere. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${root}test/artifacts/site`;
const browser = new TestBrowser();
const servers = new StaticServers();
let site: string;
let axe: string;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['site/build.mjs', folder, demoFolder], { cwd: root });
  site = await servers.serve(folder);
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});
afterAll(async () => {
  await browser.close();
  servers.close();
});

/** Opens the site; what fails, is logged as an error or leads elsewhere fails the test. */
async function withSite(
  options: { colorScheme?: 'light' | 'dark'; width?: number },
  work: (page: Page) => Promise<void>,
): Promise<void> {
  const { colorScheme = 'light', width = 1440 } = options;
  const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`${message.text()} ${message.location().url}`);
  });
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(site)) wrong.push(request.url());
  });
  page.on('response', (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`);
  });
  try {
    await work(page);
    expect(wrong).toEqual([]);
  } finally {
    await page.context().close();
  }
}

describe.each([
  ['light', 1440],
  ['dark', 390],
] as const)('%s, %i px wide', (colorScheme, width) => {
  test('pages are accessible and no wider than its window', async () => {
    await withSite({ colorScheme, width }, async (page) => {
      const found: unknown[] = [];
      for (const { name } of pages) {
        await page.goto(`${site}/${name}.html`);
        await page.evaluate(axe);
        const violations: unknown[] = await page.evaluate(`axe.run().then(({ violations }) =>
          violations.map(({ id, nodes }) => [id, nodes.length, nodes[0].html.slice(0, 120), nodes[0].failureSummary]))`);
        if (violations.length > 0) found.push(name, ...violations);
        if ((await page.evaluate('document.documentElement.scrollWidth')) !== width)
          found.push(`${name} is too wide`);
      }
      expect(found).toEqual([]);
    });
  });
});

test('links between pages lead to what is there, anchors too', async () => {
  await withSite({}, async (page) => {
    const ids = new Map<string, Set<string>>();
    const twice: string[] = [];
    const links: (readonly [from: string, to: string])[] = [];
    for (const { name } of pages) {
      await page.goto(`${site}/${name}.html`);
      const found: { ids: string[]; hrefs: string[] } = await page.evaluate(() => ({
        ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
        hrefs: [...document.querySelectorAll('a')].map(({ href }) => href),
      }));
      ids.set(`/${name}.html`, new Set(found.ids));
      twice.push(...found.ids.filter((id, at) => found.ids.indexOf(id) !== at).map((id) => `${name}#${id}`));
      links.push(...found.hrefs.map((href) => [name, href] as const));
    }
    expect(twice).toEqual([]);
    const dead: string[] = [];
    const asked = new Map<string, Promise<boolean>>();
    for (const [from, to] of links) {
      const { origin, pathname, hash } = new URL(to);
      if (origin !== site) continue;
      asked.set(pathname, asked.get(pathname) ?? fetch(site + pathname).then(({ ok }) => ok));
      const there = await asked.get(pathname)!;
      const anchors = ids.get(pathname);
      if (!there || (hash !== '' && anchors?.has(decodeURIComponent(hash.slice(1))) === false))
        dead.push(`${from} → ${to}`);
    }
    expect([...new Set(dead)]).toEqual([]);
  });
});

test('a search finds a section, and Enter goes there', async () => {
  await withSite({}, async (page) => {
    await page.goto(`${site}/`);
    await page.keyboard.press('/');
    await page.keyboard.type('standard error');
    await page.getByRole('option').first().waitFor();
    expect(await page.getByRole('option').allTextContents()).toContain('How sure a score isGuide');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\.html/);
  });
});

test('the theme is changed by its button, and kept', async () => {
  await withSite({}, async (page) => {
    await page.goto(`${site}/cite.html`);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.getByRole('button', { name: 'Light or dark' }).click();
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.goto(`${site}/trust.html`);
    expect(await ground()).toBe(dark);
  });
});

test('after a first visit every page is there without a network; so are the search, and an example that ran', async () => {
  await withSite({}, async (page) => {
    const runExample = async () => {
      const example = page.locator('h2:text-is("The example network") ~ .example').first();
      await example.getByRole('button', { name: 'Run' }).click();
      await example.locator('.output', { hasText: 'f13' }).waitFor({ timeout: 300_000 });
    };
    await page.goto(`${site}/gallery.html`);
    await page.waitForFunction(
      () => document.documentElement.dataset.offline === 'ready' && navigator.serviceWorker.controller,
    );
    await runExample();
    await page.context().setOffline(true);
    for (const { name } of pages) {
      await page.goto(`${site}/${name}.html`);
      await page.locator('h1').waitFor();
    }
    await page.goto(`${site}/reference/index.html`);
    await page.locator('h1, h2').first().waitFor();
    await page.goto(`${site}/`);
    await page.keyboard.press('/');
    await page.keyboard.type('jackknife');
    await page.getByRole('option').first().waitFor();
    await page.goto(`${site}/gallery.html`);
    await runExample();
  });
});

/** The gallery's headings, and what their programs print at last. */
const examples = [
  ['The example network', /f\d+ +f\d+ +0\.\d+/],
  ['A signalling pathway', /"mrr":0\.\d+/],
  ['How sure a score is', /f\d+ → f\d+ +0\.\d+ +0\.\d+ +1 +0\.\d+/],
  ['Edges that are hidden and come back', /"n_positives":1.*"mrr":(0\.\d+|1)/],
  ['A loss of your own', /logCosh[^]*f\d+ +f\d+/],
  ['Gradients of any ONNX model', /d loss \/ d .*bytes of ONNX/s],
] as const;

test('examples run where they stand', async () => {
  await withSite({}, async (page) => {
    await page.goto(`${site}/gallery.html`);
    for (const [heading, says] of examples) {
      const example = page.locator(`h2:text-is("${heading}") ~ .example`).first();
      await example.getByRole('button', { name: 'Run' }).click();
      await example.locator('.output', { hasText: says }).waitFor({ timeout: 300_000 });
    }
  });
});

test('the explorer opens from the first page', async () => {
  await withSite({}, async (page) => {
    await page.goto(`${site}/`);
    await page.getByRole('link', { name: 'Open the explorer' }).click();
    await page.getByRole('grid').waitFor({ timeout: 300_000 });
  });
});
