import { readFile } from 'node:fs/promises';
import type { Page, Worker } from 'playwright';
import { createServer } from 'vite';
import { expect, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { downloaded, figureOf, exampleScored, patience, useDemo } from './demo-page.ts';

const demo = useDemo();

/** The policy as the built page has it, by directive. */
async function builtPolicy(): Promise<ReadonlyMap<string, readonly string[]>> {
  const html = await readFile(new URL('../artifacts/demo/index.html', import.meta.url), 'utf8');
  const content = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1] ?? '';
  return new Map(
    content.split(';').map((directive) => {
      const [name, ...sources] = directive.trim().split(/\s+/);
      return [name!, sources];
    }),
  );
}

/** Collects what the policy keeps page and workers from; whatever they do from now on. */
async function violations(page: Page): Promise<() => string[]> {
  const found: string[] = [];
  await page.exposeFunction('noteViolation', (text: string) => found.push(text));
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => {
      const { noteViolation } = globalThis as unknown as { noteViolation: (text: string) => void };
      noteViolation(`${violatedDirective} ${blockedURI} ${sourceFile}`);
    });
  });
  // In workers the console tells.
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) found.push(message.text());
  });
  return () => found;
}

/** Whether code from text runs in a worker, asked in a task of the worker's own: what a debugger asks at once may. */
const compiles = (worker: Worker) =>
  worker.evaluate(
    () =>
      new Promise<boolean>((resolve) => {
        setTimeout(() => {
          try {
            // eslint-disable-next-line @typescript-eslint/no-implied-eval
            resolve(typeof new Function('return true') === 'function');
          } catch {
            resolve(false);
          }
        });
      }),
  );

test('the built page has a strict policy: no code from text, none inline, none from elsewhere', async () => {
  const policy = await builtPolicy();
  expect(policy.get('default-src')).toEqual(["'none'"]);
  expect(policy.get('script-src')).toEqual(["'self'", "'wasm-unsafe-eval'"]);
  expect(policy.get('style-src')).toEqual(["'self'"]);
  expect(policy.get('worker-src')).toEqual(["'self'", 'blob:']);
  expect([...policy.values()].flat()).not.toContain("'unsafe-inline'");
  expect([...policy.values()].flat()).not.toContain("'unsafe-eval'");
  expect(policy.get('base-uri')).toEqual(["'none'"]);
});

for (const where of ['cpu', 'webgpu'])
  test(`a whole session runs under the policy, workers included: ${where}`, async () => {
    const provider = where === 'cpu' ? 'wasm' : 'webgpu';
    const { page } = demo;
    const found = await violations(page);
    await page.goto(
      `${page.url()}?uncertainty=true&permutations=5&backend=${where}&executionProvider=${provider}`,
    );
    await exampleScored(page);
    expect(page.workers().length).toBeGreaterThanOrEqual(2);
    for (const worker of page.workers()) expect(await compiles(worker), worker.url()).toBe(false);
    await page.getByRole('button', { name: 'Compute uncertainty' }).click();
    await page.getByRole('columnheader', { name: 'Shuffled p' }).waitFor();
    await exampleScored(page);
    await page.getByRole('gridcell').first().click();
    for (const view of ['Network', 'Evidence', 'Ranking', 'Significance', 'Heatmap']) {
      await page.getByRole('tab', { name: view }).click();
      await page.getByRole('tabpanel').locator('canvas, figure svg').first().waitFor();
      for (const format of ['SVG', 'PNG'] as const) await figureOf(page, format);
    }
    for (const format of ['CSV', 'Arrow', 'Parquet', 'TSV', 'arboreto', 'GraphML', 'Cytoscape'])
      await downloaded(page, `Download ${format}`);
    await page.getByText('Only the rows shown').click();
    const parquet = await downloaded(page, 'Download Parquet');
    await page.getByText('Name lists and edge tables').click();
    const file = { ...parquet, mimeType: 'application/octet-stream', buffer: parquet.bytes };
    await page.getByLabel('Edge table', { exact: true }).setInputFiles(file);
    await page.getByText('552 rows · 24 function nodes').waitFor();
    expect(found()).toEqual([]);
  });

test('what the policy forbids does not run', async () => {
  const { page } = demo;
  const found = await violations(page);
  await page.reload();
  await exampleScored(page);
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.injected = true';
    document.head.append(script);
  });
  await expect.poll(() => found().some((text) => text.startsWith('script-src-elem inline'))).toBe(true);
  expect(await page.evaluate(() => 'injected' in globalThis)).toBe(false);
  // The browser reports it, as it should.
  demo.complaints.length = 0;
});

test('a site that forbids the clipboard: whatever is copied, the page says that it was not', async () => {
  await demo.open({ serviceWorkers: 'block' });
  const { page } = demo;
  await page.route(page.url(), async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers(), 'permissions-policy': 'clipboard-write=()' };
    await route.fulfill({ response, headers });
  });
  await page.reload();
  await exampleScored(page);
  const alert = page.getByRole('alert');
  const expectNotCopied = async (button: string) => {
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByRole('button', { name: 'Not copied' }).waitFor();
    // An open dialog hides what is behind it from screen readers, not from the eye.
    await page.getByText('Nothing was copied: the browser does not let this page write to').waitFor();
  };
  await expectNotCopied('Copy link');
  expect(await alert.count()).toBe(1);
  expect(await page.getByRole('button', { name: 'Copied', exact: true }).count()).toBe(0);
  await page.getByRole('button', { name: 'Dismiss this message' }).click();

  await page.getByRole('button', { name: 'Methods text' }).click();
  await expectNotCopied('Copy');
  await page.getByRole('button', { name: 'Close' }).click();
  expect(await alert.count()).toBe(1);
  await page.getByRole('button', { name: 'Dismiss this message' }).click();

  await page.getByRole('grid', { name: 'Edges' }).getByRole('row').nth(1).click();
  await page.getByRole('tab', { name: 'Evidence' }).click();
  await expectNotCopied('Copy as text');
  expect(await alert.count()).toBe(1);
  // The browser reports it as well.
  expect(demo.complaints.every((text) => text.includes('Clipboard API has been blocked'))).toBe(true);
  demo.complaints.length = 0;
});

test('npm start serves the page with the policy, but for styles in the page and the way to its server', async () => {
  const server = await createServer({ mode: 'demo', logLevel: 'error', server: { port: 0, hmr: true } });
  const browser = new TestBrowser();
  try {
    await server.listen();
    const page = await browser.newPage();
    page.setDefaultTimeout(patience);
    const complaints: string[] = [];
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(server.resolvedUrls!.local[0]!);
    await exampleScored(page);
    const policy = await page.locator('meta[http-equiv=Content-Security-Policy]').getAttribute('content');
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
