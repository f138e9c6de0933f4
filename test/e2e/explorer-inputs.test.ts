import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, describe, expect, test } from 'vitest';
import { exampleFile, exampleFolder } from '../support/example-data.ts';
import { npzArrays } from '../support/npz-arrays.ts';
import { splitModel } from '../support/split-model.ts';
import { exampleScored, positivesMarked, layerNormScored, shownRows, useDemo } from './demo-page.ts';

const demo = useDemo();

interface Column {
  readonly name: string;
  readonly data: Float32Array;
}

/** The example's first 1,500 samples, a column for each input and output node. */
let columns: Column[];
const samples = 1500;
beforeAll(async () => {
  const { x, y } = npzArrays(await readFile(new URL('data.npz', exampleFolder)));
  const columnsOf = (prefix: string, { shape, data }: NonNullable<typeof x>): Column[] =>
    Array.from({ length: shape[1]! }, (_, node) => ({
      name: `${prefix}${node}`,
      data: Float32Array.from({ length: samples }, (_, row) => data[row * shape[1]! + node]!),
    }));
  columns = [...columnsOf('in', x!), ...columnsOf('o', y!)];
});

const file = (name: string, content: Uint8Array | ArrayBuffer | string) => ({
  name,
  mimeType: 'application/octet-stream',
  buffer: Buffer.from(content as Uint8Array),
});

const asCsv = () =>
  [
    columns.map(({ name }) => name).join(','),
    ...Array.from({ length: samples }, (_, row) => columns.map(({ data }) => data[row]).join(',')),
  ].join('\n');
const asArrow = () =>
  tableToIPC(tableFromArrays(Object.fromEntries(columns.map(({ name, data }) => [name, data]))), 'file');
const asParquet = () => parquetWriteBuffer({ columnData: columns.map(({ name, data }) => ({ name, data })) });

describe('data', () => {
  test('CSV, Arrow and Parquet of the same samples give the same table, and the sheet says what was read', async () => {
    const { page } = demo;
    await exampleScored(page);
    const tables: unknown[] = [];
    for (const given of [
      file('data.csv', asCsv()),
      file('data.arrow', asArrow()),
      file('data.parquet', asParquet()),
    ]) {
      await page.getByLabel('Data', { exact: true }).setInputFiles(given);
      await page.getByText(given.name, { exact: true }).waitFor();
      await page.getByText('1,500 samples').first().waitFor();
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.getByText(/^1,500 samples in /).waitFor();
      await positivesMarked(page);
      tables.push(await shownRows(page));
    }
    expect(tables[1]).toEqual(tables[0]);
    expect(tables[2]).toEqual(tables[0]);
    await page.getByText('What was read').click();
    const sheet = await page.locator('.sheet').innerText();
    for (const fact of [
      '12 inputs, 24 functions, 12 outputs',
      '17 between functions',
      'batch',
      '1,500',
      'wasm',
      'cpu',
    ])
      expect(sheet).toContain(fact);
    // What was looked for and not taken, and why.
    expect(sheet).toMatch(/CPU backend is faster|no WebGPU adapter/i);
  });
});

describe('model', () => {
  test('external data comes with its model; without it the model is refused in one sentence', async () => {
    const { page } = demo;
    await exampleScored(page);
    const { model, data } = splitModel((await exampleFile('model.onnx')).buffer, 'split.onnx.data');
    const picker = page.getByLabel('Model', { exact: true });
    await picker.setInputFiles([file('split.onnx', model)]);
    await page
      .getByRole('alert')
      .filter({ hasText: /split\.onnx\.data.*\.$/ })
      .waitFor();
    await picker.setInputFiles([file('split.onnx', model), file('split.onnx.data', data)]);
    await page.getByText('split.onnx', { exact: true }).waitFor();
    await page.getByText('24 function nodes, 17 edges').waitFor();
    await page.getByLabel('Data', { exact: true }).setInputFiles(await exampleFile('data.npz'));
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await exampleScored(page);
  });

  test('files dropped together are told apart', async () => {
    const { page } = demo;
    await exampleScored(page);
    const dropped = [
      await exampleFile('model.onnx'),
      file('data.csv', asCsv()),
      await exampleFile('heldout.csv'),
    ];
    await page.evaluate(
      (files) => {
        const dataTransfer = new DataTransfer();
        for (const { name, base64 } of files)
          dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
        document
          .querySelector('.shell')!
          .dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
      },
      dropped.map(({ name, buffer }) => ({ name, base64: buffer.toString('base64') })),
    );
    await page.getByText('1,500 samples').first().waitFor();
    await page.getByText('16 pairs').waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^1,500 samples in /).waitFor();
  });
});

