import { build } from 'vite';

/** Where the page is built, once for all test files. */
export const demoFolder = new URL('../artifacts/demo', import.meta.url).pathname;

export default async function buildDemo(): Promise<void> {
  await build({ mode: 'demo', logLevel: 'error', build: { outDir: demoFolder, emptyOutDir: true } });
}
