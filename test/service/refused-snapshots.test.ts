/**
 * A snapshot that Postgres refuses: the client is told why, nothing of the shape stays, and once it is mended the next
 * request is served.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let role = '';

beforeAll(async () => {
  database = await createDatabase();
  role = `service_of_${database.name}`;
  await database.query(
    `CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'of the service'; GRANT CREATE ON DATABASE ${database.name} TO ${role}`,
  );
  const url = new URL(database.url);
  url.username = role;
  url.password = 'of the service';
  service = await startServiceInProcess({ databaseUrl: url.href, flags: { 'long-poll-timeout': '500' } });
});

afterAll(async () => {
  await service.remove();
  await database.query(`DROP OWNED BY ${role} CASCADE`);
  await database.query(`DROP ROLE ${role}`);
  await database.drop();
});

interface Refused {
  readonly title: string;
  /** `$` is the table, which has three rows and belongs to nobody; `@` is the service's role. */
  readonly broken: string;
  readonly status: number;
  readonly says: RegExp;
  readonly mended: string;
}

const CASES: readonly Refused[] = [
  {
    title: 'the role may not read the table',
    broken: 'ALTER TABLE $ OWNER TO @; REVOKE SELECT ON $ FROM @',
    status: 503,
    says: /permission denied/,
    mended: 'GRANT SELECT ON $ TO @',
  },
  {
    title: 'the role may not publish the table',
    broken: 'GRANT SELECT ON $ TO @',
    status: 503,
    says: /missing from the publication .* lacks privileges/,
    mended: 'ALTER TABLE $ OWNER TO @',
  },
  {
    title: 'the query fails in the middle',
    broken:
      'ALTER TABLE $ OWNER TO @, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY fails ON $ USING (10 / (id - 2) < 100)',
    status: 500,
    says: /^\{"message":"Unexpected error while creating snapshot: division by zero"\}$/,
    mended: 'DROP POLICY fails ON $; CREATE POLICY works ON $ USING (true)',
  },
];

/** Processes that are named after a handle. */
function shapes(): string[] {
  return service.runtime.printTree().match(/\d+-\d{10,}/g) ?? [];
}

test.each(CASES)('$title', async ({ broken, status, says, mended }) => {
  const table = `refused_${CASES.findIndex((one) => one.broken === broken)}`;
  const run = (sql: string) => database.query(sql.replaceAll('$', table).replaceAll('@', role));
  await run('CREATE TABLE $ (id integer PRIMARY KEY, title text)');
  await run("INSERT INTO $ SELECT n, 'row' FROM generate_series(1, 3) AS n");
  await run(broken);
  const shapesBefore = shapes();

  const refused = [await readShape(service.shapeUrl, { table, offset: '-1' }), await readShape(service.shapeUrl, { table, offset: '-1' })];
  const shapesAfter = shapes();
  await run(mended);
  const follower = await new ShapeFollower(service.shapeUrl, { table }).catchUp();
  await run("INSERT INTO $ VALUES (4, 'later')");
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(4);

  expect({ refused: refused.map((answer) => [answer.status, answer.text]), shapesAfter }).toEqual({
    refused: refused.map(() => [status, expect.stringMatching(says)]),
    shapesAfter: shapesBefore,
  });
});

test('what Postgres streams no changes of is refused by its kind, and served once it is an ordinary table', async () => {
  await database.query(`
    CREATE UNLOGGED TABLE fleeting (id integer PRIMARY KEY); INSERT INTO fleeting VALUES (1); ALTER TABLE fleeting OWNER TO ${role};
    CREATE VIEW seen AS SELECT 1 AS id; CREATE MATERIALIZED VIEW stored AS SELECT 1 AS id`);
  const ask = (table: string) => readShape(service.shapeUrl, { table, offset: '-1' });
  const answers = await Promise.all(['fleeting', 'seen', 'stored', 'pg_catalog.pg_authid', 'information_schema.sql_features'].map(ask));
  await database.query('ALTER TABLE fleeting SET LOGGED');
  const served = await ask('fleeting');
  expect([answers.map(({ status, text }) => [status, /" is (.*?)\. Only/.exec(text)?.[1]]), served.status]).toEqual([
    [[400, 'an unlogged table'], [400, 'a view'], [400, 'a materialized view'], [400, 'a system table'], [400, 'a system table']],
    200,
  ]);
});
