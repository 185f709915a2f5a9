/**
 * A parent, a child that comes behind it and one that was there before, of which one commit is streamed while Postgres does not
 * show it yet: it waits for a standby that is not there. A query for the parent's children may not see all that was streamed;
 * the shape must have both children all the same, each once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { awaitStandby, SOMEBODY_WAITS } from '../support/postgres/absent-standby.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-hidden-moves-'));
const CHILDREN_OF_ACTIVE = { table: 'children', where: 'parent_id IN (SELECT id FROM parents WHERE active)', move_outs: 'deletes' };
const COMMITS = {
  'the earlier child': "INSERT INTO children VALUES (1, 7, 'earlier')",
  'the parent': 'INSERT INTO parents VALUES (7, true)',
  'the child': "INSERT INTO children VALUES (2, 7, 'later')",
};
let postgres: EmbeddedPostgres;
let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  postgres = await startPostgres({ directory: clusterDirectory(), settings: { fsync: 'off' } });
});

afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  database = await createDatabaseOn(postgres.url);
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active bool NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int, title text)`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '200' } });
});

afterEach(async () => {
  await awaitStandby(database, '');
  await service.remove();
  await database.drop();
});

const titles = async (follower: ShapeFollower) => [...(await follower.catchUp()).rows.values()].map(({ title }) => title).sort();

/** Commits all, of which one hides. @returns when all are streamed. */
async function commitHiding(hidden: string, plain: ShapeFollower): Promise<{ readonly committed: Promise<unknown> }> {
  const [hiding, showing] = await Promise.all([database.session(), database.session()]);
  await showing.query('SET synchronous_commit = local');
  await awaitStandby(database, 'nobody');
  let committed: Promise<unknown> = Promise.resolve();
  for (const [what, sql] of Object.entries(COMMITS)) {
    if (what !== hidden) await showing.query(sql);
    else {
      committed = hiding.query(sql);
      await database.until(SOMEBODY_WAITS);
    }
  }
  await expect.poll(() => titles(plain)).toEqual(['earlier', 'later']);
  return { committed };
}

test.each(Object.keys(COMMITS))('children come with their parent, each once, when %s hides', async (hidden) => {
  const plain = await new ShapeFollower(service.shapeUrl, { table: 'children' }).catchUp();
  const follower = await new ShapeFollower(service.shapeUrl, CHILDREN_OF_ACTIVE).catchUp();
  const { committed } = await commitHiding(hidden, plain);
  const shown = await database.query('SELECT FROM parents UNION ALL SELECT FROM children');

  await awaitStandby(database, '');
  await committed;
  await expect.poll(() => titles(follower)).toEqual(['earlier', 'later']);
  await database.query("UPDATE children SET title = 'seen by all'");

  await expect.poll(() => titles(follower)).toEqual(['seen by all', 'seen by all']);
  expect({ shown: shown.length, refetches: follower.refetches }).toEqual({ shown: 2, refetches: 0 });
});

test.each(['the parent', 'the child'])('children come although %s hides: nothing that a query must see does', async (hidden) => {
  const plain = await new ShapeFollower(service.shapeUrl, { table: 'children' }).catchUp();
  const follower = await new ShapeFollower(service.shapeUrl, CHILDREN_OF_ACTIVE).catchUp();
  const { committed } = await commitHiding(hidden, plain);

  await expect.poll(() => titles(follower)).toEqual(['earlier', 'later']);
  await awaitStandby(database, '');
  await committed;
});

test('a query flushes what it saw for itself, and waits for no standby with that', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, CHILDREN_OF_ACTIVE).catchUp();
  const lazy = await database.session();
  await lazy.query('SET synchronous_commit = off');
  await awaitStandby(database, 'nobody');
  for (const sql of Object.values(COMMITS)) await lazy.query(sql);
  const resting = new AbortController();
  const writing = (async () => {
    while (!resting.signal.aborted) await lazy.query("SELECT pg_logical_emit_message(false, 'nobody', 'not flushed')");
  })();

  await expect.poll(() => titles(follower)).toEqual(['earlier', 'later']);
  resting.abort();
  await writing;
});
