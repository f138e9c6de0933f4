import { tableFromIPC, type Table } from 'apache-arrow';
import { tsvParse } from 'd3-dsv';
import { batches, GsnnModel, MagnitudeEdgeInferer } from 'magnitude-edge';
import { expect, test } from 'vitest';
import { exampleFile } from '../support/example-data.ts';
import { downloaded, exampleScored, seriousViolations, shownRows, useDemo } from './demo-page.ts';

const demo = useDemo();

const names = ['corr_se', 'sign_stability', 'p_empirical'] as const;
type Told = readonly [corr: number, ...told: number[]];

/** Score and uncertainty of each pair. */
function toldIn(table: Table): Map<string, Told> {
  const [source, target, ...columns] = ['src_func', 'dst_func', 'corr', ...names].map((name) =>
    table.getChild(name)!,
  );
  return new Map(
    Array.from({ length: table.numRows }, (_, row) => [
      `${source!.get(row)} ${target!.get(row)}`,
      columns.map((column) => Number(column.get(row))) as unknown as Told,
    ]),
  );
}

/** The same fit and the same question, by the library alone. */
async function toldByLibrary(groups: number, permutations: number, seed: number): Promise<Table> {
  const model = await GsnnModel.load((await exampleFile('model.onnx')).buffer);
  const inferer = await MagnitudeEdgeInferer.create(model, {
    backend: 'cpu',
    uncertainty: { groups, permutations, seed },
  });
  try {
    await inferer.fit(batches((await exampleFile('data.npz')).buffer, model, { batchSize: 128 }));
    return await inferer.evaluate();
  } finally {
    await inferer.release();
    await model.release();
  }
}

const ask = () => demo.page.getByRole('button', { name: 'Compute uncertainty' });
const header = (name: string) => demo.page.getByRole('columnheader', { name });
const settings = () => Object.fromEntries(new URL(demo.page.url()).searchParams);

test('errors, signs and shuffled p are those of the library, in the table, at the edge and in every file', async () => {
  const query = 'uncertainty=true&groups=8&permutations=25&seed=7';
  await demo.open({ query: `?${query}` });
  const { page } = demo;
  await exampleScored(page);
  await page.getByText('576 bytes per sample, 1.15 MB for 2,000 samples').waitFor();
  await ask().click();
  await header('± error').waitFor();
  await exampleScored(page);

  const arrow = tableFromIPC((await downloaded(page, 'Download Arrow')).bytes);
  expect(Object.fromEntries(arrow.schema.metadata)).toMatchObject({
    groups: '8',
    permutations: '25',
    seed: '7',
  });
  const expected = toldIn(await toldByLibrary(8, 25, 7));
  const found = toldIn(arrow);
  expect(found.size).toBe(552);
  for (const [pair, values] of expected)
    for (const [k, value] of values.entries()) {
      const other = found.get(pair)![k]!;
      if (Number.isNaN(value)) expect(other, pair).toBeNaN();
      // Shares and counts are exact. Scores and errors come of the same float32 magnitudes, by float64 sums that the page
      // fuses and Node 20 does not: 1e-16 of each sum, which differences of scores make a million times larger at most.
      else if (k < 2) expect(Math.abs(other - value), pair).toBeLessThan(1e-9);
      else expect(other, pair).toBe(value);
    }

  const [first] = await shownRows(page);
  const [score, error, stability, p] = found.get(`${first!.Source} ${first!.Target}`)!;
  expect(first).toMatchObject({
    Score: score.toFixed(4),
    '± error': error!.toFixed(4),
    'Same sign': `${100 * stability!}%`,
    'Shuffled p': p!.toPrecision(2),
  });
  await page.getByRole('gridcell', { name: first!.Source!, exact: true }).first().click();
  const estimate = `${score.toFixed(4)} ± ${error!.toFixed(4)}`;
  await page.getByRole('status', { name: 'Selection' }).getByText(`score ${estimate}`).waitFor();
  await page.getByRole('tab', { name: 'Evidence' }).click();
  const detail = page.getByRole('region', { name: 'Evidence for the pair' });
  expect(await seriousViolations(page)).toEqual([]);
  const facts = await detail.locator('.facts-of-pair dd:not(.soft)').allInnerTexts();
  const [value = NaN, ofValue = NaN] = estimate.split(' ± ').map(Number);
  const [low = NaN, high = NaN] = facts[1]!.split(' to ').map(Number);
  // All are shown with four decimals.
  expect(Math.abs(low - (value - 1.96 * ofValue))).toBeLessThan(2e-4);
  expect(Math.abs(high - (value + 1.96 * ofValue))).toBeLessThan(2e-4);
  expect(facts).toEqual(expect.arrayContaining([estimate, '8 of 8', p!.toPrecision(2)]));
  await page.getByRole('button', { name: 'Methods text' }).click();
  const methods = await page.getByRole('dialog').innerText();
  expect(methods).toContain('jackknife estimates over 8 groups');
  expect(methods).toContain('25 shuffles of the target gradients within the groups (seed 7)');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Copy link' }).click();
  expect(settings()).toEqual({
    ...Object.fromEntries(new URLSearchParams(query)),
    view: 'evidence',
    select: `${first!.Source}>${first!.Target}`,
  });

  // Opened again from text, and taken along again in parts.
  const csv = await downloaded(page, 'Download CSV');
  await page.getByText('Name lists and edge tables').click();
  await page
    .getByLabel('Edge table', { exact: true })
    .setInputFiles({ name: csv.name, mimeType: 'text/csv', buffer: csv.bytes });
  await page.getByText('552 rows · 24 function nodes').waitFor();
  await header('Shuffled p').getByRole('button').click();
  await page.locator('[aria-sort=ascending]').waitFor();
  expect(await ask().isDisabled()).toBe(true);
  await page.getByText('Only the rows shown').click();
  expect(toldIn(tableFromIPC((await downloaded(page, 'Download Arrow')).bytes))).toEqual(found);
  const tsv = tsvParse((await downloaded(page, 'Download TSV')).bytes.toString());
  for (const { src_func: source, dst_func: target, ...row } of tsv)
    for (const [k, name] of names.entries())
      expect(row[name] === '' ? Number.NaN : Number(row[name])).toBe(
        found.get(`${source} ${target}`)![k + 1],
      );
});

