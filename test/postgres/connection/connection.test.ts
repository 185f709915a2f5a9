import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../src/postgres/connection/connection.ts';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import type { SslMode } from '../../../src/settings/database-url.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

let database: TestDatabase;
let door: Server | undefined;
beforeAll(async () => {
  database = await createDatabase();
});
afterEach(() => door?.close());
afterAll(() => database.drop());

/** The server has no TLS. */
test.each<[SslMode, string]>([
  ['disable', 'connected'],
  ['allow', 'connected'],
  ['prefer', 'connected'],
  ['require', 'unreachable'],
])('sslmode=%s, without TLS on the server: %s', async (sslMode, expected) => {
  const outcome = await connect({ ...targetOf(database.url), sslMode }, { applicationName: 'test' }).then(
    async (client) => {
      await client.end();
      return 'connected';
    },
    (error: unknown) => (error instanceof DatabaseUnreachableError ? 'unreachable' : error),
  );

  expect(outcome).toBe(expected);
});

test('an attempt that is given up ends at once', async () => {
  door = createServer(() => {});
  await new Promise<void>((done) => door?.listen(0, '127.0.0.1', done));
  const abort = new AbortController();
  const target = { ...targetOf(database.url), sslMode: 'disable' as const, port: (door.address() as AddressInfo).port };
  const attempt = connect(target, { applicationName: 'test', signal: abort.signal });

  abort.abort();

  await expect(attempt).rejects.toBeInstanceOf(DatabaseUnreachableError);
});

test('speaks UTF-8 to a database of another encoding', async () => {
  const name = `${database.name}_latin1`;
  await database.query(`CREATE DATABASE ${name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  const client = await connect({ ...targetOf(database.url), database: name }, { applicationName: 'test' });

  const { rows } = await client.query<{ text: string }>(`SELECT U&'\\00e9' AS text`);

  await client.end();
  await database.query(`DROP DATABASE ${name}`);
  expect(rows).toEqual([{ text: 'é' }]);
});
