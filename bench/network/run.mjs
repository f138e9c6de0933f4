/**
 * Frames of the explorer's network while it is moved, in headless Chromium without a GPU: the time from one animation
 * frame to the next while the pointer moves 8 pixels per frame, away and back. For comparison, frames in which nothing
 * moves: what the machine achieves at best.
 *
 *     npm run bench -- network                                # 1,000 nodes, 6,000 known edges, the 50 best pairs
 *     npm run bench -- network --nodes 10000 --edges 60000
 *     npm run bench -- network --page path/to/a/built/page    # another build, for comparison
 */
/* global document, PointerEvent, requestAnimationFrame, setTimeout -- what runs in the page */
import { Buffer } from 'node:buffer';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { chromiumFlags, findChromium } from '../../test/support/chromium.mjs';
import { readOptions } from '../shared/options.mjs';
import { generator } from '../shared/problem.mjs';
import { printTable, writeResult } from '../shared/report.mjs';

const setup = readOptions({ nodes: 1000, edges: 6000, pairs: 2000, frames: 300, page: '' });
const { nodes, edges, pairs, frames } = setup;

/** Known edges and, without one, scored pairs. @returns the table as CSV */
function table() {
  const random = generator(20261129);
  const node = () => Math.floor(nodes * random());
  const taken = new Set();
  const lines = ['src_func,dst_func,src_idx,dst_idx,corr,has_edge,p_value,q_value'];
  while (taken.size < edges + pairs) {
    const [source, target] = [node(), node()];
    const key = source * nodes + target;
    if (source === target || taken.has(key)) continue;
    const known = taken.size < edges;
    taken.add(key);
    const name = (/** @type {number} */ k) => `FUNC__ENSG${String(k).padStart(11, '0')}_G${k}`;
    const score = 0.9 * random();
    lines.push([name(source), name(target), source, target, score.toFixed(4), known, 0.01, 0.02].join(','));
  }
  return lines.join('\n');
}

/** @param {number[]} values @param {number} share */
const quantile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN;

/** Moves the picture and times the frames. Runs in the page. @param {{ count: number, speed: number }} how */
function moveAndMeasure({ count, speed }) {
  const picture = /** @type {HTMLElement} */ (
    document.querySelector('[role=application][aria-label^=Network]')
  );
  const box = picture.getBoundingClientRect();
  const tell = (/** @type {string} */ type, /** @type {number} */ x) => {
    const place = { clientX: box.left + 5 + x, clientY: box.top + 5 + x / 3, pointerId: 1, bubbles: true };
    picture.dispatchEvent(new PointerEvent(type, place));
  };
  picture.setPointerCapture = () => undefined;
  return new Promise((resolve) => {
    /** @type {number[]} */
    const times = [];
    let [last, at, step] = [0, 0, speed];
    if (speed > 0) tell('pointerdown', 0);
    const frame = (/** @type {number} */ now) => {
      if (last > 0) times.push(now - last);
      last = now;
      if (times.length === count) {
        if (speed > 0) tell('pointerup', at);
        resolve(times);
        return;
      }
      if (Math.abs(at + step) > 480) step = -step;
      if (speed > 0) tell('pointermove', (at += step));
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const outDir = setup.page || `${root}/test/artifacts/network-page`;
if (!setup.page) await build({ mode: 'demo', logLevel: 'error', build: { outDir, emptyOutDir: true } });
const server = await preview({ mode: 'demo', logLevel: 'error', build: { outDir }, preview: { port: 0 } });
const executablePath = findChromium();
const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: chromiumFlags });
const measured = [];
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(120_000);
  await page.goto(server.resolvedUrls?.local[0] ?? '');
  await page.locator('.run-note').getByText('samples in').waitFor();
  await page.getByText('Name lists and edge tables').click();
  const buffer = Buffer.from(table());
  await page
    .getByLabel('Edge table', { exact: true })
    .setInputFiles({ name: 'network.csv', mimeType: 'text/csv', buffer });
  await page
    .getByText(`${(edges + pairs).toLocaleString('en')} rows`)
    .first()
    .waitFor();
  await page.getByRole('tab', { name: 'Network' }).click();
  for (const layout of ['layers', 'force']) {
    await page.getByLabel('Layout').selectOption(layout);
    const picture = page.getByRole('application', { name: /^Network/ });
    await picture.waitFor();
    for (const zoom of ['all of it', 'twice as large']) {
      if (zoom !== 'all of it') {
        await picture.focus();
        await page.keyboard.press('+');
        await page.keyboard.press('+');
      }
      // Earlier requests are drawn by then.
      await page.evaluate(() => new Promise((done) => setTimeout(done, 1000)));
      for (const speed of layout === 'layers' && zoom === 'all of it' ? [0, 8] : [8]) {
        /** @type {number[]} */
        const times = await page.evaluate(moveAndMeasure, { count: frames, speed });
        measured.push({
          ...{ layout: speed > 0 ? layout : 'nothing moves', zoom },
          median: quantile(times, 0.5),
          p95: quantile(times, 0.95),
          worst: Math.max(...times),
        });
      }
    }
  }
} finally {
  await browser.close();
  await server.close();
}
const load = loadavg()[0];
writeResult('network-frames', { setup, load, measured });
const ms = (/** @type {number} */ time) => `${time.toFixed(1)} ms`;
console.log(`${nodes} nodes, ${edges} edges, ${frames} frames; load ${load?.toFixed(1)}\n`);
printTable(
  ['layout', 'in sight', 'median', 'p95', 'worst'],
  measured.map(({ layout, zoom, median, p95, worst }) => [layout, zoom, ms(median), ms(p95), ms(worst)]),
);
