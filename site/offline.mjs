import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/**
 * Writes the service worker of a built site, with the list of files that it caches.
 * @param {string} out the site's folder
 */
export async function writeServiceWorker(out) {
  const entries = await readdir(out, { recursive: true, withFileTypes: true });
  const built = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(out, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((file) => !/^explorer\/|\.(wasm|map)$/.test(file))
    .sort();
  const digest = createHash('sha256');
  for (const file of built) digest.update(file).update(await readFile(join(out, file)));
  const files = ['./', ...built.map((file) => `./${file}`)];
  const head = `const files = ${JSON.stringify(files)};\nconst cacheName = 'site-${digest.digest('hex').slice(0, 12)}';\n`;
  const parts = ['../demo/offline/older-caches.js', 'service-worker.js'].map((file) =>
    readFile(new URL(file, import.meta.url), 'utf8'),
  );
  await writeFile(join(out, 'sw.js'), head + (await Promise.all(parts)).join(''));
}
