/** The rolling restarts cannot rot: a short share of them runs with the tests, against the built service. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test('in a short share of them no client hears of an error, and each holds what SELECT says', { timeout: 300_000 }, async () => {
  const share = ['bench/rolling.ts', '--clients', '10', '--shapes', '2', '--restarts', '2', '--between', '300'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/tsx', share, { cwd: REPOSITORY });

  const counted = stdout.split('\n').flatMap((line) => {
    const [, what, count] = /^ {2}(.*?) {2,}(\d+)$/.exec(line) ?? [];
    return what === undefined ? [] : [[what, Number(count)]];
  });
  expect(counted).toEqual([
    ['clients that heard of an error', 0],
    ['clients that do not hold what SELECT says', 0],
    ['shapes fetched anew', 0],
    ['connections that nobody took', 0],
  ]);
});
