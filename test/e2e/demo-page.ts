import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { preview, type PreviewServer } from 'vite';
import { TestBrowser } from '../support/browser.ts';
import { exampleFile, layerNormFolder } from '../support/example-data.ts';
import { demoFolder } from './build-demo.ts';

/** The built page on a server of its own, in a real Chromium. */
interface DemoSite {
  readonly url: string;
  /** A fresh page; what it says on the console and throws is kept in `complaints`. */
  open(options?: BrowserContextOptions & { query?: string }): Promise<DemoPage>;
  close(): Promise<void>;
}

export interface DemoPage {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly complaints: string[];
}

/** Milliseconds that the page has for what a test waits for. */
export const patience = 240_000;

/** What a page says that was opened with `serviceWorkers: 'block'`. */
const blocked = 'Service Worker registration blocked by Playwright';

async function startDemo(): Promise<DemoSite> {
  const server: PreviewServer = await preview({
    ...{ mode: 'demo', logLevel: 'error' },
    build: { outDir: demoFolder },
    preview: { port: 0 },
  });
  const address = server.httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('The preview server has no port.');
  const url = `http://localhost:${address.port}/`;
  const browser = new TestBrowser();
  return {
    url,
    async open({ query = '', ...options } = {}) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
      const complaints: string[] = [];
      // A machine that is busy is slow, not wrong.
      page.setDefaultTimeout(patience);
      page.on('console', (message) => {
        const text = message.text();
        if (['error', 'warning'].includes(message.type()) && text !== blocked) complaints.push(text);
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(url + query);
      return { page, context: page.context(), complaints };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** Opens the site for a test file: a fresh page before each test; after it, whatever a page has complained of fails. */
export function useDemo(): DemoPage & Pick<DemoSite, 'open'> {
  let site: DemoSite;
  let demo: DemoPage;
  beforeAll(async () => {
    site = await startDemo();
  });
  afterAll(async () => {
    await site.close();
  });
  beforeEach(async () => {
    demo = await site.open();
  });
  const closePage = async () => {
    expect(demo.complaints).toEqual([]);
    await demo.context.close();
  };
  afterEach(closePage);
  return {
    get page() {
      return demo.page;
    },
    get context() {
      return demo.context;
    },
    get complaints() {
      return demo.complaints;
    },
    /** Another page instead, with other options. */
    open: async (options) => {
      await closePage();
      demo = await site.open(options);
      return demo;
    },
  };
}

/** Waits until the bundled example has been fitted and its scores stand in the table. */
export async function exampleScored(page: Page): Promise<void> {
  await page.getByText(/^2,000 samples in /).waitFor();
}

/** Waits until the positives are marked: they are looked up beside the page, a moment after the rows of a new table are there. */
export async function positivesMarked(page: Page): Promise<void> {
  const grid = page.getByRole('grid', { name: 'Edges' });
  await grid.getByText('positive', { exact: true }).first().waitFor();
}

/** Opens a model whose norm leaves nothing of magnitudes behind it, and its data, instead, and waits for their scores. */
export async function layerNormScored(page: Page): Promise<void> {
  for (const [label, name] of [
    ['Model', 'model.onnx'],
    ['Data', 'edges-data.npz'],
  ] as const) {
    const file = await exampleFile(name, layerNormFolder);
    await page.getByLabel(label, { exact: true }).setInputFiles(file);
  }
  await page.getByText(/^107 samples in /).waitFor();
}

/** Numbers of the table's first rows as they are shown, by column title. */
export async function shownRows(page: Page): Promise<Record<string, string>[]> {
  const grid = page.getByRole('grid', { name: 'Edges' });
  const titles = await grid.getByRole('columnheader').allInnerTexts();
  return grid.getByRole('row').evaluateAll(
    (rows, names) =>
      rows
        .map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent))
        .filter((cells) => cells.length > 0)
        .map((cells) => Object.fromEntries(names.map((name, k) => [name, cells[k] ?? '']))),
    titles.map((title) => title.replace(/[\s↓↑]+$/, '')),
  );
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds serious or critical on the page as it is. */
export async function seriousViolations(page: Page): Promise<string[]> {
  // What is still appearing has not its colours yet.
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter(({ effect }) => Number(effect?.getComputedTiming().endTime) < Infinity)
        .map(({ finished }) => finished),
    ),
  );
  // As a script of the page it would be against its policy.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
  });
}

/** How a figure is asked for: what is set in its dialog, by labels. */
export type FigureChoices = Readonly<Record<string, string>>;

/** The first figure of the view on show, as its dialog saves it. */
export async function figureOf(
  page: Page,
  format: 'SVG' | 'PNG',
  choices: FigureChoices = {},
): Promise<{ name: string; bytes: Buffer }> {
  await page.getByRole('button', { name: 'Figure' }).click();
  const dialog = page.getByRole('dialog', { name: 'Figure' });
  for (const [label, value] of Object.entries(choices)) {
    const field = dialog.getByLabel(label, { exact: true });
    if ((await field.evaluate(({ tagName }) => tagName)) === 'SELECT') await field.selectOption(value);
    else {
      await field.fill(value);
      await field.press('Tab');
    }
  }
  const saved = await downloaded(page, `Download ${format}`);
  await dialog.getByRole('button', { name: 'Close' }).click();
  return saved;
}

/** Saves the view on show as SVG, which must parse, and as PNG, which must have its size. */
export async function expectPictures(page: Page, view: string): Promise<void> {
  const svg = await figureOf(page, 'SVG');
  expect(svg.name).toMatch(new RegExp(`_n\\d+_${view.toLowerCase().split(' ').at(-1)!}\\.svg$`));
  const root = await svgRoot(page, svg.bytes.toString('utf8'));
  expect(root.name).toBe('svg');
  expect(root.width).toBe('85mm');
  expect(root.texts.length).toBeGreaterThan(2);
  expect(root.about).toMatch(/^Model .+, data .+, [\d,]+ samples? of /);
  const png = await figureOf(page, 'PNG');
  expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
  // 85 mm at 300 dots for each 25.4 mm.
  expect(png.bytes.readUInt32BE(16)).toBe(1004);
}

/** What a figure's file says, read by the browser's own parser. */
export function svgRoot(page: Page, text: string) {
  return page.evaluate((file) => {
    const root = new DOMParser().parseFromString(file, 'image/svg+xml').documentElement;
    const textsOf = (selector: string) =>
      [...root.querySelectorAll(`${selector} text`)].map(({ textContent }) => textContent);
    return {
      name: root.nodeName,
      width: root.getAttribute('width'),
      height: root.getAttribute('height'),
      viewBox: root.getAttribute('viewBox'),
      about: root.querySelector('desc')?.textContent,
      texts: textsOf(':scope'),
      barTexts: textsOf('.colour-bar'),
      grounds: [...root.querySelectorAll(':scope > rect')].map((rect) => rect.getAttribute('fill')),
    };
  }, text);
}

/** What a button downloads. */
export async function downloaded(page: Page, button: string): Promise<{ name: string; bytes: Buffer }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button, exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}
