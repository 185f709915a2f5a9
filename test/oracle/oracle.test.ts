/** A bounded run of the oracle; `npm run oracle` makes long ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { runOracle } from './oracle-run.ts';

const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-oracle-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(async () => {
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

test('random shapes over random writes are what SELECT answers, through drains and kills', async () => {
  const { counts } = await runOracle(database, { seed: 4, shapes: 20, batches: 5, withSubqueries: true, storageDirectory });

  expect(counts).toMatchObject({ shapes: 20, batches: 5, unexcused: 0, overLimits: 0 });
});
