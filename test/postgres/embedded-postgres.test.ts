import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

test('runs with logical decoding, UTF-8 and the C locale, on the loopback address alone', async () => {
  const [settings] = await database.query(`
    SELECT current_setting('wal_level') AS wal, pg_encoding_to_char(encoding) AS encoding, datcollate,
           current_setting('listen_addresses') AS address, current_setting('unix_socket_directories') AS sockets
    FROM pg_database WHERE datname = current_database()`);

  expect(settings).toEqual({ wal: 'logical', encoding: 'UTF8', datcollate: 'C', address: '127.0.0.1', sockets: '' });
});
