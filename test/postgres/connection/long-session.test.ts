/** What a session is freed of that may work or wait for long, in a database that limits its applications. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareLongSession } from '../../../src/postgres/connection/long-session.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { TRANSACTION_TIMEOUT } from '../../support/postgres/transaction-timeout.ts';

const LIMITS = [
  'statement_timeout', 'lock_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout', ...TRANSACTION_TIMEOUT,
];

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  for (const limit of LIMITS) await database.query(`ALTER DATABASE ${database.name} SET ${limit} = '10min'`);
});

afterAll(async () => {
  await database.drop();
});

test('every limit on time is lifted, and once: what the session sets afterwards stays', async () => {
  const session = await database.session();
  const settings = async (): Promise<readonly string[]> => {
    const { rows } = await session.query<{ setting: string }>(
      'SELECT setting FROM unnest($1::text[]) WITH ORDINALITY AS given (name, place) JOIN pg_settings USING (name) ORDER BY place',
      [LIMITS],
    );
    return rows.map(({ setting }) => setting);
  };
  const limited = await settings();
  await prepareLongSession(session);
  const lifted = await settings();
  await session.query("SET lock_timeout = '1s'");
  await prepareLongSession(session);

  expect({ limited, lifted, kept: await settings() }).toEqual({
    limited: LIMITS.map(() => '600000'),
    lifted: LIMITS.map(() => '0'),
    kept: LIMITS.map((name) => (name === 'lock_timeout' ? '1000' : '0')),
  });
});

test('a session asks Postgres to notice within half a minute that its client has vanished', async () => {
  const session = await database.session();

  await prepareLongSession(session);

  const { rows } = await session.query<{ setting: string }>("SELECT setting FROM pg_settings WHERE name LIKE 'tcp_k%' ORDER BY name");
  expect(rows.map(({ setting }) => setting)).toEqual(['3', '10', '5']);
});
