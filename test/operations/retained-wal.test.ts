/** WAL that is kept for our slot is told of beyond a bound: in the log, with what to do, and in the metrics. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { hurry, QUICK_TIME_LATER } from '../support/service/quick-time.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const directory = temporaryDirectory();
let database: TestDatabase;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  const environment = { ...QUICK_TIME_LATER, ARMATURE_RETAINED_WAL_WARNING: '1000000' };
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: directory, environment });
  hurry(service);
});
afterAll(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(directory);
});

test('retained-wal: beyond the bound the log says how much, since when, what it means and what to do', async () => {
  await database.query('CREATE TABLE items (id integer)');
  const open = await database.session(); // Else it is let go as soon as Postgres writes down who is at work, as another test may have it.
  await open.query('BEGIN; INSERT INTO items VALUES (1)');
  await database.query("SELECT pg_logical_emit_message(false, '', repeat('x', 2000000))");

  await expect.poll(() => service.output()).toContain('wal.retained');
  await open.query('ROLLBACK');

  const line = service.output().split('\n').find((each) => each.includes('wal.retained')) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    retainedBytesMax: 1_000_000,
    retainedBytes: expect.any(Number),
    since: expect.any(String),
    meaning: expect.stringMatching(/^Postgres keeps .* MiB of WAL on its disk for the replication slot electric_slot_/),
    advice: expect.stringMatching(/^The service has (?:taken|yet)/),
  });
});
