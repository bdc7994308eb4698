import { defineConfig } from 'vitest/config';

// Deploys the stack for real, on whatever is LocalStack-compatible, and drives it with kubectl.
export default defineConfig({
  test: {
    include: ['test/aws/deploy/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 600_000,
    env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
  },
});
