/** The example is run as its reader runs it, and prints what its page shows. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test('the counter crashes, is started again with what was on its shelf, and its client goes on', async () => {
  const [, promised] = /```text\n([\s\S]*?)```/.exec(readFileSync(join(REPOSITORY, 'examples/supervised-counter/README.md'), 'utf8')) ?? [];

  const command = ['--tsconfig', 'tsconfig.dist.json', 'examples/supervised-counter/main.ts'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/tsx', command, { cwd: REPOSITORY });

  expect(stdout).toBe(promised);
});
