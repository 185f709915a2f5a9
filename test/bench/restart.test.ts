/** The benchmark of restarts cannot rot: a short share of it runs with the tests, against the built service. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test('a short share of the restarts ends with a new shape that answers', { timeout: 300_000 }, async () => {
  const share = ['bench/restart.ts', '--shapes', '20', '--away', '100'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/tsx', share, { cwd: REPOSITORY });

  const measured = stdout.split('\n').filter((line) => line.startsWith('  ')).map((line) => line.slice(0, 40).trim());
  const isServed = 'a new shape on a new table answers';
  expect(measured).toEqual([
    'Postgres there: active', isServed,
    'Postgres away: restored', '100 ms later', 'Postgres back: active', isServed,
    'Their tables gone: active', isServed,
  ]);
});
