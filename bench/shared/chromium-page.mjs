/** A page in headless Chromium that can import this repository's files and packages. */
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { chromiumFlags, findChromium } from '../../test/support/chromium.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** @type {Record<string, string>} */
const types = { '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Full-resolution timestamps: pages otherwise get them in steps of 0.1 ms. */
const flags = [...chromiumFlags, '--disable-dawn-features=timestamp_quantization'];

/**
 * Opens the page, hands it to `work`, and closes browser and server.
 * @template T
 * @param {(page: import('playwright').Page, browser: import('playwright').Browser) => Promise<T>} work
 * @param {Readonly<Record<string, string>>} imports bare names and their paths
 * @returns {Promise<T>}
 */
export async function withPage(work, imports = {}) {
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify({ imports })}</script>`;
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname);
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (path === '/') response.setHeader('Content-Type', 'text/html').end(html);
    else if (!existsSync(root + path)) response.writeHead(404).end();
    else {
      response.setHeader('Content-Type', types[extname(path)] ?? 'application/octet-stream');
      createReadStream(root + path).pipe(response);
    }
  });
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const executablePath = findChromium();
  const browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}), args: flags });
  try {
    const page = await browser.newPage();
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    await page.goto(`http://localhost:${address.port}/`);
    return await work(page, browser);
  } finally {
    await browser.close();
    server.close();
  }
}
