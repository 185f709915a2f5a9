/**
 * A commit that is streamed while Postgres does not show it yet: it waits for a standby that is not there. A shape made
 * meanwhile finds the row neither in its snapshot nor among what is routed to it; it must have it all the same, once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { awaitStandby, SOMEBODY_WAITS } from '../support/postgres/absent-standby.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-hidden-'));
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
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'old')");
  service = await start();
});

afterEach(async () => {
  await service.remove();
  await awaitStandby(database, '');
  await database.drop();
});

function start(): Promise<ServiceInProcess> {
  return startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': join(directory, database.name) } });
}

interface Told {
  readonly status?: string;
  readonly verdict?: { readonly code: string };
  readonly in_shape?: boolean;
}

const sorted = (ids: Iterable<unknown>) => [...ids].map(String).sort();
const selected = async () => sorted((await database.query<{ id: number }>('SELECT id FROM items')).map(({ id }) => id));
const held = async (follower: ShapeFollower) => sorted([...(await follower.catchUp()).rows.values()].map(({ id }) => id));

/** Commits row 2, which hides; row 3 is shown, though its commit is logged behind. @returns when both are streamed. */
async function hideRow(first: 'hidden' | 'shown', existing: ShapeFollower): Promise<{ readonly committed: Promise<unknown> }> {
  const [hiding, showing] = await Promise.all([database.session(), database.session()]);
  await showing.query('SET synchronous_commit = local');
  const insert = {
    hidden: () => hiding.query("BEGIN; INSERT INTO items VALUES (2, 'hidden')"),
    shown: () => showing.query("BEGIN; INSERT INTO items VALUES (3, 'shown')"),
  };
  await insert[first]();
  await insert[first === 'hidden' ? 'shown' : 'hidden']();
  await awaitStandby(database, 'nobody');
  const committed = hiding.query('COMMIT');
  await database.until(SOMEBODY_WAITS);
  await showing.query('COMMIT');
  await expect.poll(() => held(existing)).toEqual(['1', '2', '3']);
  return { committed };
}

test.each([
  ['below xmax', 'hidden', false],
  ['from xmax on', 'shown', false],
  ['below xmax, with a restart of the service in between', 'hidden', true],
] as const)('a row whose commit hides from snapshots is in every shape once: its xid %s', async (_, first, isRestarted) => {
  const existing = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { committed } = await hideRow(first, existing);
  if (isRestarted) {
    await service.stop();
    service = await start();
  }
  const made = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id > 0' }).catchUp();
  await expect.poll(() => held(made)).toEqual(['1', '2', '3']);
  const whileHidden = await selected();
  await awaitStandby(database, '');
  await committed;
  const later = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id > -1' }).catchUp();
  await database.query("UPDATE items SET title = 'seen by all' WHERE id = 2");
  const followers = isRestarted ? [made, later] : [existing, made, later]; // The one from before knows the old address.
  for (const follower of followers) {
    await expect
      .poll(async () => (await follower.catchUp()).sorted().filter(({ title }) => title === 'seen by all').length)
      .toBe(1);
  }

  const all = ['1', '2', '3'];
  expect({ whileHidden, after: await selected(), held: await Promise.all(followers.map(held)) }).toEqual({
    whileHidden: ['1', '3'],
    after: all,
    held: followers.map(() => all),
  });
});

test('a commit that hides is in the shape for who asks by its number, and its row is said to hide, also after a restart', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const told = async (path: string): Promise<unknown> => {
    const answer = (await (await fetch(`${service.url}/v1/${path}&handle=${follower.handle ?? ''}`)).json()) as Told;
    return answer.status ?? [answer.verdict?.code, answer.in_shape];
  };
  const hiding = await database.session();
  await hiding.query("BEGIN; INSERT INTO items VALUES (2, 'hidden')");
  const { rows } = await hiding.query<{ xid: string }>('SELECT pg_current_xact_id()::xid::text AS xid');
  await awaitStandby(database, 'nobody');
  const committed = hiding.query('COMMIT');
  await database.until(SOMEBODY_WAITS);
  const asked = async (): Promise<unknown> => [await told(`txid/${rows[0]?.xid ?? ''}?`), await told('shape/explain?pk[id]=2')];
  await expect.poll(asked).toEqual(['in', ['hidden', true]]);
  await service.stop();
  service = await start();
  await expect.poll(asked).toEqual(['in', ['hidden', true]]);
  await awaitStandby(database, '');
  await committed;

  await expect.poll(asked).toEqual(['in', ['in_shape', true]]);
});

test('a row of a partition that its own transaction made is in the shapes above once Postgres shows the partition', async () => {
  await database.query('CREATE TABLE tree (id integer PRIMARY KEY) PARTITION BY RANGE (id)');
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'tree' }).catchUp();
  const hiding = await database.session();
  await hiding.query('BEGIN; CREATE TABLE tree_high PARTITION OF tree FOR VALUES FROM (10) TO (20); INSERT INTO tree VALUES (12)');
  await awaitStandby(database, 'nobody');
  const committed = hiding.query('COMMIT');
  await database.until(`
    SELECT FROM pg_stat_activity links JOIN pg_stat_activity waits ON waits.wait_event = 'SyncRep' AND links.query_start > waits.query_start
    WHERE links.datname = current_database() AND links.application_name = 'armature partitions' AND links.query LIKE '%inhparent%'`);
  await awaitStandby(database, '');
  await committed;
  await database.query('INSERT INTO tree VALUES (13)');
  await expect.poll(() => held(follower)).toEqual(['12', '13']);

  expect(follower.refetches).toBe(0);
});
