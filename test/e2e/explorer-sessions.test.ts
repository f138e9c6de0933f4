import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import type { Page } from 'playwright';
import { exampleFile } from '../support/example-data.ts';
import {
  downloaded,
  exampleScored,
  layerNormScored,
  patience,
  seriousViolations,
  useDemo,
} from './demo-page.ts';
import { storedEntries } from './page-stores.ts';

const demo = useDemo();

/** Another site with these files, and what was asked of it. */
async function withSite(
  files: Readonly<Record<string, Uint8Array | string>>,
  use: (address: string, asked: readonly string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.setHeader('Access-Control-Allow-Origin', '*');
    const file = files[request.url!.slice(1)];
    if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  try {
    await use(`http://localhost:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.close();
  }
}

const consent = () => demo.page.getByRole('dialog', { name: 'Fetch files from another site?' });
const rowsOnShow = (page: Page) => page.getByRole('status', { name: 'Rows shown' }).innerText();

/** The example's session with a filter, a view and a selection. */
async function makeSession() {
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('button', { name: 'new only' }).click();
  await page.getByRole('tab', { name: 'Significance' }).click();
  await page.getByRole('gridcell').first().click();
  const selected = await page.getByRole('status', { name: 'Selection' }).innerText();
  const rows = await rowsOnShow(page);
  return { selected, rows, bytes: (await downloaded(page, 'Session')).bytes };
}

async function expectSession({ selected, rows }: { selected: string; rows: string }): Promise<void> {
  const { page } = demo;
  await page.getByRole('tab', { name: 'Significance', selected: true }).waitFor();
  await page.getByRole('status', { name: 'Rows shown' }).getByText(rows, { exact: true }).waitFor();
  expect(await page.getByRole('status', { name: 'Selection' }).innerText()).toBe(selected);
  await page.getByText('16 pairs', { exact: true }).waitFor();
}

test('a session by its address: of this site at once, of another one after it was asked about', async () => {
  const session = await makeSession();
  await demo.open({ serviceWorkers: 'block' });
  await demo.page.route(
    ({ pathname }) => pathname === '/kept.zip',
    (route) => route.fulfill({ body: session.bytes }),
  );
  await demo.page.goto(new URL('?session=./kept.zip', demo.page.url()).href);
  await expectSession(session);
  expect(await consent().count()).toBe(0);

  await withSite({ 'kept.zip': session.bytes, 'other.zip': 'no archive' }, async (address, asked) => {
    await demo.open({ query: `?session=${address}/kept.zip` });
    await consent().waitFor();
    expect(await consent().innerText()).toContain(`${address}/kept.zip`);
    expect(asked).toEqual([]);
    await consent().getByRole('button', { name: 'Fetch', exact: true }).click();
    await expectSession(session);
    expect(asked).toEqual(['/kept.zip']);

    await demo.open({ query: `?session=${address}/kept.zip` });
    await consent().getByRole('button', { name: 'Do not fetch' }).click();
    await demo.page.getByText('Nothing was fetched.').waitFor();
    await demo.open({ query: `?session=${address}/other.zip` });
    await consent().getByRole('button', { name: 'Fetch', exact: true }).click();
    await demo.page.getByRole('alert').getByText('other.zip is not a session of this page.').waitFor();
    expect(asked).toEqual(['/kept.zip', '/other.zip']);
  });
});

test('a gallery of another site: its list is asked about, and so are the files of what is opened from it', async () => {
  const names = ['model.onnx', 'data.npz', 'heldout.csv'] as const;
  const [model, data, positives] = await Promise.all(
    names.map(async (name) => (await exampleFile(name)).buffer),
  );
  const list = {
    format: 'magnitude-edge gallery 1',
    title: 'Networks of others',
    entries: [
      {
        ...{ title: 'First', about: 'a network', settings: 'view=ranking' },
        ...{ model: 'model.onnx', data: 'data.npz', positives: 'heldout.csv' },
      },
      { title: 'Bad', model: 'javascript:alert(1)' },
    ],
  };
  const files = { 'model.onnx': model!, 'data.npz': data!, 'heldout.csv': positives! };
  const good = { ...list, entries: list.entries.slice(0, 1) };
  const served = { ...files, 'bad.json': JSON.stringify(list), 'good.json': JSON.stringify(good) };
  await withSite(served, async (address, asked) => {
    await demo.open({ query: `?gallery=${address}/good.json` });
    await consent().waitFor();
    expect(asked).toEqual([]);
    await consent().getByRole('button', { name: 'Fetch', exact: true }).click();
    const gallery = demo.page.getByRole('region', { name: 'Networks of others' });
    await gallery.getByRole('link', { name: 'First' }).waitFor();
    expect(await seriousViolations(demo.page)).toEqual([]);
    // A list that was allowed allows nothing that it names.
    expect(asked).toEqual(['/good.json']);
    await gallery.getByRole('link', { name: 'First' }).click();
    await consent().waitFor();
    for (const name of names) expect(await consent().innerText()).toContain(`${address}/${name}`);
    expect(asked).toEqual(['/good.json']);
    await consent().getByRole('button', { name: 'Fetch', exact: true }).click();
    await exampleScored(demo.page);
    await demo.page.getByRole('tab', { name: 'Ranking', selected: true }).waitFor();
    expect(asked.slice(1).toSorted()).toEqual(names.map((name) => `/${name}`).toSorted());

    // Declined, nothing of it is fetched, and the page is what it is without it.
    await demo.open({ query: `?gallery=${address}/good.json` });
    await consent().getByRole('button', { name: 'Do not fetch' }).click();
    await exampleScored(demo.page);
    expect(await demo.page.getByRole('region', { name: 'Networks of others' }).count()).toBe(0);
    expect(asked).toHaveLength(4);

    await demo.open({ query: `?gallery=${address}/bad.json` });
    await consent().getByRole('button', { name: 'Fetch', exact: true }).click();
    await demo.page
      .getByRole('alert')
      .getByText(/javascript:alert\(1\) is not the address/)
      .waitFor();
  });
});

/** Settings of the sessions that the page keeps, and the names of their tables. */
async function kept(page: Page) {
  const [sessions, tables] = [await storedEntries(page, 'sessions'), await storedEntries(page, 'tables')];
  return sessions.map(({ id, settings }) => ({
    settings: settings!,
    table: tables.find((table) => table.id === id)?.name,
  }));
}

test('two tabs at once: each keeps its own session with its own table, and the one used last is offered', async () => {
  const { page: first, context } = demo;
  await exampleScored(first);
  await layerNormScored(first);
  const second = await context.newPage();
  second.setDefaultTimeout(patience);
  second.on('pageerror', ({ message }) => demo.complaints.push(message));
  await second.goto(first.url());
  await exampleScored(second);
  const table = 'src_func,dst_func,src_idx,dst_idx,corr,has_edge\na,b,0,1,0.5,true\nb,a,1,0,0.25,false\n';
  await second.getByText('Name lists and edge tables').click();
  await second
    .getByLabel('Edge table', { exact: true })
    .setInputFiles({ name: 'mine.csv', mimeType: 'text/csv', buffer: Buffer.from(table) });
  await second.getByText('2 rows', { exact: true }).first().waitFor();
  // By turns: whoever wrote last time must not write over the other.
  for (const [tab, score] of [
    [first, '0.1'],
    [second, '0.3'],
    [first, '0.2'],
    [second, '0.4'],
  ] as const) {
    await tab.getByLabel('Score ≥').fill(score);
    await expect
      .poll(async () => JSON.stringify(await kept(first)), { timeout: patience })
      .toContain(`minScore=${score}`);
  }
  const entries = (await kept(first)).toSorted((a, b) => (a.settings < b.settings ? -1 : 1));
  expect(entries.map(({ settings }) => /minScore=[\d.]+/.exec(settings)?.[0])).toEqual([
    'minScore=0.2',
    'minScore=0.4',
  ]);
  expect(entries[0]!.table).toMatch(/^model\.onnx with edges-data\.npz /);
  expect(entries[1]!.table).toMatch(/^mine\.csv/);

  await second.close();
  await first.reload();
  const offer = first.getByRole('region', { name: 'Last session' });
  await offer.getByText('mine.csv').waitFor();
  await exampleScored(first);
  await offer.getByRole('button', { name: 'Restore' }).click();
  await expect.poll(() => rowsOnShow(first), { timeout: patience }).toBe('1 of 2');
  // Forgetting one leaves the other.
  await first.reload();
  await offer.getByRole('button', { name: 'Forget' }).click();
  await offer.waitFor({ state: 'hidden' });
  await first.reload();
  await offer.getByText('model.onnx with edges-data.npz').waitFor();
});
