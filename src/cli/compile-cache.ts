const path = process.getBuiltinModule('node:path');

/**
 * Has Node cache the command's compiled modules in the user's own cache folder if Node can (22.1 and later) and
 * `MAGNITUDE_EDGE_CACHE=0` does not forbid it. Node's default is a system folder that all users may write to.
 */
export function keepCompiledModules(): void {
  const { MAGNITUDE_EDGE_CACHE: ourCache, XDG_CACHE_HOME: caches, LOCALAPPDATA: local } = process.env;
  if (ourCache === '0') return;
  const userCache = process.platform === 'win32' ? local : caches;
  const folder =
    userCache === undefined || userCache === ''
      ? path.join(process.getBuiltinModule('node:os').homedir(), '.cache')
      : userCache;
  const { enableCompileCache } = process.getBuiltinModule('node:module') as {
    enableCompileCache?: (folder: string) => unknown;
  };
  enableCompileCache?.(path.join(folder, 'magnitude-edge', 'modules'));
}
