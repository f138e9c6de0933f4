import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import packageJson from './package.json' with { type: 'json' };
import { workerScript } from './worker-script.config.ts';
import { chromiumFlags, findChromium } from './test/support/chromium.mjs';

/** One object per project: Vitest takes out of it what it defines. */
const define = () => ({ __PACKAGE_VERSION__: JSON.stringify(packageJson.version) });
const executablePath = findChromium();

/** By default Vitest leaves one core free: of two, half. */
const maxWorkers = availableParallelism();

/** Projects run one after the other, so that each browser has the cores that the software adapter needs. */
const order = (groupOrder: number) => ({ sequence: { groupOrder } });

/** Tests that run in Node on the sources. */
const inNode = (test: Readonly<{ name: string; include: string[]; isolate?: boolean }>) => ({
  define: define(),
  plugins: [workerScript()],
  test: {
    ...test,
    ...order(0),
    maxWorkers,
    environment: 'node' as const,
    setupFiles: ['test/support/typed-arrays-by-bytes.ts'],
    // Passes V8 flags on to the tests: `node --experimental-wasm-revectorize node_modules/vitest/vitest.mjs run`.
    execArgv: process.execArgv,
    testTimeout: 60_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      // The modules of the library are loaded once per worker: loading them for each file took a third of the time.
      inNode({ name: 'unit', include: ['test/unit/**/*.test.ts'], isolate: false }),
      // Tests that change what a module does until the process ends.
      inNode({ name: 'isolated', include: ['test/isolated/**/*.test.ts'] }),
      {
        define: define(),
        plugins: [workerScript()],
        optimizeDeps: {
          exclude: ['onnxruntime-web'],
          include: [
            'apache-arrow',
            'fast-check',
            'hyparquet',
            'hyparquet/src/column.js',
            'hyparquet/src/delta.js',
            'hyparquet/src/encoding.js',
            'hyparquet/src/plain.js',
            'hyparquet-compressors',
            'fzstd',
            'fflate',
            '@bufbuild/protobuf',
            '@bufbuild/protobuf/codegenv2',
          ],
        },
        test: {
          name: 'gpu',
          ...order(1),
          include: ['test/gpu/**/*.test.ts'],
          testTimeout: 120_000,
          // One page at a time: the software adapter already uses every core.
          fileParallelism: false,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { ...(executablePath ? { executablePath } : {}), args: chromiumFlags },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        define: define(),
        test: {
          name: 'e2e',
          ...order(2),
          globalSetup: ['test/e2e/build-demo.ts'],
          // A renderer that dies under the test is the browser's failure, not ours (seen in about one page
          // of two hundred); the next page gets a new one. Any other failure stands.
          retry: { count: 2, condition: /Target crashed/ },
          include: ['test/e2e/**/*.test.ts'],
          environment: 'node',
          // Bounds for what never ends. No test may depend on how long anything takes.
          testTimeout: 600_000,
          hookTimeout: 600_000,
          maxWorkers,
        },
      },
    ],
  },
});
