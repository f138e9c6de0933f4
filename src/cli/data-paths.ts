import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MagnitudeEdgeError } from '../errors.ts';

/** Whether an argument is an address to fetch rather than a path. */
export function isAddress(argument: string): boolean {
  return /^https?:\/\//i.test(argument);
}

/** The URL of a path or an address. */
export function toUrl(argument: string): URL {
  return isAddress(argument) ? new URL(argument) : pathToFileURL(argument);
}

/**
 * Replaces patterns by the paths of the files that they match, sorted: `*`, `?` and `[...]` within a name, `**` for any
 * folders. A path that exists is never a pattern; addresses are returned unchanged.
 * @throws MagnitudeEdgeError `invalid-data` for a pattern that no file matches
 */
export async function expandPatterns(paths: readonly string[]): Promise<string[]> {
  const expanded: string[] = [];
  for (const path of paths) {
    if (isAddress(path) || !/[*?[]/.test(path) || (await isThere(path))) {
      expanded.push(path);
      continue;
    }
    const found = await matches(path);
    if (found.length === 0) {
      throw new MagnitudeEdgeError('invalid-data', `No file matches '${path}'.`, {
        details: { source: path },
      });
    }
    expanded.push(...found);
  }
  return expanded;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function matches(pattern: string): Promise<string[]> {
  const parts = pattern.split(sep === '\\' ? /[\\/]/ : '/');
  let folders = [parts[0] === '' ? sep : ''];
  if (parts[0] === '') parts.shift();
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const found: string[] = [];
    for (const folder of folders) {
      if (part === '**') found.push(folder, ...(await foldersBelow(folder)));
      else if (!/[*?[]/.test(part)) found.push(join(folder, part));
      else found.push(...(await namesIn(folder, part)).map((name) => join(folder, name)));
    }
    folders = last ? await filesAmong(found) : found;
  }
  return [...new Set(folders)].sort();
}

async function namesIn(folder: string, part: string): Promise<string[]> {
  const pattern = toRegExp(part);
  const names = await readdir(folder || '.').catch(() => []);
  // As in a shell, only a pattern that begins with a dot matches hidden files.
  return names.filter((name) => pattern.test(name) && (part.startsWith('.') || !name.startsWith('.')));
}

async function foldersBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder || '.', { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function filesAmong(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const stats = await stat(path).catch(() => undefined);
    if (stats !== undefined && !stats.isDirectory()) found.push(path);
  }
  return found;
}

function toRegExp(part: string): RegExp {
  const source = part.replace(/\[!?[^\]]+\]|[*?]|[^*?[]+|\[/g, (token) => {
    if (token === '*') return '.*';
    if (token === '?') return '.';
    if (token.length > 2 && token.startsWith('['))
      return `[${token.slice(1, -1).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`;
    return token.replace(/[\\^$.|+(){}[\]]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 'su');
}
