/**
 * A transaction with five shapes on its table and a heap of 512 MB: every shape has it once and whole, and the memory hardly grows; and a
 * kill in the middle of one is like any other. At full size, some twenty times as large: `npm run bench:large`.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { largeTransaction, TABLES } from '../support/service/large-transaction.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

/** Some 100 MB of lines in five shapes. */
const ROWS = 100_000;
/** So many that the kill comes in their middle. */
const KILLED_ROWS = 240_000;
const MIB = 1024 * 1024;
const GROWTH_MIB_MAX = 40;
const INSERT = `INSERT INTO large SELECT n, left(repeat(md5(n::text), 2), 60) FROM generate_series(1, ${KILLED_ROWS}) AS n`;

let database: TestDatabase;
let service: ServiceProcess;
let storageDirectory: string;

beforeEach(async () => {
  database = await createDatabase();
  storageDirectory = temporaryDirectory();
  await database.query(TABLES);
  service = await start(await freePort());
});

afterEach(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(storageDirectory);
});

function start(port: number): Promise<ServiceProcess> {
  const environment = { NODE_OPTIONS: '--max-old-space-size=512', ARMATURE_LONG_POLL_TIMEOUT: '500' };
  return startServiceProcess({ databaseUrl: database.url, storageDirectory, port, environment });
}

test(`${ROWS} rows in one transaction come to five shapes whole, and the memory hardly grows`, async () => {
  const other = await database.session();
  const seen = await largeTransaction({ service, database, other, rows: ROWS, shapes: 5, warmUpRows: ROWS / 2 });

  const grownMib = (seen.peakBytes - seen.idleBytes) / MIB;
  expect({ rows: seen.rows, hasHardlyGrown: grownMib < GROWTH_MIB_MAX }).toEqual({ rows: Array(5).fill(ROWS), hasHardlyGrown: true });
});

/** Bytes of lines in the files of all shapes. */
function writtenBytes(): number {
  const directory = join(storageDirectory, 'shapes');
  const lines = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.lines'));
  return lines.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

test('killed while shapes take it part by part, each has it once and whole, under the same handle', async () => {
  const wheres = ['id > 0', 'id > 200000', 'id < 1000'];
  const followers = wheres.map((where) => new ShapeFollower(service.shapeUrl, { table: 'large', where }));
  await Promise.all(followers.map((follower) => follower.catchUp()));
  const handles = followers.map(({ handle }) => handle);
  await database.query(INSERT);
  await expect.poll(writtenBytes, { interval: 5 }).toBeGreaterThan(2 * MIB);
  await service.kill();
  const writtenWhenKilled = writtenBytes();
  service = await start(Number(new URL(service.url).port));
  const counts = wheres.map((where) => database.query<{ count: string }>(`SELECT count(*) FROM large WHERE ${where}`));
  const expected = (await Promise.all(counts)).map(([row]) => Number(row?.count));

  await expect
    .poll(async () => {
      await Promise.all(followers.map((follower) => follower.catchUp()));
      return followers.map(({ rows }) => rows.size);
    })
    .toEqual(expected);
  expect({
    handles: followers.map(({ handle }) => handle),
    refetches: followers.map(({ refetches }) => refetches),
    wasInTheMiddle: writtenWhenKilled < writtenBytes(),
  }).toEqual({ handles, refetches: [0, 0, 0], wasInTheMiddle: true });
});
