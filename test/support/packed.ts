import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The package as published: packed, and installed into a user's folder. */

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Packs the build. @returns the tarball's name in the folder */
export async function pack(folder: string): Promise<string> {
  const args = ['pack', '--ignore-scripts', '--pack-destination', folder];
  await promisify(execFile)('npm', args, { cwd: root });
  return (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
}

/**
 * Packs the package and installs it in a folder, with others.
 *
 * @param packages what npm installs in addition
 * @param settings further fields of the folder's package.json
 */
export async function installPacked(
  folder: string,
  packages: readonly string[] = [],
  settings: object = {},
): Promise<void> {
  const description = JSON.stringify({ private: true, type: 'module', ...settings });
  await writeFile(join(folder, 'package.json'), description);
  const tarball = await pack(folder);
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await promisify(execFile)('npm', ['install', ...quiet, `./${tarball}`, ...new Set(packages)], {
    cwd: folder,
  });
}
