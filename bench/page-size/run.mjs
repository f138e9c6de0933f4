/**
 * What the explorer's page is made of: bytes of its built scripts by package, minified, and the share of each package
 * in the gzip-compressed files. Source maps attribute the bytes.
 *
 *     npm run bench -- page-size
 */
import { Buffer } from 'node:buffer';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { decode } from '@jridgewell/sourcemap-codec';
import { build } from 'vite';
import { printTable, writeResult } from '../shared/report.mjs';

/** The package of a source. @param {string | undefined} source */
function packageOf(source) {
  const path = (source ?? '').replace(/^(\.\.\/)+/, '');
  const inPackage = /node_modules\/(?!.*node_modules\/)((?:@[^/]+\/)?[^/]+)/.exec(path);
  if (inPackage) return inPackage[1] ?? '';
  if (path.startsWith('demo/')) return 'the page itself';
  return /^(src|shaders)\//.test(path) ? 'magnitude-edge' : 'of the bundler';
}

/**
 * Bytes of a script by package.
 * @param {string} code @param {{ mappings: string, sources: string[] }} map
 */
function bytesOf(code, { mappings, sources }) {
  /** @type {Map<string, number>} */
  const bytes = new Map();
  const add = (/** @type {number} */ source, /** @type {string} */ text) => {
    const name = packageOf(sources[source]);
    bytes.set(name, (bytes.get(name) ?? 0) + Buffer.byteLength(text));
  };
  const lines = code.split('\n');
  // Text without a source of its own belongs to the source before it.
  let owner = sources.length > 0 ? 0 : -1;
  decode(mappings).forEach((segments, number) => {
    const text = lines[number] ?? '';
    let from = 0;
    for (const [column, source] of segments) {
      add(owner, text.slice(from, column));
      [from, owner] = [column, source ?? owner];
    }
    add(owner, text.slice(from));
  });
  return bytes;
}

const outDir = fileURLToPath(new URL('../../test/artifacts/page-size', import.meta.url));
await build({ mode: 'demo', logLevel: 'error', build: { outDir, emptyOutDir: true, sourcemap: true } });
/** @type {Map<string, { minified: number, gzip: number, parts: string[] }>} */
const packages = new Map();
const scripts = readdirSync(`${outDir}/assets`).filter((name) => name.endsWith('.js'));
for (const script of scripts) {
  const code = readFileSync(`${outDir}/assets/${script}`, 'utf8').replace(
    /\n?\/\/# sourceMappingURL=.*\s*$/,
    '',
  );
  const mapFile = `${outDir}/assets/${script}.map`;
  // A script of the bundler's own has no map.
  const map = existsSync(mapFile) ? JSON.parse(readFileSync(mapFile, 'utf8')) : { mappings: '', sources: [] };
  const share = gzipSync(code, { level: 9 }).length / Buffer.byteLength(code);
  for (const [name, minified] of bytesOf(code, map)) {
    const { minified: bytes, gzip, parts } = packages.get(name) ?? { minified: 0, gzip: 0, parts: [] };
    // Hashes in file names change with every build.
    const part = script.replace(/-[\w-]{8}\.js$/, '');
    packages.set(name, {
      minified: bytes + minified,
      gzip: gzip + share * minified,
      parts: [...parts, part],
    });
  }
}
const measured = [...packages]
  .map(([name, { minified, gzip, parts }]) => ({ name, minified, gzip: Math.round(gzip), parts }))
  .sort((a, b) => b.minified - a.minified);
writeResult('page-size', { scripts: scripts.length, measured });
const kB = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
printTable(
  ['package', 'minified', 'gzip', 'in'],
  measured.map(({ name, minified, gzip, parts }) => [name, kB(minified), kB(gzip), parts.join(', ')]),
);
