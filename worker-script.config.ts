import { basename } from 'node:path';
import { build, type Plugin, type UserConfig } from 'vite';

const SUFFIX = '?script';

/**
 * `import text from './file.ts?script'` returns the file and all its imports as the text of one classic script. A
 * library cannot ship a worker as a file: its users' bundlers lose it, and pages may not start workers of another
 * origin. As text it starts from a Blob in a page and from the text itself in Node, the same in the sources, the tests
 * and the package.
 *
 * @param settings of the script's own build
 * @param folder where the scripts are also written as files, for pages that allow workers only from files
 */
export function workerScript(settings: Pick<UserConfig, 'define' | 'resolve'> = {}, folder?: string): Plugin {
  return {
    name: 'worker-script',
    async load(id) {
      if (!id.endsWith(SUFFIX)) return null;
      const entry = id.slice(0, -SUFFIX.length);
      const built = await build({
        ...settings,
        // A script may start workers of its own.
        plugins: [workerScript(settings)],
        configFile: false,
        logLevel: 'error',
        publicDir: false,
        build: {
          write: false,
          target: 'es2022',
          minify: true,
          lib: { entry, formats: ['iife'], name: 'worker' },
        },
      });
      const chunks = [built].flat().flatMap((result) => ('output' in result ? result.output : []));
      const script = chunks.find((chunk) => chunk.type === 'chunk');
      if (script === undefined) throw new Error(`${entry} gave no script.`);
      for (const file of script.moduleIds) this.addWatchFile(file);
      if (folder !== undefined) {
        const fileName = `${folder}/${basename(entry, '.ts')}.js`;
        this.emitFile({ type: 'asset', fileName, source: script.code });
      }
      return `export default ${JSON.stringify(script.code)};`;
    },
  };
}
