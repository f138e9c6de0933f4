import { tableFromIPC } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { changedExample, exampleFile, layerNormFolder } from '../support/example-data.ts';
import { downloaded, exampleScored, shownRows, useDemo } from './demo-page.ts';

const demo = useDemo();

const bar = () => demo.page.getByRole('region', { name: 'Provenance of these results' });
const standing = () => bar().getByRole('status').innerText();
const button = (name: string) => demo.page.getByRole('button', { name, exact: true });
const choose = async (role: string, file: Awaited<ReturnType<typeof exampleFile>>) =>
  demo.page.getByLabel(role, { exact: true }).setInputFiles(file);
const settings = () => Object.fromEntries(new URL(demo.page.url()).searchParams);

/** The example's first samples. */
const firstSamples = (name: string, samples: number) =>
  changedExample(name, ({ columns, values }) => ({ columns, values: values.slice(0, samples * columns) }));

async function methodsText(): Promise<string> {
  await button('Methods text').click();
  const text = await demo.page.getByRole('dialog').innerText();
  await button('Close').click();
  return text;
}

const metadata = async () =>
  Object.fromEntries(tableFromIPC((await downloaded(demo.page, 'Download Arrow')).bytes).schema.metadata);

describe('results belong to what they were computed from', () => {
  test('other data: table, files, link and methods text stay those of the data before, until they run', async () => {
    const { page } = demo;
    await exampleScored(page);
    await bar()
      .getByText('model.onnx with data.npz (corr, mean of layers, n = 2,000)', { exact: true })
      .waitFor();
    const before = await shownRows(page);
    const half = await firstSamples('half.npz', 1000);
    await choose('Data', half);
    await bar()
      .getByText(
        'Results of model.onnx with data.npz (corr, mean of layers, n = 2,000). Changed since: data (now half.npz)',
      )
      .waitFor();
    // The welcome has made room for more of them.
    expect((await shownRows(page)).slice(0, before.length)).toEqual(before);
    const arrow = await downloaded(page, 'Download Arrow');
    expect(arrow.name).toBe('model_data_corr_mean_n2000.arrow');
    expect(tableFromIPC(arrow.bytes).schema.metadata.get('n')).toBe('2000');
    expect(await methodsText()).toContain('For 2000 samples');
    await button('Copy link').click();
    expect(settings()).toEqual({});

    // Another score of the statistics before is theirs as well.
    await page.getByLabel('Score', { exact: true }).selectOption('partial');
    await bar()
      .getByText(
        'Results of model.onnx with data.npz (partial, mean of layers, n = 2,000). Changed since: data (now half.npz)',
      )
      .waitFor();
    expect(await metadata()).toMatchObject({ score: 'partial', n: '2000' });
    // What would mix the two is not offered.
    await page.getByRole('gridcell').first().click();
    await page.getByRole('tab', { name: 'Evidence' }).click();
    await page
      .getByText('The scatter of magnitudes needs the model and the data that the scores are of.')
      .waitFor();
    await page.getByRole('tab', { name: 'Edge recovery' }).click();
    await page.getByText(/Trials use the last run, and its inputs have changed since: data/).waitFor();

    await button('Run again').click();
    await bar()
      .getByText('model.onnx with half.npz (partial, mean of layers, n = 1,000)', { exact: true })
      .waitFor();
    const csv = await downloaded(page, 'Download CSV');
    expect(csv.name).toBe('model_half_partial_mean_n1000.csv');
    expect(await methodsText()).toContain('For 1000 samples');
    await button('Copy link').click();
    expect(settings()).toMatchObject({ disk: 'data', score: 'partial' });
    // The file of before is known by its content, whatever it is called.
    await choose('Data', { ...half, name: 'other-name.npz' });
    await page.getByText('other-name.npz', { exact: true }).waitFor();
    expect(await standing()).toBe('model.onnx with half.npz (partial, mean of layers, n = 1,000)');
    // 17 edges are known, and the gradients of one node are zero for all samples.
    const unscored = bar().getByText('29 pairs without a score', { exact: true });
    expect(await unscored.getAttribute('title')).toBe(
      'Without a score: 29 of 552 pairs (17 known parent, 12 constant target).',
    );
  });

  test('another model: a selection does not go over to it by number, and its run takes the place of all', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('gridcell').first().click();
    const selected = page.getByRole('status', { name: 'Selection' });
    const pair = (await selected.innerText()).split(' · ')[0]!;
    await choose('Model', await exampleFile('model.onnx', layerNormFolder));
    await bar()
      .getByText(/Changed since: model \(now another model\.onnx\)$/)
      .waitFor();
    expect(await button('Run again').isDisabled()).toBe(true);
    // It is still about the table on show.
    expect(await selected.innerText()).toContain(pair);
    await page.getByRole('tab', { name: 'Network' }).click();
    await page.getByText(/^17 known, /).waitFor();
    // Positives of the model that was opened wait for its results: the table on show is not asked about them.
    const pairs = {
      name: 'pairs.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('src,dst\ngene_1,gene_4\n'),
    };
    await choose('Positives', pairs);
    // Nobody has to ask for the first results of a model.
    await choose('Data', await exampleFile('edges-data.npz', layerNormFolder));
    await bar()
      .getByText('model.onnx with edges-data.npz (corr, mean of layers, n = 107)', { exact: true })
      .waitFor();
    expect(await selected.innerText()).toBe('Select an edge in any view');
    await expect.poll(() => page.getByText(/^17 known, /).count()).toBe(0);
    await page.getByRole('gridcell', { name: 'positive', exact: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('a selection is one of names: it survives another score, and the row that it stands in moves', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('gridcell').first().click();
    const selected = page.getByRole('status', { name: 'Selection' });
    const [pair, first] = (await selected.innerText()).split(' · ');
    await page.getByLabel('Score', { exact: true }).selectOption('partial');
    await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
    const [now, second] = (await selected.innerText()).split(' · ');
    expect(now).toBe(pair);
    expect(second).not.toBe(first);
  });

  test('other positives are ranked anew, and none leave no marks behind', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('tab', { name: 'Network' }).click();
    await page.getByLabel('Minimum score of inferred edges').fill('0.5');
    await page.locator('.stroke.held-out').waitFor();
    await choose('Model', await exampleFile('model.onnx'));
    await page
      .getByLabel('Positives', { exact: true })
      .locator('xpath=..')
      .getByText('Choose or drop')
      .waitFor();
    await expect.poll(() => page.locator('.stroke.held-out').count()).toBe(0);
    await page.getByRole('tab', { name: 'Ranking' }).click();
    await page.getByText('Load a list of positive edges').waitFor();
  });

  test('a table that was opened is called by its name, in files and links too', async () => {
    const { page } = demo;
    await exampleScored(page);
    const { bytes } = await downloaded(page, 'Download CSV');
    const table = { ...(await exampleFile('heldout.csv')), name: 'mine.csv', buffer: Buffer.from(bytes) };
    await page.getByText('Name lists and edge tables').click();
    await choose('Edge table', table);
    await bar().getByText('mine.csv', { exact: true }).waitFor();
    expect((await downloaded(page, 'Download Parquet')).name).toBe('mine.parquet');
    expect(await button('Methods text').isDisabled()).toBe(true);
    await button('Copy link').click();
    expect(settings()).toEqual({ disk: 'table' });
    await choose('Model', await exampleFile('model.onnx'));
    await bar().getByText('Results of mine.csv. Changed since: a model was opened (model.onnx)').waitFor();
  });

  test('a file that is refused leaves the name of the one in force', async () => {
    const { page } = demo;
    await exampleScored(page);
    await choose('Data', { name: 'broken.npz', mimeType: '', buffer: Buffer.from('PK nothing') });
    await page.getByRole('alert').filter({ hasText: 'broken.npz' }).waitFor();
    await page.getByText('broken.npz was refused; this one stays').waitFor();
    await page.getByText('data.npz', { exact: true }).waitFor();
    expect(await standing()).toBe('model.onnx with data.npz (corr, mean of layers, n = 2,000)');
  });
});

describe('where there are no scores, no table is taken for them', () => {
  test('too few samples', async () => {
    const { page } = demo;
    await exampleScored(page);
    await choose('Data', await firstSamples('two.npz', 2));
    await page.getByText('2 samples', { exact: true }).waitFor();
    await button('Run').click();
    await page.getByText('There are no scores: 2 samples are too few; at least 3 are needed.').waitFor();
    expect(await page.getByRole('grid').count()).toBe(0);
    expect(await standing()).toBe('');
    for (const name of ['Download CSV', 'Methods text']) expect(await button(name).isDisabled()).toBe(true);
    await page.getByText(/^2 samples in .+, too few for scores/).waitFor();
    for (const view of ['Heatmap', 'Significance', 'Ranking', 'Evidence', 'Edge recovery']) {
      await page.getByRole('tab', { name: view }).click();
      await page.getByRole('tabpanel').locator('.empty').waitFor();
    }
  });

  test('a first batch that is refused', async () => {
    const { page } = demo;
    await exampleScored(page);
    await choose(
      'Data',
      await changedExample('nan.npz', (rows, array) => {
        if (array === 'x') rows.values[5] = NaN;
        return rows;
      }),
    );
    await page.getByText('nan.npz', { exact: true }).waitFor();
    await button('Run').click();
    await page.getByText(/^There are no scores: Batch 0 holds NaN for input node/).waitFor();
    expect(await page.getByRole('grid').count()).toBe(0);
    await choose('Data', await exampleFile('data.npz'));
    await button('Run').click();
    await exampleScored(page);
    await page.getByRole('grid').waitFor();
  });

  test('a table without a single score says so first', async () => {
    const { page } = demo;
    await exampleScored(page);
    // The same sample over and over: nothing varies.
    const same = await changedExample('same.npz', ({ columns, values }) => ({
      columns,
      values: Float32Array.from({ length: 50 * columns }, (_, at) => values[at % columns]!),
    }));
    await choose('Data', same);
    await page.getByText('50 samples', { exact: true }).waitFor();
    await button('Run').click();
    await bar()
      .getByText(/^None of the 552 pairs has a score \(552 constant target\)\. model\.onnx with same\.npz/)
      .waitFor();
  });
});
