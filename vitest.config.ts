import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/postgres/postgres-server.ts'],
    setupFiles: ['test/support/service/end-of-processes.ts'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    expect: { poll: { timeout: 30_000 } }, // What never comes true fails; what a busy machine makes slow does not.
  },
});
