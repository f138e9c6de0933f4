import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { exampleFile } from '../support/example-data.ts';
import { exampleScored, seriousViolations, useDemo } from './demo-page.ts';

const demo = useDemo();

/** Another site with the example's files, and what was asked of it. */
async function withSite(
  use: (site: { address: string; asked: { url: string; referer: string | undefined }[] }) => Promise<void>,
  listener?: RequestListener,
): Promise<void> {
  const asked: { url: string; referer: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url!, referer: request.headers.referer });
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (listener) listener(request, response);
    else
      void exampleFile(request.url!.slice(1)).then(
        ({ buffer }) => response.end(buffer),
        () => response.writeHead(404).end(),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  try {
    await use({ address: `http://localhost:${(server.address() as AddressInfo).port}`, asked });
  } finally {
    server.close();
  }
}

const query = (files: Readonly<Record<string, string>>) => `?${new URLSearchParams(files).toString()}`;
const dialog = () => demo.page.getByRole('dialog', { name: 'Fetch files from another site?' });

describe('files of another site', () => {
  test('are asked about by address before anything is fetched, and fetched once that is allowed', async () => {
    await withSite(async ({ address, asked }) => {
      await demo.open({ query: query({ model: `${address}/model.onnx`, data: `${address}/data.npz` }) });
      await dialog().waitFor();
      expect(await seriousViolations(demo.page)).toEqual([]);
      expect(await dialog().innerText()).toContain(`${address}/model.onnx`);
      expect(await dialog().innerText()).toContain(`${address}/data.npz`);
      expect(asked).toEqual([]);
      await dialog().getByRole('button', { name: 'Fetch', exact: true }).click();
      await exampleScored(demo.page);
      // Where the link was opened is nobody's business.
      expect(asked).toEqual([
        { url: '/model.onnx', referer: undefined },
        { url: '/data.npz', referer: undefined },
      ]);
      await demo.page.getByRole('button', { name: 'Copy link' }).click();
      expect(Object.fromEntries(new URL(demo.page.url()).searchParams)).toEqual({
        model: `${address}/model.onnx`,
        data: `${address}/data.npz`,
      });
    });
  });

  test('are left alone where that is declined, by button or by Escape', async () => {
    await withSite(async ({ address, asked }) => {
      for (const decline of [
        () => dialog().getByRole('button', { name: 'Do not fetch' }).click(),
        () => demo.page.keyboard.press('Escape'),
      ]) {
        // The page's own file among them is not fetched either: half of a link is another thing.
        await demo.open({ query: query({ model: 'example/model.onnx', data: `${address}/data.npz` }) });
        await dialog().waitFor();
        await decline();
        await demo.page.getByText('Nothing was fetched.').waitFor();
        expect(await demo.page.getByRole('dialog').count()).toBe(0);
      }
      expect(asked).toEqual([]);
    });
  });

  test('an address that is none, or of another kind, is refused in a sentence', async () => {
    for (const address of ['javascript:alert(1)', 'data:text/plain,hello', 'http://']) {
      await demo.open({ query: query({ model: address }) });
      await demo.page
        .getByRole('alert')
        .filter({ hasText: 'is not the address of a file that can be fetched' })
        .waitFor();
    }
  });
});

describe('files of this site', () => {
  test('an address that leads elsewhere, or to a page, is refused', async () => {
    await withSite(async ({ address, asked }) => {
      const { page } = demo;
      // The preview server answers every unknown address with the page itself.
      await demo.open({ query: query({ model: 'nothing/here.onnx' }) });
      await demo.page.getByRole('alert').filter({ hasText: 'answered with an HTML page' }).waitFor();
      await demo.open({ serviceWorkers: 'block' });
      await demo.page.route('**/moved.onnx', (route) =>
        route.fulfill({ status: 302, headers: { location: `${address}/model.onnx` } }),
      );
      await demo.page.goto(new URL(query({ model: 'moved.onnx' }), demo.page.url()).href);
      await demo.page.getByRole('alert').filter({ hasText: 'redirects to another address' }).waitFor();
      expect(asked).toEqual([]);
      expect(page).toBeDefined();
    });
  });
});

describe('links to what was on a disk', () => {
  test('say so, and no other files are taken for them', async () => {
    const { page } = demo;
    await exampleScored(page);
    const buffer = (await exampleFile('data.npz')).buffer;
    const mine = { name: 'mine.npz', mimeType: 'application/octet-stream', buffer };
    await page.getByLabel('Data', { exact: true }).setInputFiles(mine);
    await page.getByText('mine.npz', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^model\.onnx with mine\.npz \(corr/).waitFor();
    await page.getByRole('button', { name: 'Copy link' }).click();
    const link = Object.fromEntries(new URL(page.url()).searchParams);
    expect(link).toEqual({
      model: 'example/model.onnx',
      positives: 'example/heldout.csv',
      disk: 'data',
    });
    await page.reload();
    await page
      .getByText(/^This link contains settings\. The files they were used with \(data\) were on a disk/)
      .waitFor();
    await page.getByText('24 function nodes, 17 edges').waitFor();
    expect(await page.getByRole('grid').count()).toBe(0);
    await page.getByLabel('Data', { exact: true }).setInputFiles(mine);
    await page.getByText('2,000 samples').first().waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^model\.onnx with mine\.npz \(corr/).waitFor();
  });
});
