/** A server of a built page over a line of given bandwidth, with a host's compression. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const types = /** @type {Record<string, string>} */ ({
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
});

const compressors = {
  br: (/** @type {Buffer} */ bytes) =>
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  gzip: (/** @type {Buffer} */ bytes) => gzipSync(bytes, { level: 9 }),
};

/**
 * Serves a folder. All answers share one line, one after the other.
 *
 * @param {{ folder: string, megabits: number, latency: number, encoding: 'br' | 'gzip' | 'identity' }} line megabits
 * per second, 0 for unlimited; milliseconds before the first byte of an answer
 * @returns the address, `answered` with path and bytes as sent of every answer since it was last emptied, and a
 * function that ends the server
 */
export async function serveSlowly({ folder, megabits, latency, encoding }) {
  /** @type {{ path: string, bytes: number }[]} */
  const answered = [];
  /** @type {Map<string, Buffer>} by path, since compressing takes longer than sending */
  const compressed = new Map();
  let lineIsFreeAt = 0;

  /** @param {string} path */
  const encoded = (path) => {
    const known = compressed.get(path);
    if (known) return known;
    const bytes = readFileSync(path);
    const made = encoding === 'identity' ? bytes : compressors[encoding](bytes);
    compressed.set(path, made);
    return made;
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch((/** @type {unknown} */ error) => {
      response.writeHead(404).end(String(error));
    });
  });

  /** @type {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => Promise<void>} */
  async function answer(request, response) {
    const name = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://page').pathname));
    const path = join(folder, name.endsWith('/') ? `${name}index.html` : name);
    const bytes = encoded(path);
    await delay(latency);
    response.writeHead(200, {
      'content-type': types[extname(path)] ?? 'application/octet-stream',
      'content-length': bytes.length,
      // As hosts do for names that contain a digest of their content.
      'cache-control': name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(encoding !== 'identity' && { 'content-encoding': encoding }),
    });
    answered.push({ path: name, bytes: bytes.length });
    const step = megabits > 0 ? 8192 : bytes.length || 1;
    for (let at = 0; at < bytes.length; at += step) {
      const part = bytes.subarray(at, at + step);
      if (megabits > 0) {
        const now = performance.now();
        lineIsFreeAt = Math.max(lineIsFreeAt, now) + (part.length * 8) / (megabits * 1000);
        if (lineIsFreeAt - now > 1) await delay(lineIsFreeAt - now);
      }
      if (response.destroyed) return;
      response.write(part);
    }
    response.end();
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${address.port}/`,
    answered,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
