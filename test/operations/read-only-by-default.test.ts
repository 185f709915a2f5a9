/** A role that may only read by default, as some hosts have it where a disk is full: what is to be made at the first start cannot be. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRole, type RestrictedRole } from '../support/operations/restricted-role.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { spawnService, untilActive } from '../support/service/service-process.ts';
import { readShape } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-read-only-'));
let database: TestDatabase;
let role: RestrictedRole;

beforeAll(async () => {
  database = await createDatabase();
  role = await createRole(database, 'REPLICATION');
  await database.query(`
    CREATE TABLE items (id integer PRIMARY KEY); ALTER TABLE items OWNER TO ${role.name};
    GRANT CREATE ON DATABASE ${database.name} TO ${role.name};
    ALTER ROLE ${role.name} SET default_transaction_read_only = on`);
});

afterAll(async () => {
  await role.drop();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

test('read-only-by-default: log and health name the setting, and the service goes on when it is reset', async () => {
  const service = await spawnService({ databaseUrl: role.url, storageDirectory: join(directory, 'storage') });
  const cause = async (): Promise<unknown> => await fetch(`${service.url}/v1/health`).then((answer) => answer.json(), () => undefined);
  await expect.poll(cause).toEqual({
    status: 'starting',
    cause: expect.stringMatching(/^the replication stream is broken since .*: default_transaction_read_only is on .*CREATE PUBLICATION/),
  });
  await database.query(`ALTER ROLE ${role.name} RESET default_transaction_read_only`);
  await database.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role.name]);
  await untilActive(service);
  const { status } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  const code = await service.stop();

  expect({ status, logged: service.output(), code }).toEqual({
    status: 200,
    logged: expect.stringMatching(/default_transaction_read_only is on.*"replication\.refused"/),
    code: 0,
  });
});
