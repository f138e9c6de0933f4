import { expect, test } from 'vitest';
import { exampleFile } from '../support/example-data.ts';
import { downloaded, exampleScored, seriousViolations, useDemo } from './demo-page.ts';

const demo = useDemo();

test('the first screen: what the page is, what the example shows, and how a model comes in', async () => {
  const { page } = demo;
  const welcome = page.getByRole('region', {
    name: 'Which edges is a trained graph-structured network missing?',
  });
  await exampleScored(page);
  await welcome.getByText(/^The example: 16 edges were left out/).waitFor();
  const said = await welcome.locator('.finding').innerText();
  await page.getByRole('tab', { name: 'Ranking' }).click();
  const figure = (name: string) =>
    page.locator('dt', { hasText: name }).locator('xpath=following-sibling::dd').first().innerText();
  expect(said).toContain(`ROC AUC ${await figure('ROC AUC')}`);
  const early = Number(
    await page
      .getByRole('row', { name: /^corr, mean of layers/ })
      .getByRole('cell')
      .nth(3)
      .innerText(),
  );
  // Three decimals are shown of a share of 16.
  const found = Number(/(\d+) of the \d+ top-ranked new pairs/.exec(said)?.[1]);
  expect(Math.abs(found / 16 - early)).toBeLessThan(1e-3);
  await welcome.getByRole('button', { name: 'How it works' }).click();
  await page.getByRole('dialog').getByText('export_gsnn(model, data, "model.onnx")').waitFor();
  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    welcome.getByRole('button', { name: 'Open your model' }).click(),
  ]);
  await chooser.setFiles(await exampleFile('model.onnx'));
  await welcome.waitFor({ state: 'detached' });
});

test('panes: a second view, a border that moves by keys, links that skip, and values under the pointer', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('button', { name: 'Got it' }).click();
  await page.evaluate(() => {
    document.body.tabIndex = -1;
    document.body.focus();
  });
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to inputs');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('edges');

  await page.getByRole('button', { name: 'Split' }).click();
  await page.getByRole('tablist', { name: 'Second view' }).getByRole('tab', { name: 'Ranking' }).click();
  await page.getByRole('img', { name: /^ROC curve/ }).hover({ position: { x: 120, y: 60 } });
  const tooltip = await page.getByRole('tooltip').innerText();
  expect(tooltip).toMatch(/^ROC\s+false positive rate 0\.\d{3}\s+true positive rate [01]\.\d{3}$/);
  await page.locator('.crosshair').waitFor();
  // Both panes are there, and no view twice.
  await page.getByRole('tablist', { name: 'Second view' }).getByRole('tab', { name: 'Heatmap' }).click();
  await page
    .getByRole('tablist', { name: 'Views' })
    .getByRole('tab', { name: 'Ranking', selected: true })
    .waitFor();
  await page.getByRole('application', { name: /^Heatmap/ }).waitFor();
  expect(await seriousViolations(page)).toEqual([]);

  const border = page.getByRole('separator', { name: 'Border between table and views' });
  const width = async () => (await page.getByRole('main').boundingBox())!.width;
  const before = await width();
  await border.focus();
  await page.keyboard.press('ArrowLeft');
  await expect.poll(width).toBeGreaterThan(before + 20);
  await page.keyboard.press('Home');
  await expect.poll(async () => (await page.locator('.table-pane').boundingBox())!.width).toBeLessThan(2);
  await page.keyboard.press('ArrowRight');
  await expect
    .poll(async () => (await page.locator('.table-pane').boundingBox())!.width)
    .toBeGreaterThan(100);
  await page.getByRole('button', { name: 'Hide inputs' }).click();
  await page.getByRole('complementary').waitFor({ state: 'hidden' });

  // As it was left.
  await page.reload();
  await page.getByRole('button', { name: 'Show inputs' }).waitFor();
  await page.getByRole('tablist', { name: 'Second view' }).waitFor();
});

test('a session goes into a file and opens again: table, positives, filter, view, selection', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('button', { name: 'new only' }).click();
  await page.getByRole('tab', { name: 'Evidence' }).click();
  await page.getByRole('gridcell').first().click();
  const selected = await page.getByRole('status', { name: 'Selection' }).innerText();
  const rows = await page.getByRole('status', { name: 'Rows shown' }).innerText();
  const { name, bytes } = await downloaded(page, 'Session');
  expect(name).toBe('model_data_corr_mean_n2000_session.zip');
  await demo.open();
  const again = demo.page;
  await exampleScored(again);
  await again.getByText('Name lists and edge tables').click();
  await again
    .getByLabel('Edge table', { exact: true })
    .setInputFiles({ name, mimeType: 'application/zip', buffer: bytes });
  await again.getByRole('status', { name: 'Rows shown' }).getByText(rows, { exact: true }).waitFor();
  await again.getByRole('tab', { name: 'Evidence', selected: true }).waitFor();
  expect(await again.getByRole('status', { name: 'Selection' }).innerText()).toBe(selected);
  await again.getByText('16 pairs', { exact: true }).waitFor();
});

test('the page downloads the runtime early, and not for a table alone', async () => {
  const runtimes = (page = demo.page) =>
    page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map(({ name }) => name.split('/').at(-1)!)
        .filter((name) => name.endsWith('.wasm')),
    );
  // Requests of workers are not among them.
  await exampleScored(demo.page);
  expect(await runtimes()).toEqual([expect.stringMatching(/^ort-wasm-simd-threaded-[\w-]+\.wasm$/)]);

  const { page } = await demo.open({ serviceWorkers: 'block' });
  await page.route(
    ({ pathname }) => pathname === '/mine.csv',
    (route) => route.fulfill({ body: 'src_func,dst_func,corr\na,b,0.5\n' }),
  );
  await page.goto(new URL('?table=./mine.csv', page.url()).href);
  await page.getByRole('gridcell').first().waitFor();
  expect(await runtimes(page)).toEqual([]);
});
