/**
 * A publication that is dropped or altered while its changes are streamed: the stream goes on and leaves out what is not published, or
 * breaks, by the version of Postgres. And a slot that is dropped by hand. Whatever it was, nobody has to help: publication and slot are
 * made anew, every shape starts over, and not a change is missing.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const directory = temporaryDirectory();
let database: TestDatabase;
let service: ServiceProcess;
let publication: string;

beforeAll(async () => {
  database = await createDatabase();
  publication = `electric_publication_${streamIdOf(database.url)}`;
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  const environment = { ARMATURE_PUBLICATION_REFRESH_PERIOD: '300', ARMATURE_LONG_POLL_TIMEOUT: '500' };
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: directory, environment });
});
beforeEach(() => database.query("DELETE FROM items; INSERT INTO items VALUES (1, 'before')"));
afterAll(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(directory);
});

function follow(): Promise<ShapeFollower> {
  return new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
}

async function titlesOf(follower: ShapeFollower): Promise<readonly (string | null | undefined)[]> {
  return (await follower.catchUp()).sorted().map(({ title }) => title);
}

/** Each in a transaction of its own, and so soon that the service does not look in between. */
function atOnce(...statements: readonly string[]): string {
  return `DO $$ BEGIN ${statements.join('; COMMIT; ')}; END $$`;
}

/** The publication as it is left, which has to be as good as new. */
function published(): Promise<Record<string, unknown>[]> {
  return database.query(`SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AS "isComplete",
    ARRAY(SELECT tablename::text FROM pg_publication_tables t WHERE t.pubname = p.pubname) AS tables FROM pg_publication p
    WHERE pubname = '${publication}'`);
}

test.each([
  ['dropped', () => `DROP PUBLICATION ${publication}`],
  ['altered to publish inserts alone', () => `ALTER PUBLICATION ${publication} SET (publish = 'insert')`],
  [
    'altered for a moment, in which a row changed',
    () => atOnce(`ALTER PUBLICATION ${publication} SET (publish = 'insert')`, "UPDATE items SET title = 'then'",
      `ALTER PUBLICATION ${publication} SET (publish = 'insert, update, delete, truncate')`),
  ],
  [
    'dropped and made anew by hand',
    () => atOnce(`DROP PUBLICATION ${publication}`, "UPDATE items SET title = 'then'", `CREATE PUBLICATION ${publication} FOR TABLE items`),
  ],
])('recreation-of-replication-slot: a publication that was %s is made good, and every shape starts over', async (_, sql) => {
  const follower = await follow();
  await database.query(sql());

  await database.query("UPDATE items SET title = 'after' WHERE id = 1; INSERT INTO items VALUES (2, 'new')");

  await expect.poll(async () => [await titlesOf(follower), follower.refetches]).toEqual([['after', 'new'], 1]);
  await untilActive(service);
  await database.query("UPDATE items SET title = 'later' WHERE id = 2");
  await expect.poll(() => titlesOf(follower)).toEqual(['after', 'later']);
  expect({ refetches: follower.refetches, published: await published() }).toEqual({
    refetches: 1,
    published: [{ isComplete: true, tables: ['items'] }],
  });
});

test('recreation-of-replication-slot: a slot that was dropped by hand is made anew, and every shape starts over', async () => {
  const follower = await follow();

  await database.query(`DO $$ BEGIN
    LOOP
      PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database();
      BEGIN
        PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database();
        EXIT;
      EXCEPTION WHEN object_in_use THEN NULL;
      END;
    END LOOP;
  END $$`);
  await database.query("UPDATE items SET title = 'after' WHERE id = 1");

  await expect.poll(() => titlesOf(follower)).toEqual(['after']);
  expect({ refetches: follower.refetches, output: service.output() }).toEqual({
    refetches: 1,
    output: expect.stringMatching(/"standing":"lost","why":"the replication slot \\"electric_slot_\w+\\" is gone"/),
  });
});