describe('lists', () => {
  test('allow-lists keep their names, and the filters come off together', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByText('Name lists and edge tables').click();
    await page.getByLabel('Sources', { exact: true }).setInputFiles(file('sources.txt', 'f0\nf1\n'));
    await page.getByLabel('Targets', { exact: true }).setInputFiles(file('targets.txt', 'f12,f13,f14\n'));
    await page.locator('[role=grid][aria-rowcount="7"]').waitFor();
    await page.getByLabel('q ≤').fill('1');
    await page.getByLabel('q ≤').press('Enter');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.locator('[role=grid][aria-rowcount="553"]').waitFor();
    await page.getByLabel('Score ≥').fill('0.7');
    await page.getByLabel('Score ≥').press('Enter');
    await page.locator('[role=grid][aria-rowcount="5"]').waitFor();
    await page.getByLabel('Sources', { exact: true }).setInputFiles(file('none.txt', '\n'));
    await page.getByRole('alert').filter({ hasText: 'none.txt contains no names' }).waitFor();
    await page.getByRole('button', { name: 'Dismiss this message' }).click();
    await expect.poll(() => page.getByRole('alert').count()).toBe(0);
  });

  test('positives in other columns and with tabs are read; unknown names are named', async () => {
    const { page } = demo;
    await exampleScored(page);
    const list = 'weight\tTF\ttarget\n1\tf1\tf13\n1\tnobody\tf14\n';
    await page.getByLabel('Positives', { exact: true }).setInputFiles(file('positives.tsv', list));
    await page.getByText('2 pairs', { exact: true }).waitFor();
    await page.getByRole('tab', { name: 'Ranking' }).click();
    await page.getByText(/Not among the function nodes: nobody; their edges count as missed\./).waitFor();
    await page.getByText(/^1 positive against /).waitFor();
  });
});

describe('addresses', () => {
  test('files named in the address are fetched and run; the link keeps them', async () => {
    const query =
      '?model=example%2Fmodel.onnx&data=example%2Fdata.npz&positives=example%2Fheldout.csv&score=partial&view=ranking&heatmap=cluster&threshold=0.3';
    await demo.open({ query });
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('img', { name: /ROC curve/ }).waitFor();
    await page.getByRole('button', { name: 'Copy link' }).click();
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual(
      Object.fromEntries(new URLSearchParams(query)),
    );
    await page.getByRole('tab', { name: 'Heatmap' }).click();
    expect(await page.getByLabel('Order of nodes').inputValue()).toBe('cluster');
    await page.getByRole('tab', { name: 'Network' }).click();
    expect(await page.getByRole('slider').inputValue()).toBe('0.3');
  });

  test('external data beside a model at an address is fetched with it', async () => {
    const { model, data } = splitModel((await exampleFile('model.onnx')).buffer, 'split.onnx.data');
    const files: Record<string, Uint8Array> = { '/split.onnx': model, '/split.onnx.data': data };
    const server = createServer(({ url = '' }, response) => {
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.end(files[url]);
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const address = encodeURIComponent(`http://localhost:${port}/split.onnx`);
      await demo.open({ query: `?model=${address}&data=example%2Fdata.npz` });
      await demo.page.getByRole('button', { name: 'Fetch', exact: true }).click();
      await exampleScored(demo.page);
      await demo.page.getByText('split.onnx', { exact: true }).waitFor();
    } finally {
      server.close();
    }
  });

  test('a file that cannot be had is one sentence with its address', async () => {
    await demo.open({ query: '?model=http%3A%2F%2Flocalhost%3A1%2Fmissing.onnx&data=example%2Fdata.npz' });
    const { page } = demo;
    await page.getByRole('button', { name: 'Fetch', exact: true }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: /^http:\/\/localhost:1\/missing\.onnx could not be fetched: .*\.$/ })
      .waitFor();
    await page.getByText('The edges appear here').waitFor();
    // The browser itself reports the refused connection.
    demo.complaints.length = 0;
  });
});

test.each(['model.onnx', 'heldout.csv'])(
  'files chosen before the example has come stay: its %s is late',
  async (late) => {
    await demo.open({ serviceWorkers: 'block' });
    const { page } = demo;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route(`**/example/${late}`, async (route) => {
      await held;
      await route.continue();
    });
    await page.reload();
    const came = page.waitForResponse(`**/example/${late}`);
    const scored = layerNormScored(page);
    await page.getByText('107 samples').first().waitFor();
    release();
    await came;
    await scored;
    expect(await page.getByText('was refused').count()).toBe(0);
    await page.getByText('edges-data.npz', { exact: true }).first().waitFor();
  },
);
