/** The benchmark of filters cannot rot: the least share of it runs with the tests. What it measures here means nothing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '../..');

test('the least share of the filters sets many shapes against few, and each filter against Postgres', { timeout: 300_000 }, async () => {
  const share = ['bench/filters.ts', '--shapes', '10,20', '--changes', '100', '--rows', '100'];
  const { stdout } = await promisify(execFile)('node_modules/.bin/tsx', share, { cwd: REPOSITORY });

  const rows = stdout.split('\n').filter((line) => line.startsWith('  '));
  const families = ["owner = 'N'", 'owner = ANY (three of them)', "lower(title) = 'N'", "tags @> '{everybody,N}'"];
  expect(rows.map((line) => [line.slice(2, 64).trim(), /10 (?:shapes|texts) \d|Postgres/.exec(line)?.[0].replace(/ \d$/, '')])).toEqual([
    ['a map of 10 texts, each look-up another’s', '10 texts'],
    ['a map of 20 texts, each look-up another’s', '10 texts'],
    ...families.flatMap((family) => [
      [`${family}, 10 shapes`, '10 shapes'],
      [`${family}, 20 shapes`, '10 shapes'],
      [`${family}, 20 shapes, each change another’s`, '10 shapes'],
      [`${family}, 20 shapes, each of them asked`, undefined],
    ]),
    ["owner = 'owner 7'", 'Postgres'],
    ["owner = ANY ('{owner 7,owner 8,nobody}')", 'Postgres'],
    ["lower(title) = 'title 7'", 'Postgres'],
    ["tags @> '{everybody,tag 7}'", 'Postgres'],
    ["title ILIKE '%itle 99%'", 'Postgres'],
    ['amount * 2 + 1 > 1900 AND amount % 7 = 3', 'Postgres'],
    ["amount BETWEEN 10 AND 20 OR coalesce(owner, title) LIKE '%1'", 'Postgres'],
  ]);
});
