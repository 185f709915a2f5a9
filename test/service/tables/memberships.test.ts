/**
 * What happened to a table's membership in the publication while no service ran: where it left for a while, the stream tells nothing of
 * what was written meanwhile, and its shapes start over. What the stream does tell, also without old rows, is no matter of memberships.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { MAJOR } from '../../support/postgres/start-postgres.ts';
import { freePort } from '../../support/service/service-process.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';
import { untilStored } from '../../support/service/stored-shapes.ts';
import { removeDirectory, temporaryDirectory } from '../../support/storage/temporary-directory.ts';

let database: TestDatabase;
let directory: string;
let port: string;
let service: ServiceInProcess;
let [table, other, tables] = ['', '', 0];

beforeAll(async () => {
  directory = temporaryDirectory();
  port = String(await freePort());
  database = await createDatabase();
  await start();
});
afterAll(async () => {
  await service.remove();
  await database.drop();
  removeDirectory(directory);
});
beforeEach(async () => {
  tables += 1;
  [table, other] = [`items_${tables}`, `others_${tables}`];
  await database.query(`
    CREATE TABLE ${table} (id integer PRIMARY KEY, title text); INSERT INTO ${table} VALUES (1, 'one');
    CREATE TABLE ${other} (LIKE ${table} INCLUDING ALL); INSERT INTO ${other} VALUES (1, 'one')`);
});

/** On the same storage and port as before. */
async function start(): Promise<void> {
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory, port } });
}

const follow = (name: string) => new ShapeFollower(service.shapeUrl, { table: name }).catchUp();
const alter = async (change: string) => {
  const [publication] = await database.query<{ pubname: string }>('SELECT pubname FROM pg_publication');
  await database.query(`ALTER PUBLICATION "${publication?.pubname}" ${change}`);
};

const LEFT = { during: () => alter(`DROP TABLE ${table}`), behind: () => alter(`ADD TABLE ${table}`) };
const FILTERED = {
  during: () => alter(`DROP TABLE ${table}`).then(() => alter(`ADD TABLE ${table} WHERE (id < 0)`)),
  behind: () => alter(`DROP TABLE ${table}`).then(() => alter(`ADD TABLE ${table}`)),
};
const WITHOUT_OLD_ROWS = {
  during: () => database.query(`ALTER TABLE ${table} REPLICA IDENTITY DEFAULT`),
  behind: () => database.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL`),
};
const UNTOUCHED = { during: () => Promise.resolve(), behind: () => Promise.resolve() };

const CASES = [
  { what: 'left the publication and came back', change: LEFT, refetches: 1 },
  { what: 'was published with a filter', change: FILTERED, refetches: 1, since: 15 },
  { what: 'lost its replica identity and got it back', change: WITHOUT_OLD_ROWS, refetches: 1 },
  { what: 'was left alone', change: UNTOUCHED, refetches: 0 },
].filter(({ since = 0 }) => MAJOR >= since);

test.each(CASES)('a table that $what while no service ran starts its shapes over if anything was lost', async ({ change, refetches }) => {
  const followers = [await follow(table), await follow(other)];
  await untilStored(service);
  await service.stop();
  try {
    await change.during();
    for (const name of [table, other]) await database.query(`UPDATE ${name} SET title = 'changed'; INSERT INTO ${name} VALUES (2, 'new')`);
    await change.behind();
  } finally {
    await start();
  }

  const expected = [{ id: '1', title: 'changed' }, { id: '2', title: 'new' }];
  for (const follower of followers) await expect.poll(async () => (await follower.catchUp()).sorted()).toEqual(expected);
  expect(followers.map((follower) => follower.refetches)).toEqual([refetches, 0]);
});
