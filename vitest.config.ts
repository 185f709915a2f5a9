import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { LongestFirst } from './test/support/order/longest-first.ts';
import { SHARED_PROCESS, SHARING_ROOMS } from './test/support/order/long-files.ts';

const SHARING = SHARING_ROOMS.map((room) => `test/${room}/**/*.test.ts`);

export default defineConfig({
  test: {
    globalSetup: ['test/support/postgres/postgres-server.ts'],
    maxWorkers: 3, // On two processors: a file that starts services waits half of its time, and others compute meanwhile.
    sequence: { sequencer: LongestFirst },
    projects: [
      project('own', { include: ['test/**/*.test.ts'], exclude: SHARING }),
      project(SHARED_PROCESS, { include: SHARING, isolate: false }),
    ],
  },
});

function project(name: string, files: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    test: {
      name,
      setupFiles: ['test/support/service/end-of-processes.ts'],
      testTimeout: 180_000, // Nine seconds of a search took 108 beside thirty others that worked.
      hookTimeout: 120_000,
      expect: { poll: { timeout: 60_000 } }, // What never comes true fails; what a busy machine makes slow does not.
      ...files,
    },
  };
}
