import { defineConfig } from 'vitest/config';

/** Tests in real notebooks; `MAGNITUDE_EDGE_PYTHON` names the Python that has the package and the notebooks. */
export default defineConfig({
  test: {
    name: 'notebook',
    include: ['test/notebook/**/*.test.ts'],
    environment: 'node',
    retry: { count: 2, condition: /Target crashed/ },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