test('the asking can be cancelled, and an answer about other scores is never shown', async () => {
  // So many shuffles that no machine is through before it is cancelled.
  await demo.open({ query: '?uncertainty=true&permutations=1000000' });
  const { page } = demo;
  await exampleScored(page);
  const before = await shownRows(page);
  await ask().click();
  await page.getByText(/^Scored again [1-9][\d,]* of 1,000,010 times$/).waitFor();
  expect(await page.getByRole('button', { name: 'Run', exact: true }).isDisabled()).toBe(true);
  const isFree = await page.evaluate(async () => {
    const button = (name: string) =>
      [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name)!;
    button('Cancel').click();
    for (let turn = 0; turn < 100 && button('Run').disabled; turn++) await Promise.resolve();
    return !button('Run').disabled;
  });
  expect(isFree).toBe(true);
  await exampleScored(page);
  expect(await shownRows(page)).toEqual(before);

  await ask().click();
  await page.getByText(/^Scored again [1-9]/).waitFor();
  // Filters are of the page: they neither wait nor disturb.
  await page.getByRole('button', { name: 'known only' }).click();
  await page.locator('[role=grid][aria-rowcount="18"]').waitFor();
  await page.getByText(/^Scored again [1-9]/).waitFor();
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  await header('n cond').waitFor();
  await exampleScored(page);
  expect(await header('± error').count()).toBe(0);

  // Fewer shuffles are another fit; its answer is about the score that is chosen now.
  await page.getByText('Groups, shuffles and seed').click();
  await page.getByLabel('Shuffles').fill('0');
  await page.getByLabel('Shuffles').press('Enter');
  await exampleScored(page);
  await ask().click();
  await header('± error').waitFor();
  expect(await header('Shuffled p').count()).toBe(0);
  const { metadata } = tableFromIPC((await downloaded(page, 'Download Arrow')).bytes).schema;
  expect(Object.fromEntries(metadata)).toMatchObject({ score: 'partial', groups: '10', permutations: '0' });
});

test('what a link says wrongly is not taken; magnitudes are kept when they are asked for, by another run', async () => {
  await demo.open({
    query: '?uncertainty=maybe&groups=1&permutations=-1&seed=4294967296&batchSize=&sort=nothing%20up',
  });
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('button', { name: 'Copy link' }).click();
  expect(settings()).toEqual({});
  expect(await ask().isDisabled()).toBe(true);
  await page.getByText('Groups, shuffles and seed').click();
  await page.getByLabel('Groups').fill('1');
  await page.getByLabel('Groups').press('Enter');
  expect(await page.getByLabel('Groups').inputValue()).toBe('10');
  await page.getByLabel('Groups').fill('4');
  await page.getByLabel('Groups').press('Enter');
  expect(await ask().isDisabled()).toBe(true);
  await page.getByLabel('Keep every sample').check();
  await page.locator('button:enabled', { hasText: 'Compute uncertainty' }).click();
  await header('Same sign').waitFor();
  await exampleScored(page);
  expect((await shownRows(page))[0]).toMatchObject({ 'Same sign': '100%' });
  // Another score starts without, and nothing lingers of the one before.
  await page.getByLabel('Aggregate').selectOption('max');
  await expect.poll(() => header('Same sign').count()).toBe(0);
});
