import { defineConfig } from 'vitest/config';

/** A file for each bundler or notebook that takes longer to install and to run than those of `npm test`: each is a job of its own. */
export default defineConfig({
  test: {
    name: 'matrix',
    include: ['test/matrix/**/*.test.ts'],
    environment: 'node',
    retry: { count: 2, condition: /Target crashed/ },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
