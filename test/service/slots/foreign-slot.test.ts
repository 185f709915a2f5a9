/**
 * Whose slot it is: one that Armature did not make is refused and left as it is, unless it may be taken over; one of
 * Armature is taken over by whoever comes, with a word about what that costs the other storage.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, streamIdOf, type TestDatabase } from '../../support/postgres/postgres.ts';
import { healthOf, spawnService, startServiceProcess, type ServiceProcess } from '../../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../../support/service/shape-follower.ts';

let directory: string;
let database: TestDatabase;
let slot: string;
let publication: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'armature-foreign-'));
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY); INSERT INTO items VALUES (1)');
  slot = `electric_slot_${streamIdOf(database.url)}`;
  publication = `electric_publication_${streamIdOf(database.url)}`;
});
afterEach(async () => {
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

const options = (storage: string, environment: Readonly<Record<string, string>> = {}) => ({
  databaseUrl: database.url,
  storageDirectory: join(directory, storage),
  environment,
});

/** As ElectricSQL leaves it: a publication with a table, and a slot with a change that it has not read. */
async function leaveForeignSlot(): Promise<void> {
  await database.query(`CREATE PUBLICATION ${publication} FOR TABLE items`);
  await database.query(`COMMENT ON PUBLICATION ${publication} IS 'somebody''s'`);
  await makeForeignSlot();
  await database.query('INSERT INTO items VALUES (2)');
}

async function makeForeignSlot(): Promise<void> {
  await database.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
}

/** The slot and its publication, as they stand. */
async function foreign(): Promise<{ confirmed: string }[]> {
  return await database.query(
    `SELECT s.confirmed_flush_lsn::text AS confirmed, p.oid, obj_description(p.oid) AS comment,
            (SELECT string_agg(tablename, ',') FROM pg_publication_tables t WHERE t.pubname = p.pubname) AS tables
     FROM pg_replication_slots s, pg_publication p WHERE s.slot_name = $1 AND p.pubname = $2`,
    [slot, publication],
  );
}

/** Asks until it is said: a line of the log. */
async function said(service: ServiceProcess, words: RegExp): Promise<string> {
  await expect.poll(() => service.output()).toMatch(words);
  return service.output().split('\n').find((line) => words.test(line)) ?? '';
}

test('a slot that Armature did not make keeps the service from starting, and is left alone with its publication', async () => {
  await leaveForeignSlot();
  const before = await foreign();

  const service = await spawnService(options('a'));
  const [exitCode] = await once(service.child, 'exit');

  const says = `^armature: There is a replication slot "${slot}" that Armature did not make.*--take-over-slot, or ARMATURE_TAKE_OVER_SLOT`;
  expect({ exitCode, after: await foreign(), said: service.output().trim().split('\n').at(-1) }).toEqual({
    exitCode: 1,
    after: before,
    said: expect.stringMatching(new RegExp(says)),
  });
});

test('told to take it over, the service makes its own slot, says what the other loses, and needs no leave the next time', async () => {
  await leaveForeignSlot();
  const [before] = await foreign();

  const service = await startServiceProcess(options('a', { ARMATURE_TAKE_OVER_SLOT: 'true' }));
  const line = await said(service, /replication\.connected/);
  await service.stop();
  const again = await startServiceProcess(options('a'));
  const follower = await new ShapeFollower(again.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items VALUES (3)');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(3);
  await again.stop();

  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    why: expect.stringContaining(`for somebody else, which loses what lies between: it had confirmed ${before?.confirmed}, and the WAL`),
  });
});

/** While the service waits for the lock, somebody makes a slot and a publication of their own under its names. */
async function replaceSlot(): Promise<void> {
  const rival = await database.session();
  const waiting = rival.query('SELECT pg_advisory_lock(hashtext($1))', [slot]);
  await database.until(`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`);
  await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'armature lock'`);
  await waiting;
  await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${slot}' AND NOT active`);
  await database.query('SELECT pg_drop_replication_slot($1)', [slot]);
  await database.query(`DROP PUBLICATION ${publication}`);
  await leaveForeignSlot();
  await rival.query('SELECT pg_advisory_unlock_all()');
}

test('a slot that somebody else made meanwhile is refused when the service connects again; what is stored stays readable', async () => {
  const service = await startServiceProcess(options('a'));
  const { handle = '', offset } = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await replaceSlot();
  const before = await foreign();

  const line = await said(service, /slot_not_ours/);
  const { status } = await readShape(service.shapeUrl, { table: 'items', handle, offset });

  const error = { code: 'slot_not_ours', message: expect.stringContaining('--take-over-slot') };
  expect({ line: JSON.parse(line), status, after: await foreign() }).toMatchObject({
    line: { level: 'error', msg: 'replication.refused', retryInMs: 10_000, error },
    status: 200,
    after: before,
  });
  await service.stop();
});

test('an instance that lost its storage takes over the slot of the one before it, and says what that loses', async () => {
  const first = await startServiceProcess(options('none', { ARMATURE_STORAGE: 'memory' }));
  await first.kill();
  await database.query('INSERT INTO items VALUES (2)');

  const second = await startServiceProcess(options('none', { ARMATURE_STORAGE: 'memory' }));
  const line = await said(second, /replication\.connected/);
  const follower = await new ShapeFollower(second.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items VALUES (3)');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(3);
  await second.stop();

  expect(JSON.parse(line)).toMatchObject({
    level: 'warn',
    why: expect.stringMatching(/for another storage of Armature, which loses what lies between: it had confirmed [0-9A-F/]+, and the WAL/),
  });
});

test('an instance with another storage waits while the slot is in use, and whoever uses it notices nothing', async () => {
  const first = await startServiceProcess(options('a'));
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();

  const second = await spawnService(options('b'));
  await expect.poll(() => healthOf(second)).toBe('waiting');
  await database.query('INSERT INTO items VALUES (2)');

  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
  await second.stop();
  await first.stop();
  expect(follower.refetches).toBe(0);
});
