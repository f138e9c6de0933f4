import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'dist',
      'out',
      'demo/dist',
      'site/dist',
      'site/client',
      'test/fixtures',
      'test/artifacts',
      'bench/out',
      'export',
      'python/src',
      'python/build',
      'src/onnx/schema',
      '**/.venv',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // Indices inside checked bounds are read with `!`: noUncheckedIndexedAccess cannot know the bounds of a loop.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'max-params': ['error', 5], 'max-lines': ['error', 350] },
  },
  {
    // What an entry of the package exports is tested through that entry.
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            '**/src/data/batches.ts',
            '**/src/engine/cpu/cpu-engine.ts',
            '**/src/engine/webgpu/webgpu-engine.ts',
            '**/src/errors.ts',
            '**/src/inferer/inferer.ts',
            '**/src/inferer/inferer-options.ts',
            '**/src/model/gsnn-model.ts',
            '**/src/scoring/conditioning-sets.ts',
            '**/src/scoring/score-statistics.ts',
            '**/src/statistics/ragged.ts',
            '**/src/training-graph/build.ts',
          ],
        },
      ],
    },
  },
  {
    // What a WebAssembly function takes are numbers, one by one; these files have the types of such functions, and their twins.
    files: [
      'src/statistics/{wasm-block-kernel,wasm-chunks,wasm-packing,mixed-blocks}.ts',
      'src/scoring/{wasm-substitution-kernel,substitution}.ts',
    ],
    rules: { 'max-params': 'off' },
  },
  {
    files: ['.ci/**', 'src/cli/**', 'bench/**', 'test/support/**', '**/*.mjs', '.dependency-cruiser.cjs'],
    languageOptions: {
      globals: {
        performance: 'readonly',
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        navigator: 'readonly',
        URL: 'readonly',
      },
    },
    rules: { 'no-console': 'off' },
  },
);
