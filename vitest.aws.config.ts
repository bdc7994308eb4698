import { defineConfig } from 'vitest/config';

// The AWS adapters against emulators that others wrote, and against our own model of ECS and EC2.
export default defineConfig({
  test: {
    include: ['test/aws/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    exclude: ['test/aws/deploy/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  },
});
