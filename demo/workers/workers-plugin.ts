import { build, type Plugin, type ResolvedConfig, type UserConfig } from 'vite';
import { workerScript } from '../../worker-script.config.ts';

const SUFFIX = '?worker&url';

/**
 * Builds the workers of the page together, so that modules they share are in one file, fetched once. Vite alone builds
 * each worker apart, with all that it imports. In development it serves the modules themselves.
 *
 * @param workers paths of all workers
 * @param settings of their build
 */
export function workersOfPage(workers: string[], settings: Pick<UserConfig, 'define' | 'resolve'>): Plugin {
  let page: ResolvedConfig;
  let built: ReturnType<typeof buildTogether> | undefined;
  return {
    name: 'workers-of-page',
    apply: 'build',
    enforce: 'pre',
    configResolved(config) {
      page = config;
    },
    buildStart() {
      built = undefined;
    },
    async load(id) {
      if (!id.endsWith(SUFFIX)) return null;
      const output = await (built ??= buildTogether(workers, settings, page));
      const chunks = output.filter((file) => file.type === 'chunk');
      for (const { moduleIds } of chunks) for (const file of moduleIds) this.addWatchFile(file);
      const worker = id.slice(0, -SUFFIX.length);
      const entry = chunks.find(({ facadeModuleId }) => facadeModuleId === worker);
      if (!entry) throw new Error(`${worker} is not one of the workers that are built together.`);
      const reference = this.emitFile({ type: 'asset', fileName: entry.fileName, source: entry.code });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
    async generateBundle(_, bundle) {
      for (const file of (await built) ?? []) {
        // The page has the runtime among its own files.
        if (file.fileName in bundle) continue;
        const source = file.type === 'chunk' ? file.code : file.source;
        this.emitFile({ type: 'asset', fileName: file.fileName, source });
      }
    },
  };
}

async function buildTogether(
  workers: string[],
  settings: Pick<UserConfig, 'define' | 'resolve'>,
  { base, build: { target, sourcemap } }: ResolvedConfig,
) {
  const result = await build({
    ...settings,
    plugins: [workerScript(), plainImports],
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    base,
    build: {
      write: false,
      target,
      sourcemap,
      modulePreload: false,
      rolldownOptions: { input: workers },
    },
  });
  return [result].flat().flatMap((built) => ('output' in built ? built.output : []));
}

/** Vite's helper around imports on demand reports failures to `window`, which workers do not have. */
const plainImports: Plugin = {
  name: 'plain-imports',
  enforce: 'pre',
  load: (id) => (id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : null),
};
