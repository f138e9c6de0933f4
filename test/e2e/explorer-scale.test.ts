import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import {
  Bool,
  Dictionary,
  Float64,
  Int32,
  makeData,
  makeVector,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { seeded } from '../../demo/src/graph/random.ts';
import { exampleScored, shownRows, useDemo } from './demo-page.ts';

const artifacts = new URL('../artifacts/', import.meta.url).pathname;
mkdirSync(artifacts, { recursive: true });

const demo = useDemo();

/** An edge table of so many rows, sorted by score, row r from node `src(r)` to node `dst(r)`. */
function edgeTable(
  nodes: number,
  rows: number,
  src: (row: number) => number,
  dst: (row: number) => number,
): Buffer {
  const random = seeded(1);
  const names = vectorFromArray(
    Array.from({ length: nodes }, (_, node) => `gene ${node}`),
    new Utf8(),
  );
  const ints = (at: (row: number) => number) => Int32Array.from({ length: rows }, (_, row) => at(row));
  const floats = (at: (row: number) => number) =>
    makeVector(
      makeData({ type: new Float64(), data: Float64Array.from({ length: rows }, (_, row) => at(row)) }),
    );
  const names32 = (at: (row: number) => number) =>
    makeVector(
      makeData({ type: new Dictionary(new Utf8(), new Int32()), data: ints(at), dictionary: names }),
    );
  const bits = Uint8Array.from({ length: Math.ceil(rows / 8) }, () => (random() < 0.05 ? 1 : 0));
  const table = new Table({
    src_func: names32(src),
    dst_func: names32(dst),
    src_idx: makeVector(ints(src)),
    dst_idx: makeVector(ints(dst)),
    corr: floats((row) => 1 - (2 * row) / rows),
    has_edge: makeVector(makeData({ type: new Bool(), length: rows, data: bits })),
    p_value: floats((row) => row / rows),
    q_value: floats((row) => row / rows),
  });
  return Buffer.from(tableToIPC(table, 'file'));
}

async function openTable(page: Page, buffer: Buffer): Promise<void> {
  await exampleScored(page);
  await page.getByText('Name lists and edge tables').click();
  const file = { name: 'large.arrow', mimeType: 'application/octet-stream', buffer };
  await page.getByLabel('Edge table', { exact: true }).setInputFiles(file);
}

/** Keeps figures beside the screenshots; they are measured, not judged. */
function note(name: string, figures: unknown): void {
  writeFileSync(`${artifacts}${name}.json`, JSON.stringify(figures, null, 2));
}

test('a million rows: the wheel moves row by row, the thumb goes anywhere, sorting and filtering answer', async () => {
  const { page } = demo;
  const nodes = 1001;
  const rows = nodes * (nodes - 1);
  const src = (row: number) => Math.floor(row / (nodes - 1));
  const dst = (row: number) => (row % (nodes - 1)) + (row % (nodes - 1) >= src(row) ? 1 : 0);
  await openTable(page, edgeTable(nodes, rows, src, dst));
  const grid = page.getByRole('grid', { name: 'Edges' });
  await page.locator(`[role=grid][aria-rowcount="${rows + 1}"]`).waitFor();

  const box = (await grid.boundingBox())!;
  await page.mouse.move(box.x + 100, box.y + 200);
  await page.evaluate(() => {
    const frames: number[] = [];
    Object.assign(globalThis, { frames });
    const tick = (now: number) => {
      frames.push(now);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  for (let step = 0; step < 60; step++) await page.mouse.wheel(0, 120);
  // 60 steps of 120 px are 300 rows of 24 px: not one row is skipped, though the bar is a third of the list's height.
  await expect
    .poll(async () => (await shownRows(page))[2])
    .toMatchObject({ Source: 'gene 0', Target: /^gene 30\d$/ });
  const frames = await page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames);
  const gaps = frames
    .slice(1)
    .map((at, k) => at - frames[k]!)
    .sort((a, b) => a - b);
  note('scroll-frames', {
    frames: gaps.length,
    medianMs: gaps[gaps.length >> 1],
    p95Ms: gaps[Math.floor(gaps.length * 0.95)],
  });

  await grid.evaluate((element) => {
    element.scrollTop = element.scrollHeight;
  });
  await expect
    .poll(async () => (await shownRows(page)).at(-1))
    .toMatchObject({ Source: 'gene 1000', Target: 'gene 999' });

  const started = Date.now();
  await page.getByRole('columnheader', { name: 'Target' }).getByRole('button').click();
  await expect.poll(async () => (await shownRows(page))[0]).toMatchObject({ Target: 'gene 0' });
  note('sort-a-million', { milliseconds: Date.now() - started });
  await page.getByRole('searchbox').fill('gene 7 > gene 70');
  // Names with "gene 7" in them: 7, 70-79, 700-799; with "gene 70": 70, 700-709. No pair with itself: 11 less.
  await page.locator(`[role=grid][aria-rowcount="${111 * 11 - 11 + 1}"]`).waitFor();
});

test('10,000 nodes: the heatmap is zoomed and panned, its memory bounded', async () => {
  const { page } = demo;
  const nodes = 10_000;
  const rows = 1_000_000;
  // 7,919 is prime to 10,000, so that no pair comes twice.
  const src = (row: number) => row % nodes;
  const dst = (row: number) => ((row % nodes) * 7919 + Math.floor(row / nodes) * 97 + 1) % nodes;
  await openTable(page, edgeTable(nodes, rows, src, dst));
  await page.locator(`[role=grid][aria-rowcount="${rows + 1}"]`).waitFor();
  const map = page.getByRole('application', { name: /Heatmap/ });
  const box = (await map.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let step = 0; step < 24; step++) await page.mouse.wheel(0, -300);
  await page.mouse.down();
  for (let step = 1; step <= 20; step++)
    await page.mouse.move(box.x + 250 - 8 * step, box.y + 300 - 8 * step);
  await page.mouse.up();
  await page.mouse.move(box.x + 200, box.y + 200);
  await page
    .getByText(/^gene \d+ → gene \d+/)
    .first()
    .waitFor();
  await page.screenshot({ path: `${artifacts}explorer-10000-nodes.png` });
  const cdp = await demo.context.newCDPSession(page);
  await cdp.send('HeapProfiler.collectGarbage');
  const heap = await page.evaluate(
    () => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize,
  );
  note('heatmap-10000', { pageHeapMiB: heap / 2 ** 20 });
  // The square of 400 MB is the worker's; the page holds the columns of the rows and at most 128 tiles.
  expect(heap).toBeLessThan(400 * 2 ** 20);
});

test('memory stays flat over fifty runs', async () => {
  const { page } = demo;
  await exampleScored(page);
  const cdp = await demo.context.browser()!.newBrowserCDPSession();
  const resident = async () => {
    const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
    const sizes = processInfo
      .filter(({ type }) => type === 'renderer')
      .map(({ id }) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? '0');
    return Math.max(...sizes.map(Number)) / 1024;
  };
  const sizes: number[] = [];
  for (let run = 0; run < 50; run++) {
    await page.evaluate(async () => {
      const button = [...document.querySelectorAll('button')].find(
        ({ textContent }) => textContent === 'Run',
      )!;
      const until = async (disabled: boolean) => {
        while (button.disabled !== disabled) await new Promise(requestAnimationFrame);
      };
      button.click();
      await until(true);
      await until(false);
    });
    if (run % 10 === 9) sizes.push(await resident());
  }
  note('memory-over-runs', { megabytesEveryTenRuns: sizes });
  // Heaps breathe; a leak of one table or one session a run would show as hundreds of megabytes.
  expect(sizes.at(-1)! - sizes[1]!).toBeLessThan(100);
});
