import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import packageJson from './package.json' with { type: 'json' };
import { workerScript } from './worker-script.config.ts';
import { chromiumFlags, findChromium } from './test/support/chromium.mjs';

const define = { __PACKAGE_VERSION__: JSON.stringify(packageJson.version) };
const executablePath = findChromium();

/** By default Vitest leaves one core free: of two, half. */
const maxWorkers = availableParallelism();

/** Projects run one after the other, so that each browser has the cores that the software adapter needs. */
const order = (groupOrder: number) => ({ sequence: { groupOrder } });

export default defineConfig({
  test: {
    projects: [
      {
        define,
        plugins: [workerScript()],
        test: {
          name: 'unit',
          ...order(0),
          maxWorkers,
          include: ['test/unit/**/*.test.ts'],
          environment: 'node',
          // Passes V8 flags on to the tests: `node --experimental-wasm-revectorize node_modules/vitest/vitest.mjs run`.
          execArgv: process.execArgv,
          testTimeout: 60_000,
        },
      },
      {
        define,
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
          setupFiles: ['test/support/package-version.ts'],
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
        define,
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
