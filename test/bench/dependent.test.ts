/** The benchmark of dependent shapes cannot rot: the least share of it runs with the tests, against the built service. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test('the least share of the dependent shapes sets each row against a SELECT, or against one shape', { timeout: 300_000 }, async () => {
  const share = ['bench/dependent-shapes.ts', '--scale', '0.0001', '--settle', '0'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/tsx', share, { cwd: REPOSITORY });

  const rows = stdout.split('\n').filter((line) => line.startsWith('  '));
  expect(rows.map((line) => [line.slice(0, 64).trim(), /SELECT|with one shape/.exec(line)?.[0]])).toEqual([
    ['1 parent moved in: median', 'SELECT'],
    ['1 parent moved out: median', 'SELECT'],
    ['2 parents in one transaction moved in: median', 'SELECT'],
    ['2 parents in one transaction moved out: median', 'SELECT'],
    ...['1 layer', '2 layers', '3 layers', '4 layers'].flatMap((layers) => [
      [`${layers} below 2 rows, moved in: median`, 'SELECT'],
      [`${layers} below 2 rows, moved out: median`, 'SELECT'],
    ]),
    ['a parent of 2 shapes comes: CPU for each dependant', 'SELECT'],
    ['a parent of 2 shapes goes: CPU for each dependant', 'SELECT'],
    ['memory of each of 1 pairs: resident', undefined],
    ['memory of each of 1 pairs: heap', undefined],
    ['time to make each of 1 pairs', 'SELECT'],
    ['commits to the outer table, one of 2 shapes concerned', 'with one shape'],
    ['commits to the outer table, each concerns another shape', 'with one shape'],
    ['commits to the inner table, one of 2 shapes concerned', 'with one shape'],
    ['commits to the inner table, each concerns another shape', 'with one shape'],
    ['memory of each of 200 values: resident', undefined],
    ['memory of each of 200 values: heap', undefined],
    ['rows of a shape over 200 values, which are read for it', 'SELECT'],
    ['rows of a further shape over them', 'SELECT'],
    ['one of them comes: COMMIT to the row', undefined],
  ]);
});
