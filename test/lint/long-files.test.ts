/** The files that are said to take long are there: one that was moved would begin late again, and nobody would see it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LONG_FILES } from '../support/order/long-files.ts';

test('each test file that begins early is there', () => {
  const missing = LONG_FILES.filter((file) => !existsSync(join(import.meta.dirname, '..', `${file}.test.ts`)));

  expect(missing).toEqual([]);
});
