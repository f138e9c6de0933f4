import { readFile } from 'node:fs/promises';
import { tableFromIPC } from 'apache-arrow';
import { csvParse } from 'd3-dsv';
import { zipSync } from 'fflate';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  downloaded,
  exampleScored,
  shownRows,
  startDemo,
  type DemoPage,
  type DemoSite,
} from './demo-page.ts';
import { npzArrays } from '../support/npz-arrays.ts';

interface Golden {
  readonly top: readonly (readonly [string, string, number])[];
}

const example = new URL('../../demo/public/example/', import.meta.url);
const expected = JSON.parse(await readFile(new URL('expected.json', example), 'utf8')) as {
  corr: Golden;
  partial: Golden;
};
const file = async (name: string) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: await readFile(new URL(name, example)),
});

let site: DemoSite;
let demo: DemoPage;
beforeAll(async () => {
  site = await startDemo('page');
});
afterAll(async () => {
  await site.close();
});
beforeEach(async () => {
  demo = await site.open();
});
afterEach(async () => {
  await demo.context.close();
});

/** The example's samples, `times` over, as an archive of its own. */
async function repeatedExample(times: number): Promise<Buffer> {
  const arrays = npzArrays(await readFile(new URL('data.npz', example)));
  const entries = Object.entries(arrays).map(([name, { shape, data }]) => {
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape[0]! * times}, ${shape[1]!}), }`;
    const padded = header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11) + '\n';
    const lead = Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([padded.length, 0])]);
    const body = Buffer.from(Float32Array.from(data).buffer);
    const npy = Buffer.concat([lead, Buffer.from(padded), ...Array.from({ length: times }, () => body)]);
    return [`${name}.npy`, new Uint8Array(npy)] as const;
  });
  return Buffer.from(zipSync(Object.fromEntries(entries), { level: 0 }));
}

test('the bundled example is fitted at once and its table holds the numbers of the float64 oracle', async () => {
  const { page, complaints } = demo;
  await exampleScored(page);
  const rows = await shownRows(page);
  for (const [rank, [source, target, score]] of expected.corr.top.slice(0, 5).entries()) {
    expect(rows[rank]).toMatchObject({ Source: source, Target: target });
    expect(Number(rows[rank]?.Score)).toBeCloseTo(score, 3);
  }
  await expect(page.getByRole('grid', { name: 'Edges' }).getAttribute('aria-rowcount')).resolves.toBe('553');
  expect(complaints).toEqual([]);
});

test('another score re-evaluates at once, without a new fit', async () => {
  const { page, complaints } = demo;
  await exampleScored(page);
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  const [source, target, score] = expected.partial.top[0]!;
  await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  const [first] = await shownRows(page);
  expect(first).toMatchObject({ Source: source, Target: target });
  expect(Number(first?.Score)).toBeCloseTo(score, 3);
  expect(complaints).toEqual([]);
});

test('picked files run, and leave as CSV and Arrow that other readers open', async () => {
  const { page, complaints } = demo;
  await exampleScored(page);
  await page.getByLabel('Model', { exact: true }).setInputFiles(await file('model.onnx'));
  await page.getByText('24 function nodes, 17 edges').waitFor();
  await page.getByLabel('Data', { exact: true }).setInputFiles(await file('data.npz'));
  await page.getByRole('button', { name: 'Run' }).click();
  await exampleScored(page);

  const csv = await downloaded(page, 'Download CSV');
  expect(csv.name).toBe('edges.csv');
  const records = csvParse(csv.bytes.toString('utf8'));
  expect(records).toHaveLength(552);
  const arrow = await downloaded(page, 'Download Arrow');
  expect(arrow.name).toBe('edges.arrow');
  const table = tableFromIPC(arrow.bytes);
  expect(table.numRows).toBe(552);
  for (const [rank, [source, target, score]] of expected.corr.top.entries()) {
    expect(records[rank]).toMatchObject({ src_func: source, dst_func: target });
    // float32 model against the float64 oracle of the whole job (docs/method.md, "Numbers to hold").
    expect(Math.abs(Number(records[rank]!.corr) - score)).toBeLessThan(1e-5);
    expect(Math.abs(Number(table.getChild('corr')?.get(rank)) - score)).toBeLessThan(1e-5);
  }
  expect(complaints).toEqual([]);
});

test('a refused file is one sentence in an alert, and what was there stays', async () => {
  const { page, complaints } = demo;
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
  expect(complaints).toEqual([]);
  // The session that was there still runs.
  await page.getByRole('button', { name: 'Run' }).click();
  await exampleScored(page);
  await expect(page.getByRole('alert').count()).resolves.toBe(0);
  expect(await shownRows(page)).toEqual(before);
});

test('Cancel ends a fit where it is, keeps its scores, and Resume goes on to the same numbers', async () => {
  const { page, complaints } = demo;
  await exampleScored(page);
  const before = await shownRows(page);
  // The same samples, many times over: long enough to be stopped half-way.
  const data = { name: 'long.npz', mimeType: 'application/octet-stream', buffer: await repeatedExample(12) };
  await page.getByLabel('Data', { exact: true }).setInputFiles(data);
  await page.getByText('24,000 samples').first().waitFor();
  await page.getByRole('button', { name: 'Run' }).click();
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
  expect(complaints).toEqual([]);
});
