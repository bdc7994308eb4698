import { defineConfig } from 'vitest/config';

// Everything that needs no network, no Docker and no AWS. The end-to-end lanes have their own
// config.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    exclude: ['test/e2e/**', 'test/kubectl/**', 'test/aws/**', 'node_modules/**'],
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
