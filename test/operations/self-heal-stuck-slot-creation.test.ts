/**
 * A transaction that is open while the first start makes its slot: Postgres makes it when that has ended. Who waits is told for whom; and
 * once it is over nobody has to write anything for the start to go on, though the database is silent.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOwnCluster, type OwnCluster } from '../support/operations/own-cluster.ts';
import type { TestDatabase } from '../support/postgres/postgres.ts';
import { spawnService, untilActive } from '../support/service/service-process.ts';

let cluster: OwnCluster;
let database: TestDatabase;
let directory: string;

beforeAll(async () => {
  cluster = await startOwnCluster('CREATE TABLE items (id integer PRIMARY KEY)', { autovacuum: 'off' });
  ({ database, directory } = cluster);
});
afterAll(() => cluster.remove());

test('self-heal-stuck-slot-creation: the start says which transaction it waits for, and goes on when that has ended', async () => {
  const writer = await database.session();
  await writer.query("SET application_name = 'writer'; BEGIN; INSERT INTO items VALUES (1)");
  const { rows: [{ pid } = { pid: 0 }] } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');

  const service = await spawnService({ databaseUrl: database.url, storageDirectory: `${directory}/storage` });
  await expect.poll(() => service.output()).toContain('replication.slotAwaited');
  await expect.poll(async () => await (await fetch(`${service.url}/v1/health`)).json()).toEqual({
    status: 'starting', cause: expect.stringContaining(`process ${pid} of Postgres`) as string,
  });
  await writer.query('COMMIT');
  await untilActive(service);

  const line = service.output().split('\n').find((each) => each.includes('replication.slotAwaited')) ?? '{}';
  await service.stop();
  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    transactions: [expect.stringMatching(new RegExp(`^process ${pid} of Postgres, application "writer", .*, since `))],
  });
});
