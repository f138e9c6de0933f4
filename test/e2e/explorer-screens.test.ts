import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { largeModel, largeModelData, longNamedGraph } from '../support/large-model.ts';
import { exampleScored, seriousViolations, useDemo } from './demo-page.ts';

/** `npm run screens`: all that the page shows of a network of 600 nodes with long names, as pictures in this folder. */
const artifacts = new URL('../artifacts/screens/', import.meta.url).pathname;
mkdirSync(artifacts, { recursive: true });

const demo = useDemo();

const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });

/** The network of a folder with model.onnx, data.npz and heldout.csv that SCREENS_NETWORK names, or one made here. */
async function network() {
  const folder = process.env.SCREENS_NETWORK;
  const of = async (name: string) => file(name, await readFile(`${folder}/${name}`));
  if (folder)
    return { model: await of('model.onnx'), data: await of('data.npz'), positives: await of('heldout.csv') };
  const graph = longNamedGraph();
  const pairs = graph.functions.slice(0, 100).map((name, k) => `${name},${graph.functions[k + 300]}`);
  return {
    model: file('model.onnx', Buffer.from(largeModel(graph))),
    data: file('data.csv', Buffer.from(largeModelData(300))),
    positives: file('heldout.csv', Buffer.from(['src,dst', ...pairs, ''].join('\n'))),
  };
}

/** Opens the network, has it fitted, and selects the best new pair. */
async function openNetwork(page: Page): Promise<void> {
  await exampleScored(page);
  const { model, data, positives } = await network();
  await page.getByLabel('Model', { exact: true }).setInputFiles(model);
  await page.getByText(/^600 function nodes, /).waitFor();
  await page.getByLabel('Data', { exact: true }).setInputFiles(data);
  await page.getByText(/^(1,500|300) samples in /).waitFor();
  await page.getByLabel('Positives', { exact: true }).setInputFiles(positives);
  await page.getByRole('button', { name: 'new only' }).click();
  await page.getByText(/^[\d,]+ of 359,400$/).waitFor();
  await page.getByRole('gridcell').first().click();
}

/** Nothing is still to come, as far as a page can tell. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
  await page.evaluate(
    () =>
      new Promise((done) => {
        requestIdleCallback(() => requestAnimationFrame(() => requestAnimationFrame(done)));
      }),
  );
}

/** Text that runs out of its place, and controls that something lies over; by what they say. */
const faultsIn = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const said = (element: Element) =>
      `${element.localName}.${element.getAttribute('class') ?? ''} ${(element.getAttribute('aria-label') ?? element.textContent).slice(0, 60)}`;
    const isSeen = (element: Element) =>
      element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
      !element.closest('.visually-hidden, .skip-links, svg');
    /** The part of an element that is in sight, of all that clips it. */
    const inSight = (element: Element) => {
      let { left, right, top, bottom } = element.getBoundingClientRect();
      for (let at = element.parentElement; at; at = at.parentElement) {
        if (getComputedStyle(at).overflow === 'visible') continue;
        const box = at.getBoundingClientRect();
        [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
        [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
      }
      [left, right] = [Math.max(left, 0), Math.min(right, innerWidth)];
      return { left, right, top: Math.max(top, 0), bottom: Math.min(bottom, innerHeight) };
    };
    const spilling = [...document.querySelectorAll('body *')]
      .filter(
        (element) =>
          isSeen(element) &&
          element.clientWidth > 0 &&
          element.scrollWidth > element.clientWidth + 1 &&
          getComputedStyle(element).overflowX === 'visible' &&
          getComputedStyle(element).display !== 'inline',
      )
      .map((element) => `spills: ${said(element)}`);
    const modal = document.querySelector('dialog:modal');
    const covered = [...(modal ?? document).querySelectorAll('button, select, summary, a, input')]
      .filter((control) => {
        if (!isSeen(control)) return false;
        const box = control.getBoundingClientRect();
        const seen = inSight(control);
        // Scrolled out of sight, or cut by what scrolls.
        if (seen.right - seen.left < box.width - 1 || seen.bottom - seen.top < box.height - 1) return false;
        // A link may go over two lines.
        const [line = box] = control.getClientRects();
        const at = document.elementFromPoint((line.left + line.right) / 2, (line.top + line.bottom) / 2);
        // What sticks to the screen's edge lies over what scrolls under it.
        return !control.contains(at) && !at?.closest('label, .foot, .head, .result-bar');
      })
      .map((control) => `covered: ${said(control)}`);
    return [...spilling, ...covered];
  });

