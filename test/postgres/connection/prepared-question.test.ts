/** What is asked again and again, of sessions that are ours and of others. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { prepareLongSession } from '../../../src/postgres/connection/long-session.ts';
import { createPool } from '../../../src/postgres/connection/pool.ts';
import { askPrepared } from '../../../src/postgres/connection/prepared-question.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

const question = { name: 'sum', text: 'SELECT $1::int + 1 AS next' };
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(async () => {
  await database.drop();
});

test('what is asked again and again is prepared once where the session is ours, and never where it is lent', async () => {
  const asked = async (session: pg.Client) => {
    const answers = [await askPrepared(session, question, [1]), await askPrepared(session, question, [2])];
    const { rows: prepared } = await session.query('SELECT name, generic_plans + custom_plans AS runs FROM pg_prepared_statements');
    return { answers, prepared };
  };
  const [ours, lent] = [await database.session(), await database.session()];
  await prepareLongSession(ours);

  const answers = [[{ next: 2 }], [{ next: 3 }]];
  expect({ ours: await asked(ours), lent: await asked(lent) }).toEqual({
    ours: { answers, prepared: [{ name: 'sum', runs: '2' }] },
    lent: { answers, prepared: [] },
  });
});

test('a session that has forgotten it is closed, and the next one knows it', async () => {
  const pool = createPool({ target: targetOf(database.url), applicationName: 'prepared', max: 1 });
  const ask = (forgets: boolean) =>
    pool.use(async (client) => {
      await prepareLongSession(client);
      await askPrepared(client, question, [1]);
      if (forgets) await client.query('DEALLOCATE ALL');
      return await askPrepared(client, question, [2]);
    });
  await pool.open();

  const forgotten = await ask(true).catch((error: unknown) => error);
  const asked = await ask(false);

  await pool.close();
  expect({ forgotten, asked }).toEqual({ forgotten: expect.any(DatabaseUnreachableError), asked: [{ next: 3 }] });
});
