import { tableFromIPC, type Table } from 'apache-arrow';
import { expect, test } from 'vitest';
import { exampleFile } from '../support/example-data.ts';
import { downloaded, exampleScored, seriousViolations, shownRows, useDemo } from './demo-page.ts';

const demo = useDemo();

const choose = (label: string, value: string) =>
  demo.page.getByLabel(label, { exact: true }).selectOption(value);
const standing = (text: string) =>
  demo.page
    .getByRole('region', { name: 'Provenance of these results' })
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
  await choose('Score', 'corr');
  await standing('corr, layers pooled');
});

test('regression of magnitudes has its errors and p; correlations can be those of ranks', async () => {
  const { page } = demo;
  await exampleScored(page);
  await choose('Score', 'regression');
  await standing('regression, lambda 0.3, mean of layers');
  expect(Object.keys((await shownRows(page))[0]!).slice(0, 7)).toEqual([
    'Source',
    'Target',
    'Score',
    '± error',
    'q',
    'Edge',
    'p',
  ]);
  await page.getByRole('img', { name: /^Colours from -0\.\d+ to 0\./ }).waitFor();
  await page.getByLabel('Lambda').fill('1');
  await page.getByLabel('Lambda').press('Enter');
  await standing('regression, lambda 1, mean of layers');
  const regression = tableFromIPC((await downloaded(page, 'Download Arrow')).bytes);
  expect(regression.schema.fields.map(({ name }) => name)).toContain('standard_error');
  expect(regression.schema.metadata.get('lambda')).toBe('1');
  await choose('Score', 'corr');
  await page.getByText('Magnitudes, loss and backend').click();
  await choose('Correlate', 'spearman');
  await standing('corr, of ranks, mean of layers');
  const ranks = await downloaded(page, 'Download Arrow');
  expect(ranks.name).toBe('model_data_corr_ranks_mean_n2000.arrow');
  expect(tableFromIPC(ranks.bytes).schema.metadata.get('correlation')).toBe('spearman');
});

/** What a table says of positive pairs, by the definitions: known edges do not compete. */
function figuresOf(table: Table, column: string, positives: readonly string[]) {
  const read = (name: string) => [...table.getChild(name)!] as unknown[];
  const [sources, targets, scores, known] = ['src_func', 'dst_func', column, 'has_edge'].map(read) as [
    string[],
    string[],
    number[],
    boolean[],
  ];
  const rows = sources
    .map((source, row) => ({ source, target: targets[row]!, score: scores[row]!, known: known[row]! }))
    .map((row) => ({ ...row, positive: positives.includes(`${row.source},${row.target}`) }))
    .filter(({ score, known, positive }) => !Number.isNaN(score) && (positive || !known));
  const found = rows.filter(({ positive }) => positive);
  const others = rows.filter(({ positive }) => !positive);
  const wins = found.flatMap((one) =>
    others.map(({ score }) => (score < one.score ? 1 : score === one.score ? 0.5 : 0)),
  );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const reciprocal = (node: 'source' | 'target') =>
    mean(
      found.map((one) => {
        const beside = rows.filter((row) => row[node] === one[node]);
        const ahead = beside.filter(({ score }) => score > one.score).length;
        return 1 / (ahead + (beside.filter(({ score }) => score === one.score).length + 1) / 2);
      }),
    );
  return { auc: mean(wins), byTarget: reciprocal('target'), bySource: reciprocal('source') };
}

test('figures of the scores computed so far stand side by side, those of other samples do not', async () => {
  const { page } = demo;
  await exampleScored(page);
  await tab('Ranking');
  const rows = page.getByRole('table', { name: 'Scores side by side' }).getByRole('row');
  await rows.filter({ hasText: 'corr, mean of layers' }).waitFor();
  await choose('Score', 'channel');
  await rows.filter({ hasText: 'channel, lambda 3, mean of layers' }).waitFor();
  expect(await rows.count()).toBe(3);
  const positives = (await exampleFile('heldout.csv')).buffer.toString().trim().split(/\r?\n/).slice(1);
  for (const [score, label, column] of [
    ['channel', 'channel, lambda 3, mean of layers', 'score'],
    ['corr', 'corr, mean of layers', 'corr'],
  ] as const) {
    await choose('Score', score);
    await standing(label);
    const table = tableFromIPC((await downloaded(page, 'Download Arrow')).bytes);
    const { auc, byTarget, bySource } = figuresOf(table, column, positives);
    const cells = await rows.filter({ hasText: label }).getByRole('cell').allInnerTexts();
    // label, AUC, average precision, early precision, MRR by target and by source, hits
    expect([cells[1], cells[4], cells[5]]).toEqual(
      [auc, byTarget, bySource].map((value) => value.toFixed(3)),
    );
  }
  expect(await rows.count()).toBe(3);
  // Another fit has other samples behind its scores.
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await exampleScored(page);
  await expect.poll(() => rows.count()).toBe(2);
  expect(await seriousViolations(page)).toEqual([]);
});

test('the target view draws the block behind a channel score, whose size is that score', async () => {
  const { page } = demo;
  await exampleScored(page);
  await choose('Score', 'channel');
  await standing('channel, lambda 3, mean of layers');
  await page.getByRole('gridcell').first().click();
  await tab('Evidence');
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
