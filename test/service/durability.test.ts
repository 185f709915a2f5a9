/**
 * Killed at any moment, the service comes back with the same handles and the same bytes at the same offsets, and has
 * lost nothing and doubled nothing. `npm run torture:kills` goes on with as many kills as wanted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { runKills } from './random-kills.ts';

const KILLS = 2;
const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-kills-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(async () => {
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

test(`after kill -9 at ${KILLS} random moments under load, handles and served bytes are the same and rows equal SELECT`, async () => {
  const { held, selected, handlesBefore, handlesAfter, ...rest } = await runKills(database, { storageDirectory, kills: KILLS, seed: 9 });

  expect({ held, handlesAfter, ...rest }).toEqual({
    held: selected,
    handlesAfter: handlesBefore,
    refetches: [0, 0, 0],
    exitCode: 0,
  });
}, 300_000);
