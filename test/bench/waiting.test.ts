/** The benchmark of waiting shapes cannot rot: a short share of it runs with the tests, against the built service. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test('a short share of the waiting shapes says what each costs, and what it costs to wake it', { timeout: 300_000 }, async () => {
  const share = ['bench/waiting-shapes.ts', '--shapes', '20', '--rest', '100', '--settle', '0'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/tsx', share, { cwd: REPOSITORY });

  const measured = stdout.split('\n').filter((line) => line.startsWith('  ')).map((line) => line.slice(0, 14).trim());
  expect(measured).toEqual(['just made', 'rested', 'asleep', 'awake', 'asleep', 'awake']);
});
