import { tableFromIPC } from 'apache-arrow';
import { beforeEach, describe, expect, test } from 'vitest';
import { changedExample, repeatedExample } from '../support/example-data.ts';
import { downloaded, exampleScored, layerNormScored, patience, useDemo } from './demo-page.ts';

const demo = useDemo();

/** Scores of all pairs by name, and the samples that they are of. */
async function scores(): Promise<{ samples: string | undefined; byPair: Map<string, number> }> {
  const table = tableFromIPC((await downloaded(demo.page, 'Download Arrow')).bytes);
  const [source, target, score] = ['src_func', 'dst_func', 'corr'].map((name) => table.getChild(name)!);
  const pairs = Array.from({ length: table.numRows }, (_, row): [string, number] => [
    `${source!.get(row)} ${target!.get(row)}`,
    Number(score!.get(row)),
  ]);
  return { samples: table.schema.metadata.get('n'), byPair: new Map(pairs) };
}

function expectSameScores(
  found: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
  tolerance: number,
): void {
  for (const [pair, score] of expected) {
    const other = found.get(pair)!;
    if (Number.isNaN(score)) expect(other, pair).toBeNaN();
    else expect(Math.abs(other - score), pair).toBeLessThan(tolerance);
  }
}

/** Presses Cancel; whether the page says so and takes another Run before it paints, whatever the worker is doing. */
const isFreeAfterCancel = () =>
  demo.page.evaluate(async () => {
    const button = (name: string) =>
      [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name)!;
    if (button('Cancel').disabled) throw new Error('The fit was over before it could be cancelled.');
    button('Cancel').click();
    const isFree = () =>
      !button('Run').disabled &&
      button('Cancel').disabled &&
      document.querySelector('.run-note')!.textContent.startsWith('Stopped at');
    for (let turn = 0; turn < 100 && !isFree(); turn++) await Promise.resolve();
    return isFree();
  });

describe('a fit in batches of a good part of a second', () => {
  beforeEach(async () => {
    await demo.open({ query: '?batchSize=16000' });
    const { page } = demo;
    await exampleScored(page);
    // Copies of different size: a batch that is lost or comes twice changes every score.
    await page.getByLabel('Data', { exact: true }).setInputFiles(await repeatedExample(64, 0.02));
    await page.getByText('128,000 samples').first().waitFor();
  });

  test('Cancel frees the page at once at any time, and Resume goes on where it was', async () => {
    const { page } = demo;
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^128,000 samples in /).waitFor();
    const uninterrupted = await scores();
    expect(uninterrupted.samples).toBe('128000');

    await page.getByRole('button', { name: 'Run', exact: true }).click();
    // As it begins, and in the model's later batches, of which there are eight; half of them are left to the end.
    for (const batches of [0, 1, 2, 4]) {
      await page.waitForFunction((least) => {
        const [, seen] =
          /^([\d,]+) of 128,000 samples/.exec(document.querySelector('.run-note')!.textContent) ?? [];
        return least === 0 || Number(seen?.replace(',', '')) >= least;
      }, 16_000 * batches);
      expect(await isFreeAfterCancel(), `after ${batches} batches`).toBe(true);
      await page.getByRole('button', { name: 'Resume' }).click();
    }
    await page.getByText(/^128,000 samples in /).waitFor();
    const interrupted = await scores();
    expect(interrupted.samples).toBe('128000');
    // The same samples in the same batches; scoring on the way may change the order of sums in float64, not more.
    expectSameScores(interrupted.byPair, uninterrupted.byPair, 1e-9);
  });

  test('a fit that is cancelled shows the scores of the samples it has seen, and Run begins anew', async () => {
    const { page } = demo;
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/ of 128,000 samples · /).waitFor();
    expect(await isFreeAfterCancel()).toBe(true);
    // A batch that was in the sums already when the press arrived counts; then page and table agree on that.
    const seen = async () =>
      /^Stopped at ([\d,]+) of /.exec(await page.locator('.run-note').innerText())?.[1]?.replace(',', '');
    await expect
      .poll(async () => (await scores()).samples === (await seen()), { timeout: patience })
      .toBe(true);
    const held = Number(await seen());
    expect(held % 16_000).toBe(0);
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThan(128_000);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^128,000 samples in /).waitFor();
    expect((await scores()).samples).toBe('128000');
  });
});

