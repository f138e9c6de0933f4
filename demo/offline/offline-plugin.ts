import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const here = new URL('./', import.meta.url);
const publicFolder = new URL('../public/', here);

/** Writes the service worker of the built page, with the list of files that it caches. */
export function offline(): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      // This hook also runs for the bundles of workers; only the page's own bundle has an HTML entry.
      const isPage = Object.values(bundle).some(
        (output) => output.type === 'chunk' && output.facadeModuleId?.endsWith('.html'),
      );
      if (!isPage) return;
      const built = Object.keys(bundle).filter((file) => !/\.(wasm|map|html)$/.test(file));
      const copied = readdirSync(publicFolder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) =>
          `${entry.parentPath}/${entry.name}`.slice(publicFolder.pathname.length).replace(/^\//, ''),
        );
      const files = ['./', ...[...built, ...copied].sort().map((file) => `./${file}`)];
      const digest = createHash('sha256').update(JSON.stringify(files));
      for (const file of copied) digest.update(readFileSync(new URL(file, publicFolder)));
      for (const output of Object.values(bundle))
        digest.update(output.type === 'chunk' ? output.code : output.source);
      const head = `const files = ${JSON.stringify(files)};\nconst cacheName = 'explorer-${digest.digest('hex').slice(0, 12)}';\n`;
      const parts = ['older-caches.js', 'service-worker.js'].map((file) =>
        readFileSync(new URL(file, here), 'utf8'),
      );
      const source = head + parts.join('');
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}
