/** The files that are said to take long are there, for one that was moved would begin late and nobody would see it; and they begin. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LONG_FILES, rankOf, SHARED_PROCESS } from '../support/order/long-files.ts';

test('each test file that begins early is there', () => {
  const missing = LONG_FILES.filter((file) => !existsSync(join(import.meta.dirname, '..', `${file}.test.ts`)));

  expect(missing).toEqual([]);
});

test('those with a process of their own come before those that share one, and of both the longest are the first', () => {
  const [longer, long, short] = [...LONG_FILES.slice(0, 2), 'of no name'].map((file) => `test/${file}.test.ts`);
  const files = [SHARED_PROCESS, 'own'].flatMap((project) => [short, long, longer].map((path = '') => ({ project, path })));
  const sorted = files.toSorted((left, right) => rankOf(left.path, left.project) - rankOf(right.path, right.project));

  expect(sorted).toEqual(['own', SHARED_PROCESS].flatMap((project) => [longer, long, short].map((path) => ({ project, path }))));
});
