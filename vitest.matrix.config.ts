import { defineConfig } from 'vitest/config';

/**
 * One file per bundler or notebook that takes longer to install and run than those of `npm test`; each is a separate
 * job.
 */
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
