/** The soak cannot rot: a short share of it runs with the tests. What has grown in seconds means nothing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { curveOf } from './curve.ts';
import { reportOf } from './soak-report.ts';
import { soak } from './soak-run.ts';
import { judge } from './verdict.ts';

const WINDOWS = { settleSeconds: 1, windowSeconds: 2 };
const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-soak-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(async () => {
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

test('a short share of the soak ends with clients that hold the rows of their tables, a table of what grew, and a curve', async () => {
  const pace = { sampleEveryMs: 1_000, roundMs: 1_500, transactionEveryMs: 50 };
  const outcome = await soak(database, { seconds: 3, seed: 2, storageDirectory, ...pace });
  const judgements = judge(outcome.samples, WINDOWS);
  const report = reportOf(outcome, judgements, { commit: 'none', seed: 2, cores: 1, curve: 'curve.svg', ...WINDOWS });
  const curves = curveOf(outcome.samples, WINDOWS.settleSeconds).match(/<polyline/g)?.length;

  const { made, transactions, comparisons, exitCode } = outcome;
  expect({ isRun: Math.min(made, transactions, comparisons) > 0, exitCode, rows: report.split('\n| ').length, curves }).toEqual({
    isRun: true, exitCode: 0, rows: judgements.length + 2, curves: 9,
  });
});
