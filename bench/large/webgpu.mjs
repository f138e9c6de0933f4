/* global Blob */
/**
 * Scores of a graph too large for N x N sums, in a page in headless Chromium, on its GPU or its workers: the time of
 * the first rows of the table, and the memory of the tab and of the GPU process.
 *
 *     npm run bench -- large-webgpu                          # N = 10,000, P = 4, n = 2048, 8 parents, both scores
 *     npm run bench -- large-webgpu --samples 128 --precision fast --score corr      # software adapters: minutes
 *     npm run bench -- large-webgpu --backend cpu --samples 512                      # the CPU engine
 *
 * One node in fifty shares a signal with the others of its kind in all layers; the rest is noise.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, loadConfigFromFile } from 'vite';
import { withPage } from '../shared/chromium-page.mjs';
import { readOptions } from '../shared/options.mjs';
import { printTable, seconds, writeResult } from '../shared/report.mjs';

const { score, memory, ...size } = readOptions({
  nodes: 10_000,
  pairs: 4,
  samples: 2048,
  parents: 8,
  backend: 'webgpu',
  precision: 'exact',
  score: 'both',
  memory: 'default',
});
const setting = {
  ...size,
  scores: score === 'both' ? ['corr', 'partial'] : [score],
  memoryBytes: memory === 'default' ? undefined : Number(memory) * 2 ** 20,
};

const page = fileURLToPath(new URL('page.mjs', import.meta.url));
// The library's own plugins, for the workers of the CPU engine.
const config = await loadConfigFromFile({ command: 'build', mode: 'production' });
const built = await build({
  configFile: false,
  logLevel: 'error',
  plugins: config?.config.plugins ?? [],
  define: { __PACKAGE_VERSION__: JSON.stringify('benchmark') },
  build: { write: false, minify: false, lib: { entry: page, formats: ['es'] } },
});
const [bundle] = /** @type {any} */ (built)[0].output;

/** @type {Measured & { peaks: { type: string, peakMiB: number }[] }} */
const result = await withPage(async (page, browser) => {
  page.on('console', (message) => console.error(message.text()));
  const measured = await page.evaluate(
    async ({ code, setting }) => {
      const { measureLarge } = await import(
        URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))
      );
      return await measureLarge(setting);
    },
    { code: bundle.code, setting },
  );
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  // The page's renderer is the larger of the two; the other one is a spare.
  const peaks = ['renderer', 'GPU'].map((type) => {
    const own = processInfo.filter((process) => process.type === type);
    return { type, peakMiB: Math.max(...own.map(({ id }) => peakMiB(id))) };
  });
  return { ...measured, peaks };
});
writeResult(`large-${setting.backend}`, { setup: setting, ...result });
const { adapter, notes, rows, peaks } = result;
console.log(
  `${adapter}; N = ${setting.nodes}, P = ${setting.pairs}, n = ${setting.samples}; ${notes.join('; ')}\n`,
);
printTable(
  ['score', 'scores', 'first 1,000 rows', "page's thread held at most"],
  rows.map(({ score, scored, table }) => [
    score,
    seconds(scored.seconds),
    seconds(table.seconds),
    `${Math.max(scored.heldMs, table.heldMs).toFixed(0)} ms`,
  ]),
);
console.log(`\nPeak memory: ${peaks.map(({ type, peakMiB }) => `${type} ${peakMiB} MiB`).join(', ')}`);

/** @typedef {Awaited<ReturnType<typeof import('./page.mjs').measureLarge>>} Measured */

/** Peak resident memory of a process. @param {number} id */
function peakMiB(id) {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'));
  return Math.round(Number(line?.[1]) / 1024);
}
