import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { downloaded, exampleScored, seriousViolations, shownRows, useDemo } from './demo-page.ts';

const demo = useDemo('scores');

const choose = (label: string, value: string) =>
  demo.page.getByLabel(label, { exact: true }).selectOption(value);
const standing = (text: string) =>
  demo.page
    .getByRole('region', { name: 'What these results are of' })
    .getByText(`model.onnx with data.npz (${text}, n = 2,000)`, { exact: true })
    .waitFor();
const tab = (name: string) => demo.page.getByRole('tab', { name }).click();

test('channel scores: table, views, files, methods text and link speak of them', async () => {
  const { page } = demo;
  await exampleScored(page);
  await choose('Score', 'channel');
  await standing('channel, lambda 3, mean of layers');
  const [first] = await shownRows(page);
  expect(Object.keys(first!)).toEqual([
    'Source',
    'Target',
    'Score',
    'Edge',
    'layer 0→1',
    'layer 1→2',
    'layer 2→3',
  ]);
  expect(first).toMatchObject({ Source: 'f1', Target: 'f2', Score: '0.1984' });
  // No sign, so no colours of one.
  await page.getByRole('img', { name: /^Colours from 0 to 0\.1/ }).waitFor();
  expect(await page.locator('.score .negative').count()).toBe(0);
  await tab('Significance');
  await page.getByText(/^These scores have no p-values/).waitFor();

  const arrow = await downloaded(page, 'Download Arrow');
  expect(arrow.name).toBe('model_data_channel_mean_n2000.arrow');
  const table = tableFromIPC(arrow.bytes);
  expect(table.schema.fields.map(({ name }) => name)).toContain('score_a0_g1');
  expect(Object.fromEntries(table.schema.metadata)).toMatchObject({ score: 'channel', lambda: '3' });
  const text = (await downloaded(page, 'Download TSV')).bytes.toString();
  expect(text.split('\n')[0]!.split('\t').slice(0, 5)).toEqual([
    'src_func',
    'dst_func',
    'src_idx',
    'dst_idx',
    'score',
  ]);
  await page.getByRole('button', { name: 'Methods text' }).click();
  const methods = await page.getByRole('dialog').innerText();
  expect(methods).toContain('ridge regression (lambda = 3 per observation)');
  expect(methods).not.toContain('p-values');
  await page.getByRole('button', { name: 'Close' }).click();

  await page.getByLabel('Lambda').fill('10');
  await page.getByLabel('Lambda').press('Enter');
  await standing('channel, lambda 10, mean of layers');
  await choose('Aggregate', 'pooled');
  await standing('channel, lambda 10, layers pooled');
  expect(Object.keys((await shownRows(page))[0]!)).toEqual(['Source', 'Target', 'Score', 'Edge']);
  await page.getByRole('button', { name: 'Copy link' }).click();
  const link = new URL(page.url()).searchParams;
  expect(Object.fromEntries(link)).toMatchObject({
    score: 'channel',
    channelLambda: '10',
    layerAgg: 'pooled',
  });
  const shown = await shownRows(page);
  await page.reload();
  await standing('channel, lambda 10, layers pooled');
  expect(await shownRows(page)).toEqual(shown);
  // An aggregation that correlations do not have gives way.
  await choose('Score', 'corr');
  await standing('corr, mean of layers');
});

test('the target view draws the block behind a channel score, whose size is that score', async () => {
  const { page } = demo;
  await exampleScored(page);
  await choose('Score', 'channel');
  await standing('channel, lambda 3, mean of layers');
  await page.getByRole('gridcell').first().click();
  await tab('Target');
  const block = page.getByRole('img', { name: /coefficients from f1 to f2/ });
  expect(await block.getAttribute('aria-label')).toMatch(/score 0\.2056$/);
  const cells = block.locator('rect');
  const label = await block.getAttribute('aria-label');
  const [rows, columns] = /^(\d+) by (\d+)/.exec(label!)!.slice(1).map(Number) as [number, number];
  expect(await cells.count()).toBe(rows * columns);
  const values = (await cells.locator('title').allTextContents()).map((title) =>
    Number(title.split(': ')[1]!.replace('−', '-')),
  );
  const norm = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / columns);
  // Values are shown to three digits.
  expect(Math.abs(norm - 0.2056)).toBeLessThan(5e-4);
  await choose('Layers', '1');
  await page.getByRole('img', { name: /coefficients from f1 to f2, .*score 0\.1910$/ }).waitFor();
  expect(await seriousViolations(page)).toEqual([]);
});
