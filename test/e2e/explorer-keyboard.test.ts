import { expect, test } from 'vitest';
import { repeatedExample } from '../support/example-data.ts';
import { exampleScored, seriousViolations, useDemo } from './demo-page.ts';

const demo = useDemo();

const artifacts = new URL('../artifacts/', import.meta.url).pathname;

test('tabs: Home and End go to the first and the last, one of them is a stop of the keyboard', async () => {
  const { page } = demo;
  await exampleScored(page);
  const tabs = page.getByRole('tablist', { name: 'Views' });
  const chosen = () => tabs.getByRole('tab', { selected: true }).innerText();
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  await tabs.getByRole('tab', { name: 'Ranking' }).click();
  for (const [key, name] of [
    ['End', 'Edge recovery'],
    // Beyond the last is the first.
    ['ArrowRight', 'Heatmap'],
    ['ArrowLeft', 'Edge recovery'],
    ['Home', 'Heatmap'],
  ] as const) {
    await page.keyboard.press(key);
    await expect.poll(chosen).toBe(name);
    expect(await focused()).toBe(name);
  }
  const stops = await tabs
    .getByRole('tab')
    .evaluateAll((all) => all.filter((tab) => (tab as HTMLElement).tabIndex === 0).length);
  expect(stops).toBe(1);
  await page.keyboard.press('End');
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Figure');
});

test('file inputs are named, and described by what they hold or why it was refused', async () => {
  const { page } = demo;
  await exampleScored(page);
  const described = (label: string) =>
    page.getByLabel(label, { exact: true }).evaluate((input) =>
      (input.getAttribute('aria-describedby') ?? '')
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent)
        .join(' '),
    );
  expect(await described('Model')).toBe('24 function nodes, 17 edges');
  expect(await described('Data')).toBe('2,000 samples');
  expect(await described('Positives')).toBe('16 pairs');
  expect(await described('Edge table')).toBe('command-line table or session .zip');
  await page
    .getByLabel('Data', { exact: true })
    .setInputFiles({ name: 'no.npz', mimeType: 'application/octet-stream', buffer: Buffer.from('nothing') });
  await expect.poll(() => described('Data')).toBe('no.npz was refused; this one stays');
});

test('a run says that it goes on and how it ended, and is silent about every batch', async () => {
  await demo.open({ query: '?batchSize=4000' });
  const { page } = demo;
  await exampleScored(page);
  // What a screen reader is told: text that changes in a region while that is live.
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    const region = document.querySelector('.run-note')!;
    if (region.getAttribute('role') !== 'status') throw new Error('The note of a run is no live region.');
    new MutationObserver(() => {
      if (region.getAttribute('aria-live') === 'polite') said.push(region.textContent);
    }).observe(region, { childList: true, characterData: true, subtree: true });
  });
  await page.getByLabel('Data', { exact: true }).setInputFiles(await repeatedExample(64));
  await page.getByText('128,000 samples').first().waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText(/^128,000 samples in /).waitFor();
  const said = await page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
  expect(said.at(-1)).toMatch(/^128,000 samples in .*, cpu backend$/);
  expect(said.filter((text) => text.includes(' per second '))).toEqual([]);
  expect(await page.getByRole('progressbar', { name: 'Samples seen' }).getAttribute('value')).toBe('1');
});

test('forced colours: what is chosen keeps an outline, what means something its colour', async () => {
  await demo.open({ forcedColors: 'active' });
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('button', { name: 'new only' }).click();
  await page.getByRole('gridcell').first().click();
  const styleOf = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => {
        const { outlineStyle, outlineWidth, forcedColorAdjust } = getComputedStyle(element);
        return { outline: `${outlineStyle} ${outlineWidth}`, adjust: forcedColorAdjust };
      });
  for (const selector of [
    '[role=grid] [role=row][aria-selected=true]',
    'button[aria-pressed=true]',
    '.tabs button[aria-selected=true]',
  ])
    expect((await styleOf(selector)).outline, selector).toBe('solid 2px');
  expect((await styleOf('.edges .bar i')).adjust).toBe('none');
  expect((await styleOf('.legend .ramp')).adjust).toBe('none');
  for (const view of ['Heatmap', 'Network', 'Ranking']) {
    await page.getByRole('tab', { name: view }).click();
    expect(await seriousViolations(page), view).toEqual([]);
    await page.screenshot({ path: `${artifacts}explorer-forced-${view.toLowerCase()}.png` });
  }
});
