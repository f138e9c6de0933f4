import type { Plugin } from 'vite';

const SUFFIX = '?worker&url';

export function workersOfPage(): Plugin {
  return {
    name: 'workers-of-page',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      if (id === '\0vite/preload-helper.js') return 'export const __vitePreload = (load) => load();';
      if (!id.endsWith(SUFFIX)) return null;
      const reference = this.emitFile({
        type: 'chunk',
        id: id.slice(0, -SUFFIX.length),
        preserveSignature: false,
      });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}