test('pause holds the fit, and what is changed meanwhile is scored at once', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByLabel('Data', { exact: true }).setInputFiles(await repeatedExample(64));
  await page.getByText('128,000 samples').first().waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText(/ per second · /).waitFor();
  const place = (name: string) => page.getByRole('button', { name }).boundingBox();
  const places = [await place('Pause'), await place('Cancel')];
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText(/^Paused at /).waitFor();
  // One button of one width, whichever it says.
  expect([await place('Resume'), await place('Cancel')]).toEqual(places);
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  const held = Number((await scores()).samples);
  expect(held).toBeGreaterThan(0);
  expect(held).toBeLessThan(128_000);
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText(/^128,000 samples in /).waitFor();
  expect((await scores()).samples).toBe('128000');
});

test('scoring is cancelled as a fit is: the table stays, Resume and Run score the same samples', async () => {
  // There the first partial scores wait for kernels to be compiled: long enough to be cancelled on any machine.
  await demo.open({ query: '?backend=webgpu' });
  const { page } = demo;
  await exampleScored(page);
  const before = await scores();
  // Asks and presses Cancel as soon as it can be pressed, which is before the browser paints.
  const free = await page.evaluate(async () => {
    const button = (name: string) =>
      [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name)!;
    const select = document.querySelector<HTMLSelectElement>('select[aria-label=Score]')!;
    select.value = 'partial';
    select.dispatchEvent(new Event('change', { bubbles: true }));
    for (let turn = 0; turn < 100 && button('Cancel').disabled; turn++) await Promise.resolve();
    button('Cancel').click();
    for (let turn = 0; turn < 100 && button('Run').disabled; turn++) await Promise.resolve();
    return { run: !button('Run').disabled, cancel: !button('Cancel').disabled };
  });
  expect(free).toEqual({ run: true, cancel: false });
  await page.getByText('Scoring was cancelled; Resume scores the 2,000 samples seen').waitFor();
  // What is on show stays what it was, and says so wherever it goes.
  await page.getByText(/^Results of .+ \(corr, .+\)\. Changed since: score$/).waitFor();
  await page.getByRole('button', { name: 'Methods text' }).click();
  expect(await page.getByRole('dialog').innerText()).toContain('by Pearson correlations');
  await page.getByRole('button', { name: 'Close' }).click();
  expect(await scores()).toEqual(before);

  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  await exampleScored(page);
  const resumed = await scores();
  expect(resumed.samples).toBe('2000');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('button', { name: 'Pause', disabled: true }).waitFor();
  await exampleScored(page);
  const anew = await scores();
  expect(anew.samples).toBe('2000');
  // Scores during the fit may change where float32 sums were cut; both are within 1e-6 of float64.
  expectSameScores(anew.byPair, resumed.byPair, 2e-6);
});

test('what needs another fit gets one, also while one is running', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByText('Magnitudes, loss and backend').click();
  const metadata = async () =>
    Object.fromEntries(tableFromIPC((await downloaded(page, 'Download Arrow')).bytes).schema.metadata);
  await page.getByLabel('Loss').selectOption('huber');
  await expect.poll(metadata).toMatchObject({ loss: 'huber' });
  await exampleScored(page);
  await page.getByLabel('Magnitude').selectOption('l2');
  await page.getByLabel('Batch size').fill('100');
  await page.getByLabel('Batch size').press('Enter');
  await expect.poll(metadata).toMatchObject({ loss: 'huber', reduction: 'l2' });
  await exampleScored(page);
  expect(await metadata()).toMatchObject({ n: '2000' });
});

