import { readFile } from 'node:fs/promises';
import { tableFromIPC } from 'apache-arrow';
import { csvParse } from 'd3-dsv';
import { expect, test } from 'vitest';
import { downloaded, exampleScored, shownRows, useDemo } from './demo-page.ts';
import { exampleFile, exampleFolder, repeatedExample } from '../support/example-data.ts';

interface Golden {
  readonly top: readonly (readonly [string, string, number])[];
}

const expected = JSON.parse(await readFile(new URL('expected.json', exampleFolder), 'utf8')) as {
  corr: Golden;
  partial: Golden;
};
const demo = useDemo();

test('the bundled example is fitted at once and its table holds the numbers of the float64 oracle', async () => {
  const { page } = demo;
  await exampleScored(page);
  const rows = await shownRows(page);
  for (const [rank, [source, target, score]] of expected.corr.top.slice(0, 5).entries()) {
    expect(rows[rank]).toMatchObject({ Source: source, Target: target });
    expect(Number(rows[rank]?.Score)).toBeCloseTo(score, 3);
  }
  await expect(page.getByRole('grid', { name: 'Edges' }).getAttribute('aria-rowcount')).resolves.toBe('553');
});

test('another score re-evaluates at once, without a new fit', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  const [source, target, score] = expected.partial.top[0]!;
  await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  const [first] = await shownRows(page);
  expect(first).toMatchObject({ Source: source, Target: target });
  expect(Number(first?.Score)).toBeCloseTo(score, 3);
});

test('picked files run, and leave as CSV and Arrow that other readers open', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByLabel('Model', { exact: true }).setInputFiles(await exampleFile('model.onnx'));
  await page.getByText('24 function nodes, 17 edges').waitFor();
  await page.getByLabel('Data', { exact: true }).setInputFiles(await exampleFile('data.npz'));
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await exampleScored(page);

  const csv = await downloaded(page, 'Download CSV');
  expect(csv.name).toBe('model_data_corr_mean_n2000.csv');
  const records = csvParse(csv.bytes.toString('utf8'));
  expect(records).toHaveLength(552);
  const arrow = await downloaded(page, 'Download Arrow');
  expect(arrow.name).toBe('model_data_corr_mean_n2000.arrow');
  const table = tableFromIPC(arrow.bytes);
  expect(table.numRows).toBe(552);
  for (const [rank, [source, target, score]] of expected.corr.top.entries()) {
    expect(records[rank]).toMatchObject({ src_func: source, dst_func: target });
    // float32 model against the float64 oracle of the whole job (docs/method.md, "Numbers to hold").
    expect(Math.abs(Number(records[rank]!.corr) - score)).toBeLessThan(1e-5);
    expect(Math.abs(Number(table.getChild('corr')?.get(rank)) - score)).toBeLessThan(1e-5);
  }
});

test('a refused file is one sentence in an alert, and what was there stays', async () => {
  const { page } = demo;
  await exampleScored(page);
  const before = await shownRows(page);
  const refusals: [label: string, name: string, content: string, sentence: RegExp][] = [
    ['Model', 'notes.onnx', 'not a model', /notes\.onnx.*\.$/],
    ['Data', 'short.csv', 'a,b\n1,2\n', /short\.csv.*\.$/],
    ['Positives', 'empty.csv', 'src,dst\n', /empty\.csv holds no pairs.*\.$/],
  ];
  for (const [label, name, content, sentence] of refusals) {
    const buffer = Buffer.from(content);
    await page.getByLabel(label, { exact: true }).setInputFiles({ name, mimeType: 'text/plain', buffer });
    await page.getByRole('alert').filter({ hasText: sentence }).waitFor();
  }
  expect(await shownRows(page)).toEqual(before);
  // The session that was there still runs.
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await exampleScored(page);
  await expect(page.getByRole('alert').count()).resolves.toBe(0);
  expect(await shownRows(page)).toEqual(before);
});

test('Cancel ends a fit where it is, keeps its scores, and Resume goes on to the same numbers', async () => {
  const { page } = demo;
  await exampleScored(page);
  const before = await shownRows(page);
  // The same samples, many times over: long enough to be stopped half-way.
  await page.getByLabel('Data', { exact: true }).setInputFiles(await repeatedExample(12));
  await page.getByText('24,000 samples').first().waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText(/ per second · /).waitFor();
  const pressed = Date.now();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText(/^Stopped at /).waitFor();
  // The aim is 200 ms; the bound leaves room for a busy test machine.
  expect(Date.now() - pressed).toBeLessThan(2000);
  await expect(page.getByRole('grid', { name: 'Edges' }).getAttribute('aria-rowcount')).resolves.toBe('553');
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText(/^24,000 samples in /).waitFor();
  const after = await shownRows(page);
  // Repeated samples leave the covariances what they were, except for the ragged last batch of 2,000 samples.
  expect(after.slice(0, 3).map(({ Source, Target }) => [Source, Target])).toEqual(
    before.slice(0, 3).map(({ Source, Target }) => [Source, Target]),
  );
});
