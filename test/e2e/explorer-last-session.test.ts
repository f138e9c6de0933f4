import { expect, test } from 'vitest';
import { exampleScored, layerNormScored, seriousViolations, shownRows, useDemo } from './demo-page.ts';
import { storedEntries } from './page-stores.ts';

const demo = useDemo();

const offer = (name: string) => demo.page.getByRole('region', { name });

/** Settings of what a store of the page holds. */
const kept = async (store: string) => (await storedEntries(demo.page, store)).map(({ settings }) => settings);

test('the last session is offered, and comes back with its table, filters and view', async () => {
  const { page } = demo;
  await exampleScored(page);
  // The example is there anyway.
  await page.reload();
  await exampleScored(page);
  expect(await offer('Last session').count()).toBe(0);
  await layerNormScored(page);
  const before = await shownRows(page);
  await page.getByRole('tab', { name: 'Significance' }).click();
  await page.getByLabel('Score ≥').fill('0.1');
  await expect.poll(async () => String(await kept('sessions'))).toContain('minScore=0.1');
  await expect.poll(async () => (await kept('tables')).length).toBe(1);

  await page.reload();
  await offer('Last session').getByText('model.onnx with edges-data.npz').waitFor();
  await exampleScored(page);
  expect(await seriousViolations(page)).toEqual([]);
  await offer('Last session').getByRole('button', { name: 'Restore' }).click();
  await expect.poll(() => page.getByLabel('Score ≥').inputValue()).toBe('0.1');
  expect(await page.getByRole('tab', { name: 'Significance' }).getAttribute('aria-selected')).toBe('true');
  expect(await shownRows(page)).toEqual(before.slice(0, (await shownRows(page)).length));

  // A store that is cleared while the page is open, and a page that finds none.
  await page.evaluate(() => {
    indexedDB.deleteDatabase('magnitude-edge');
  });
  await page.getByLabel('Score ≥').fill('0.2');
  await page.reload();
  await exampleScored(page);
  await page.evaluate(() => {
    indexedDB.deleteDatabase('magnitude-edge');
  });
  await page.addInitScript(() => {
    // As in a private window of some browsers.
    Object.defineProperty(globalThis, 'indexedDB', {
      get: () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    });
  });
  await page.reload();
  await exampleScored(page);
  expect(await offer('Last session').count()).toBe(0);
});

test('a gallery by address: links to results', async () => {
  // A service worker's own requests are not seen here.
  await demo.open({ query: '?gallery=./example/gallery.json', serviceWorkers: 'block' });
  const { page } = demo;
  const links = page.getByRole('region', { name: 'Examples' }).getByRole('link');
  expect(await links.count()).toBe(3);
  await links.nth(1).click();
  await exampleScored(page);
  await page
    .getByText(/channel, lambda 3, layers pooled/)
    .first()
    .waitFor();
  expect(await page.getByRole('tab', { name: 'Ranking' }).getAttribute('aria-selected')).toBe('true');
});