test('a fit that fails keeps what it has seen, says so, and goes on without the batch at fault', async () => {
  const { page } = demo;
  await exampleScored(page);
  // Batches of 128: the one from 1,408 on holds a NaN, the one from 1,664 on drives the model out of float32.
  const bad = [1408, 1664];
  const broken = await changedExample('broken.npz', (rows, array) => {
    if (array === 'x') {
      rows.values[(bad[0]! + 5) * rows.columns + 2] = NaN;
      rows.values.fill(3e38, (bad[1]! + 7) * rows.columns, (bad[1]! + 8) * rows.columns);
    }
    return rows;
  });
  const without = await changedExample('without.npz', ({ columns, values }) => {
    const isBad = (row: number): boolean => bad.some((first) => row >= first && row < first + 128);
    return { columns, values: values.filter((_, at) => !isBad(Math.floor(at / columns))) };
  });
  const data = page.getByLabel('Data', { exact: true });
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  await data.setInputFiles(without);
  await page.getByText('1,744 samples').first().waitFor();
  await button('Run').click();
  await page.getByText(/^1,744 samples in /).waitFor();
  const expected = await scores();

  await data.setInputFiles(broken);
  await page.getByText('2,000 samples').first().waitFor();
  await button('Run').click();
  const alert = page.getByRole('alert');
  await page
    .getByText(
      'Ended by an error at 1,408 of 2,000 samples; the scores are those of the samples seen; ' +
        'Resume skips the rejected batch and continues',
      { exact: true },
    )
    .waitFor();
  expect(await alert.innerText()).toMatch(/^Batch 11 holds NaN for input node '.+' in sample 5: /);
  expect((await scores()).samples).toBe('1408');

  await button('Resume').click();
  await page.getByText(/^Ended by an error at 1,536 of 2,000 samples; /).waitFor();
  expect(await alert.innerText()).toMatch(/^Batch 13: .+ came out of the model as NaN or infinite; /);
  expect((await scores()).samples).toBe('1536');

  await button('Resume').click();
  await page.getByText(/^1,744 samples in .+, 256 left out, /).waitFor();
  expect(await alert.count()).toBe(0);
  const found = await scores();
  expect(found.samples).toBe('1744');
  // The same batches; statistics that go on after a refusal are merged, which may change the order of sums in float64.
  expectSameScores(found.byPair, expected.byPair, 1e-9);
});

test('a fit that cannot begin says so, and what is changed back fits again', async () => {
  const { page } = demo;
  await exampleScored(page);
  await layerNormScored(page);
  const before = await scores();
  await page.getByText('Magnitudes, loss and backend').click();
  const values = page.getByLabel('Values', { exact: true });
  await values.selectOption('post');
  await page
    .getByText(/^Ended by an error at 0 of 107 samples; too few for scores; Resume tries again$/)
    .waitFor();
  expect(await page.getByRole('alert').innerText()).toContain('which erases the magnitudes');
  await values.selectOption('pre');
  await page.getByText(/^107 samples in /).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  expectSameScores((await scores()).byPair, before.byPair, 1e-9);
});

test('a data file that breaks off is refused, and the fit that it came into goes on with the data before', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByLabel('Data', { exact: true }).setInputFiles(await repeatedExample(12));
  await page.getByText('24,000 samples').first().waitFor();
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText(/ per second · /).waitFor();
  const whole = await repeatedExample(1);
  const buffer = whole.buffer.subarray(0, whole.buffer.length - 5000);
  await page.getByLabel('Data', { exact: true }).setInputFiles({ ...whole, name: 'short.npz', buffer });
  await page.getByText(/^Stopped at [\d,]+ of 24,000 samples; /).waitFor();
  expect(await page.getByRole('alert').innerText()).toContain('short.npz');
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText(/^24,000 samples in /).waitFor();
  expect((await scores()).samples).toBe('24000');
});
