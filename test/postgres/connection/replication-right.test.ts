/** Who may not replicate: of the role that connects, and the one that it takes as it comes. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NOT_REPLICATING_SQL } from '../../../src/postgres/connection/replication-right.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';

let database: TestDatabase;
let session: pg.Client;
beforeAll(async () => {
  database = await createDatabase();
  session = await database.session();
});
afterAll(() => database.drop());

/** In the order of their names the one that comes is the second, as in that in which they are made. */
const [TAKEN, COMING] = ['test_role_a_taken', 'test_role_b_coming'];

test.each<[string, readonly [taken: string, coming: string], string | null, string?]>([
  ['both may', ['REPLICATION', 'REPLICATION'], null],
  ['the one that is taken may not', ['NOREPLICATION', 'REPLICATION'], TAKEN],
  ['the one that comes may not', ['REPLICATION', 'NOREPLICATION'], COMING],
  ['neither may: the one that comes is asked first', ['NOREPLICATION', 'NOREPLICATION'], COMING],
  ['one is a superuser', ['SUPERUSER NOREPLICATION', 'REPLICATION'], null],
  ['one is a member of a managed role', ['NOREPLICATION IN ROLE rds_replication', 'REPLICATION'], null, 'rds_replication'],
])('of a role that takes another one as it comes: %s', async (_, [taken, coming], role, managed = 'test_role_other') => {
  await session.query(`
    BEGIN; CREATE ROLE ${managed};
    CREATE ROLE ${TAKEN} ${taken}; CREATE ROLE ${COMING} ${coming} IN ROLE ${TAKEN};
    SET LOCAL SESSION AUTHORIZATION ${COMING}; SET LOCAL ROLE ${TAKEN}`);

  const { rows } = await session.query(`SELECT ${NOT_REPLICATING_SQL} AS role`);

  await session.query('ROLLBACK');
  expect(rows).toEqual([{ role }]);
});