const themes = ['light', 'dark'] as const;

/** Widths at which axe looks at a screen as well, each in one theme: what it finds does not depend on both. */
const axeLooksAt: Readonly<Record<number, (typeof themes)[number]>> = { 1280: 'light', 390: 'dark' };

/** Takes a screen in both themes; what is wrong with it. */
async function look(page: Page, name: string): Promise<string[]> {
  const { width } = page.viewportSize()!;
  const found: string[] = [];
  for (const colorScheme of themes) {
    await page.emulateMedia({ colorScheme });
    await settled(page);
    await page.screenshot({ path: `${artifacts}${width}-${name}-${colorScheme}.png` });
    if (axeLooksAt[width] === colorScheme)
      found.push(...(await seriousViolations(page)).map((text) => `${name}, ${colorScheme}: ${text}`));
  }
  found.push(...(await faultsIn(page)).map((text) => `${name}: ${text}`));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  return wide > width ? [...found, `${name}: ${wide} pixels wide`] : found;
}

/** What has come once a view is whole. */
const arrived: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  Heatmap: (page) => page.locator('canvas[data-order]').waitFor(),
  Network: async (page) => {
    await page.getByText(/known, 50 inferred/).waitFor();
  },
  Evidence: (page) => page.getByText(/^One plot for each layer pair/).waitFor(),
  Ranking: (page) => page.getByRole('img', { name: /^ROC curve/ }).waitFor(),
  Significance: (page) => page.getByRole('img', { name: /pairs not in the graph and/ }).waitFor(),
  Compare: (page) => page.getByRole('img', { name: /^[\d,]+ pairs: / }).waitFor(),
  'Edge recovery': (page) => page.getByRole('button', { name: 'Permute the graph' }).waitFor(),
};

test.each([
  [1440, 900],
  [1280, 800],
  [768, 1024],
  [390, 844],
])('every screen, %i pixels wide', async (width, height) => {
  const isPhone = width < 700;
  await demo.open({
    viewport: { width, height },
    ...(isPhone && { isMobile: true, hasTouch: true, deviceScaleFactor: 1 }),
  });
  const { page } = demo;
  await exampleScored(page);
  await page.getByText(/^The example: 16 edges were left out/).waitFor();
  const found = await look(page, 'first');
  await page.getByRole('button', { name: 'How it works' }).click();
  found.push(...(await look(page, 'how')));
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();

  await openNetwork(page);
  // Two results, to be compared.
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  await page
    .getByText(/\(partial, /)
    .first()
    .waitFor();
  await page.getByRole('progressbar').waitFor({ state: 'attached' });
  found.push(...(await look(page, 'table')));
  const views = page.getByRole('tablist', { name: 'Views' });
  for (const [name, hasCome] of Object.entries(arrived)) {
    const slug = name.toLowerCase().replace(' ', '-');
    await views.getByRole('tab', { name, exact: true }).click();
    await hasCome(page);
    if (isPhone)
      await page.getByRole('main').evaluate((main) => {
        main.scrollIntoView();
      });
    found.push(...(await look(page, slug)));
  }
  await views.getByRole('tab', { name: 'Ranking' }).click();
  await page.getByRole('button', { name: 'Figure' }).click();
  await page.getByRole('img', { name: /^Preview/ }).waitFor();
  found.push(...(await look(page, 'figure')));
  expect(found).toEqual([]);
});
