import { builtinModules } from 'node:module';
import { defineConfig, type UserConfig } from 'vite';
import packageJson from './package.json' with { type: 'json' };
import { offline } from './demo/offline/offline-plugin.ts';
import { servedPolicy } from './demo/policy/served-policy-plugin.ts';
import { singleFile } from './demo/widget/single-file-plugin.ts';
import { workersOfPage } from './demo/workers/workers-plugin.ts';
import { workerScript } from './worker-script.config.ts';

/** Everything that npm or a CDN resolves for the user stays an import: one copy of each per page. */
const external = [
  ...Object.keys(packageJson.dependencies),
  ...Object.keys(packageJson.peerDependencies),
  ...builtinModules.flatMap((name) => [name, `node:${name}`]),
].flatMap((name) => [name, new RegExp(`^${name}/`)]);

const define = { __PACKAGE_VERSION__: JSON.stringify(packageJson.version) };

/**
 * The command bundles its dependencies: finding and linking their two hundred modules took more than half of its start,
 * and the Python wheel ships none of them. The runtime is found where it is installed, with its .wasm.
 */
const commandExternals = [
  /^onnxruntime-web/,
  'webgpu',
  ...builtinModules.flatMap((name) => [name, `node:${name}`]),
];

/**
 * `vite build`: the library; `--mode command`: the command, `--mode browser`: the library as one file, both next to it.
 * `--mode demo`: the page, served or built. `--mode python`: the wheel's command; `--mode widget`: its explorer.
 */
export default defineConfig(({ mode }) => {
  if (mode === 'demo') {
    return {
      define,
      plugins: [
        workerScript(),
        workersOfPage(demoWorkers, { define, resolve: { alias: demoAliases } }),
        offline(),
        servedPolicy(),
      ],
      root: 'demo',
      base: './',
      // The runtime loads its .wasm next to its own module; pre-bundling would move the module away from it.
      optimizeDeps: { exclude: ['onnxruntime-web'] },
      resolve: { alias: demoAliases },
      oxc: { jsx: { runtime: 'automatic' as const, importSource: 'preact' } },
      build: { outDir: 'dist', emptyOutDir: true, target: 'es2022' },
    };
  }
  if (mode === 'widget') return widget;
  if (mode === 'browser') return browserFile;
  if (mode === 'command') return command('dist', false);
  if (mode === 'python') return command('python/src/magnitude_edge/command', true);
  return {
    define,
    plugins: [workerScript({}, 'workers')],
    publicDir: false,
    build: {
      target: 'es2022',
      sourcemap: true,
      minify: false,
      lib: {
        formats: ['es' as const],
        entry: {
          index: 'src/index.ts',
          'training-graph': 'src/training-graph.ts',
          statistics: 'src/statistics.ts',
        },
      },
      rolldownOptions: {
        external,
        output: { chunkFileNames: 'modules/[name].js', codeSplitting: { groups: layers } },
      },
    },
    worker: { format: 'es' as const, plugins: () => [workerScript()] },
  };
});

/**
 * The library as one module per layer, from the bottom up, and entries that only re-export: bundlers leave out whole
 * unused modules, but keep the constants of the others. Decoders that are fetched only when a file needs them stay
 * separate.
 */
const layers = [
  ['version', /\/src\/version\.ts$/] as const,
  ['shared', /\/src\/(?!index|statistics|training-graph)[\w-]+\.ts$/] as const,
  ...[
    ...['bytes', 'gpu', 'onnx', 'training-graph', 'statistics', 'scoring', 'ranking', 'engine', 'resampling'],
    ...['csv', 'columns', 'model', 'data', 'table', 'inferer'],
  ].map((layer) => [layer, new RegExp(`/src/${layer}/(?!zstd)`)] as const),
].map(([name, test], height) => ({ name, test, priority: 100 - height }));

/** What all commands load, as one module: finding each takes half a millisecond. */
const loadedTogether = [
  {
    name: 'shared',
    test: /\/src\/[\w-]+\.ts$|\/src\/cli\/(arguments|endings|reading-options|standard-output|system-errors|terminal)\.ts$/,
  },
];

/** @param alone whether the folder holds nothing else */
function command(outDir: string, alone: boolean): UserConfig {
  return {
    define,
    plugins: [workerScript()],
    publicDir: false,
    build: {
      target: 'es2022',
      minify: true,
      outDir,
      emptyOutDir: alone,
      lib: { formats: ['es'], entry: { cli: 'src/cli/main.ts' } },
      rolldownOptions: {
        external: commandExternals,
        output: {
          chunkFileNames: 'command/[name]-[hash].js',
          codeSplitting: { groups: loadedTogether },
        },
      },
    },
  };
}

const demoWorkers = ['fit', 'table'].map(
  (name) => new URL(`./demo/src/worker/${name}.worker.ts`, import.meta.url).pathname,
);

/** The page imports the package by its public names; in development they resolve to the sources. */
const demoAliases = [
  { find: /^magnitude-edge$/, replacement: new URL('./src/index.ts', import.meta.url).pathname },
  {
    find: /^magnitude-edge\/(training-graph|statistics)$/,
    replacement: new URL('./src/$1.ts', import.meta.url).pathname,
  },
];

/**
 * The library as one file for pages without a bundler. It looks for the runtime's .wasm next to itself, or where
 * `configureRuntime({ wasmPaths })` says: the bundler would inline 58 MB of WebAssembly, unless it does not recognise
 * the address.
 */
const browserFile: UserConfig = {
  define,
  plugins: [
    workerScript(),
    {
      name: 'leave-wasm-outside',
      enforce: 'pre',
      transform: (code, id) =>
        id.includes('onnxruntime-web')
          ? code.replaceAll(
              /new URL\("([^"]+\.wasm)",import\.meta\.url\)/g,
              'new URL(String("$1"),import.meta.url)',
            )
          : null,
    },
  ],
  publicDir: false,
  build: {
    target: 'es2022',
    minify: true,
    emptyOutDir: false,
    lib: { formats: ['es'], entry: { browser: 'src/browser.ts' } },
    rolldownOptions: { output: { codeSplitting: false } },
  },
};

/** What the explorer of a table leaves out. */
const withoutReaders = [
  ...demoAliases,
  {
    find: /^(\.\.\/columns\/parquet|\.\/codecs)\.ts$/,
    replacement: new URL('./demo/widget/only-arrow.ts', import.meta.url).pathname,
  },
];

/** The explorer of a table: its page as one file, and the module that shows it in a notebook. */
const widget: UserConfig = {
  define,
  plugins: [workerScript({ define, resolve: { alias: withoutReaders } }), singleFile('explorer.html')],
  root: 'demo/widget',
  publicDir: false,
  resolve: {
    alias: [
      ...withoutReaders,
      {
        find: /^\.\.\/worker\/start\.ts$/,
        replacement: new URL('./demo/widget/start.ts', import.meta.url).pathname,
      },
    ],
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../python/src/magnitude_edge/explorer',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    rolldownOptions: {
      input: { explorer: 'demo/widget/index.html', widget: 'demo/widget/notebook/widget.ts' },
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: '[name].js' },
    },
  },
};
