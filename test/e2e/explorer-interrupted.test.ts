import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import type { Page } from 'playwright';
import { exampleFile, repeatedExample } from '../support/example-data.ts';
import { downloaded, exampleScored, patience, seriousViolations, useDemo } from './demo-page.ts';
import { storedEntries } from './page-stores.ts';

const demo = useDemo();

/** Numbers of the table on show, pair by pair, to the bit. */
async function bits(page: Page): Promise<{ samples: string | undefined; numbers: Map<string, string[]> }> {
  const table = tableFromIPC((await downloaded(page, 'Download Arrow')).bytes);
  const columns = table.schema.fields.map(({ name }) => [name, table.getChild(name)!] as const);
  const at = (name: string, row: number): unknown => table.getChild(name)!.get(row);
  const numbers = new Map<string, string[]>();
  for (let row = 0; row < table.numRows; row++)
    numbers.set(
      `${String(at('src_func', row))} ${String(at('dst_func', row))}`,
      columns.map(([name, column]) => {
        const value = column.get(row) as unknown;
        const word = new BigUint64Array(new Float64Array([Number(value)]).buffer)[0]!;
        return `${name} ${typeof value === 'number' ? word.toString(16) : String(value)}`;
      }),
    );
  return { samples: table.schema.metadata.get('n'), numbers };
}

/** Fits that can be gone on with, as the page has noted them. */
const fitsKept = async (page: Page) => (await storedEntries(page, 'fits')).length;

/** Files of the page's own file system that hold a fit. */
const checkpoints = (page: Page) =>
  page.evaluate(async () => {
    const folder = (await navigator.storage.getDirectory()) as unknown as { keys(): AsyncIterable<string> };
    const names: string[] = [];
    for await (const name of folder.keys()) if (name.startsWith('fit-')) names.push(name);
    return names;
  });

/** 128 batches, no two alike: one that is lost or comes twice changes every score. The bundled example is not kept, a file is. */
async function openFiles(page: Page): Promise<void> {
  await exampleScored(page);
  await page.getByLabel('Model', { exact: true }).setInputFiles(await exampleFile('model.onnx'));
  await page.getByText('24 function nodes, 17 edges').waitFor();
  await page.getByLabel('Data', { exact: true }).setInputFiles(await repeatedExample(128, 0.04));
  await page.getByText('256,000 samples').first().waitFor();
}

const whole = (page: Page) => page.getByText(/^256,000 samples in /).waitFor();

test('a fit that was interrupted, by a tab that is closed, goes on and gives the same to the bit', async () => {
  const query = '?batchSize=2000&backend=cpu';
  await demo.open({ query });
  const { page: first, context } = demo;
  await openFiles(first);
  const runs = first.getByRole('button', { name: 'Run', exact: true });
  await runs.click();
  await whole(first);
  const uninterrupted = await bits(first);
  expect(uninterrupted.samples).toBe('256000');
  await first.getByRole('region', { name: 'Interrupted fit' }).waitFor({ state: 'detached' });

  // Paused before its first batch, or soon after.
  await runs.click();
  const turn = (name: string) => first.getByRole('button', { name, exact: true }).click();
  await turn('Pause');
  await first.getByText(/^Paused at /).waitFor();
  // Checkpoints are ten seconds apart; the next batch after them has one. A batch or a few at a time, so that the fit is not through.
  await first.waitForTimeout(10_500);
  const isKept = () =>
    expect
      .poll(() => fitsKept(first), { timeout: 5000 })
      .toBe(1)
      .then(
        () => true,
        () => false,
      );
  do {
    await turn('Resume');
    await turn('Pause');
    await first.getByText(/^Paused at /).waitFor();
    // It is noted soon after the batch.
  } while (!(await isKept()));
  await first.close();

  const second = await context.newPage();
  second.setDefaultTimeout(patience);
  second.on('pageerror', ({ message }) => demo.complaints.push(message));
  await second.goto(new URL('./', first.url()).href);
  const offer = second.getByRole('region', { name: 'Interrupted fit' });
  await offer
    .getByText(/^A fit of model\.onnx with long\.npz was interrupted at [\d,]+ of 256,000 samples, /)
    .waitFor();
  const at = Number(/ at ([\d,]+) of /.exec(await offer.innerText())![1]!.replaceAll(',', ''));
  expect(at).toBeGreaterThan(0);
  expect(at).toBeLessThan(256_000);
  await exampleScored(second);
  expect(await seriousViolations(second)).toEqual([]);
  await offer.getByRole('button', { name: 'Resume' }).click();
  await whole(second);
  const resumed = await bits(second);
  expect(resumed.samples).toBe('256000');
  expect(resumed.numbers).toEqual(uninterrupted.numbers);

  // What is through leaves nothing behind, also where it took no further checkpoint.
  await expect.poll(() => fitsKept(second), { timeout: patience }).toBe(0);
  await expect.poll(() => checkpoints(second), { timeout: patience }).toEqual([]);
  await second.reload();
  await exampleScored(second);
  expect(await offer.count()).toBe(0);
});
