/**
 * Time from opening the explorer's address to the first table of the example, and the files fetched: for the first
 * visit over a line of 10 Mbit/s, and for the next one, with files in the browser's cache. Headless Chromium without a
 * GPU.
 *
 *     npm run bench -- page-start
 *     npm run bench -- page-start --megabits 0 --encoding identity    # unlimited, uncompressed
 *     npm run bench -- page-start --page path/to/a/built/page         # another build, for comparison
 */
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build } from 'vite';
import { chromiumFlags, findChromium } from '../../test/support/chromium.mjs';
import { median } from '../shared/median.mjs';
import { readOptions } from '../shared/options.mjs';
import { machine, printTable, seconds, writeResult } from '../shared/report.mjs';
import { serveSlowly } from './slow-server.mjs';

const setup = readOptions({ megabits: 10, latency: 20, encoding: 'br', repeats: 5, page: '' });
const encoding = ['br', 'gzip', 'identity'].find((name) => name === setup.encoding);
if (!encoding) throw new Error('--encoding is br, gzip or identity.');

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = setup.page || `${root}/test/artifacts/page-start`;
if (!setup.page)
  await build({ mode: 'demo', logLevel: 'error', build: { outDir: folder, emptyOutDir: true } });

const line = { folder, megabits: setup.megabits, latency: setup.latency };
const server = await serveSlowly({
  ...line,
  encoding: /** @type {'br' | 'gzip' | 'identity'} */ (encoding),
});
const executablePath = findChromium();
const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: chromiumFlags });

/** One visit, in seconds from the address to the first row of the table. @param {import('playwright').Page} page */
async function visit(page) {
  server.answered.length = 0;
  await page.goto(server.address, { waitUntil: 'commit' });
  await page.locator('[role=row] [role=gridcell]').first().waitFor();
  const time = Number(await page.evaluate(() => Reflect.get(globalThis, 'firstRow'))) / 1000;
  return { time, files: server.answered.slice() };
}

/** Notes in the page when the first row appears: Playwright looks at intervals of up to half a second. */
function noteFirstRow() {
  new globalThis.MutationObserver((_, observer) => {
    if (!globalThis.document.querySelector('[role=row] [role=gridcell]')) return;
    observer.disconnect();
    // In milliseconds since the navigation began
    Object.assign(globalThis, { firstRow: performance.now() });
  }).observe(globalThis.document, { childList: true, subtree: true });
}

/** @type {{ first: Awaited<ReturnType<typeof visit>>, next: Awaited<ReturnType<typeof visit>> }[]} */
const runs = [];
try {
  // The visit before the first one compresses all files.
  for (let repeat = -1; repeat < setup.repeats; repeat++) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    await page.addInitScript(noteFirstRow);
    const first = await visit(page);
    // The service worker has stored its files.
    await page.locator('html[data-offline=ready]').waitFor({ state: 'attached' });
    const next = await visit(page);
    if (repeat >= 0) runs.push({ first, next });
    await context.close();
  }
} finally {
  await browser.close();
  server.close();
}

/** @param {'first' | 'next'} which */
const figures = (which) => {
  const files = runs[0]?.[which].files ?? [];
  return {
    visit: which,
    seconds: median(runs.map((run) => run[which].time)),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    files,
  };
};
const measured = [figures('first'), figures('next')];
writeResult('page-start', { setup, measured });
console.log(`${setup.megabits} Mbit/s, ${setup.latency} ms, ${setup.encoding}; load ${machine().load}\n`);
printTable(
  ['visit', 'address to first table', 'fetched by then'],
  measured.map((row) => [row.visit, seconds(row.seconds), `${(row.bytes / 1000).toFixed(0)} kB`]),
);
console.log();
printTable(
  ['file of the first visit', 'kB'],
  measured[0]?.files.map(({ path, bytes }) => [path, (bytes / 1000).toFixed(1)]) ?? [],
);
