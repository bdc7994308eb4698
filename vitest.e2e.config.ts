import { defineConfig } from 'vitest/config';

// Real kubectl and real containers, one file at a time: they share one Docker engine.
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts', 'test/kubectl/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
