/** The benchmarks of recovery cannot rot: a short share of each runs with the tests, one of them against the built service. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

async function share(...command: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('node_modules/.bin/tsx', [...command], { cwd: REPOSITORY });
  return stdout.trimEnd().split('\n');
}

test('a short share of the recoveries ends with all shapes followed', { timeout: 300_000 }, async () => {
  const lines = await share('bench/recovery.ts', '--shapes', '20', '--megabytes', '1', '--rounds', '0', '--settle', '0');

  const measured = lines.filter((line) => line.startsWith('  ')).map((line) => line.slice(0, 40).trim());
  expect(measured).toEqual([
    'first answer of a stored shape', 'one with rows, read to its end', 'a row behind its end', 'all are followed',
  ]);
});

test('of many shapes some come back behind a kill, and of all that ended nothing is left', { timeout: 300_000 }, async () => {
  const lines = await share('bench/many-shapes.ts', '--shapes', '60');

  expect(lines.filter((line) => line.includes(' came back') || line.includes(' left, ') || line.includes(' found'))).toEqual([
    '30 shapes came back, 30 files for them',
    expect.stringMatching(/^0 files left, \d+ directories$/),
    '0 shapes found, 0 files',
  ]);
});
