/** The benchmarks cannot rot: a short share of each runs with the tests, against the built service. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test('a short share of every benchmark ends with its rows counted and set against the floor', { timeout: 300_000 }, async () => {
  const { stdout } = await promisify(execFile)(
    'node_modules/.bin/tsx',
    ['bench/run.ts', '--rows', '5000', '--changes', '600', '--transactions', '1,100'],
    { cwd: REPOSITORY },
  );

  expect(stdout.match(/^\S.*|[\d.]+ × the floor/gm)?.map((part) => part.replace(/^[\d.]+ ×/, '×'))).toEqual([
    'Cold snapshot of 5000 rows (int key, 100 bytes of text, int)',
    '× the floor',
    'Ingestion of 600 rows, 1 per transaction',
    '× the floor',
    'Ingestion of 600 rows, 100 per transaction',
    '× the floor',
  ]);
});
