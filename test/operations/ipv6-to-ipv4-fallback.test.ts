/**
 * Postgres listens on addresses of one family, whatever its name has: each connection of the service finds one that answers.
 *
 * The scenario sets that IPv6 is preferred, and wants a warning for each kind of connection. Here nothing is to be set, since all addresses
 * of a name are tried, so there is nothing to warn of.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { urlWith } from '../support/operations/database-url.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { type Relay, startRelay } from '../support/service/relay.ts';
import { startServiceProcess } from '../support/service/service-process.ts';
import { readShape } from '../support/service/shape-follower.ts';

const NAMED_HOSTS = fileURLToPath(new URL('../support/operations/named-hosts.cjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'armature-families-'));
let database: TestDatabase;
let ofIpv6: Relay;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY); INSERT INTO items VALUES (1)');
  const server = { host: '127.0.0.1', port: Number(new URL(database.url).port) };
  ofIpv6 = await startRelay(server, (client, upstream) => void client.pipe(upstream).pipe(client), { host: '::1' });
});

afterAll(async () => {
  await ofIpv6.close();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

test.each([
  ['IPv4, and its name has IPv6 first', ['::1', '127.0.0.1'], () => new URL(database.url).port],
  ['IPv6, and its name has IPv4 first', ['127.0.0.1', '::1'], () => String(ofIpv6.port)],
])('ipv6-to-ipv4-fallback: every connection comes about where Postgres listens on %s', async (_, addresses, portOf) => {
  const service = await startServiceProcess({
    databaseUrl: urlWith(database.url, { hostname: 'database.test', port: portOf() }),
    storageDirectory: join(directory, 'storage'),
    environment: {
      ELECTRIC_DATABASE_USE_IPV6: 'true', NODE_OPTIONS: `--require ${NAMED_HOSTS}`,
      NAMED_HOSTS: JSON.stringify({ 'database.test': addresses }),
    },
  });
  const { status } = await readShape(service.shapeUrl, { table: 'items', where: `id < ${portOf()}`, offset: '-1' });
  const sessions = await database.query(`
    SELECT DISTINCT application_name AS name FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'armature%' ORDER BY 1`);
  const exitCode = await service.stop();

  expect({ status, names: sessions.map(({ name }) => String(name)), exitCode }).toEqual({
    status: 200,
    names: expect.arrayContaining(['armature admin', 'armature lock', 'armature replication', 'armature snapshots']) as unknown,
    exitCode: 0,
  });
});
