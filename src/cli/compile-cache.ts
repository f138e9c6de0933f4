import nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Has Node keep the compiled form of the command's modules in the user's own cache folder, where it can (from 22.1 on) and
 * `MAGNITUDE_EDGE_CACHE=0` does not forbid it. Node's default is a folder of the system that all users may write to.
 */
export function keepCompiledModules(): void {
  const { MAGNITUDE_EDGE_CACHE: wanted, XDG_CACHE_HOME: caches, LOCALAPPDATA: local } = process.env;
  if (wanted === '0') return;
  const given = process.platform === 'win32' ? local : caches;
  const folder = given === undefined || given === '' ? join(homedir(), '.cache') : given;
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => unknown };
  enableCompileCache?.(join(folder, 'magnitude-edge', 'modules'));
}
