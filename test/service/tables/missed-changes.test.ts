/**
 * What a transaction did to one table may be past telling: its old rows are not in the stream, or it is larger than what
 * is followed. The shapes of that table end and begin anew; every other shape sees every committed row.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shape, ShapeStream, type Row } from '@electric-sql/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, streamIdOf, type TestDatabase } from '../../support/postgres/postgres.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../../support/service/shape-follower.ts';
import { OBSERVED, untilStored } from '../../support/service/stored-shapes.ts';

const TRANSACTION_BYTES_MAX = 100_000;
let database: TestDatabase;
let storageDirectory: string;
let leaving: AbortController;
let service: ServiceProcess;

beforeEach(async () => {
  database = await createDatabase();
  storageDirectory = mkdtempSync(join(tmpdir(), 'armature-missed-'));
  leaving = new AbortController();
  for (const table of ['sound', 'bad', 'also_bad']) {
    await database.query(`CREATE TABLE ${table} (id integer PRIMARY KEY, note text NOT NULL UNIQUE)`);
    await database.query(`ALTER TABLE ${table} REPLICA IDENTITY FULL; INSERT INTO ${table} VALUES (1, 'one'), (2, 'two')`);
  }
});

afterEach(async () => {
  leaving.abort();
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
  service = await startServiceProcess({
    databaseUrl: database.url,
    storageDirectory,
    port: await freePort(),
    environment: { ...OBSERVED, ARMATURE_LONG_POLL_TIMEOUT: '500', ARMATURE_MAX_TXN_SIZE: String(TRANSACTION_BYTES_MAX), ...environment },
  });
}

function follower(table: string): Promise<ShapeFollower> {
  return new ShapeFollower(service.shapeUrl, { table }).catchUp();
}

/** The client that people use, from npm. */
function clientOf(table: string): Shape<Row> {
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  return new Shape<Row>(new ShapeStream<Row>({ url: service.shapeUrl, params: { table }, signal: leaving.signal }));
}

function byId(rows: Iterable<Row>): Row[] {
  return [...rows].sort((left, right) => Number(left['id']) - Number(right['id']));
}

async function rowsOf(one: ShapeFollower): Promise<Row[]> {
  return byId((await one.catchUp()).rows.values());
}

const select = (table: string) => database.query(`SELECT id, note FROM ${table} ORDER BY id`);
const selectTexts = (table: string) => database.query(`SELECT id::text, note FROM ${table} ORDER BY ${table}.id`);

/** What the operator reads of it: each note's table and reason. */
function notes(): unknown[] {
  const lines = service.output().split('\n').filter((line) => line.startsWith('{'));
  return lines
    .map((line) => JSON.parse(line) as { msg: string; table: string; why: string; advice: string })
    .flatMap(({ msg, table, why, advice }) => (msg === 'changes.missed' ? [{ table, why, advice }] : []));
}

const LARGE = `SELECT n, repeat('x', 1000) || n FROM generate_series(1000, 1200) AS n`;

const BY_KEY = 'ALTER TABLE bad REPLICA IDENTITY DEFAULT';
const BY_INDEX = 'ALTER TABLE bad REPLICA IDENTITY USING INDEX bad_note_key';
const UPDATED = "UPDATE bad SET note = 'changed' WHERE id = 1";
const MADE_FULL = expect.stringContaining('ALTER TABLE "public"."bad" REPLICA IDENTITY FULL');

test.each([
  ['whose replica identity became that of its key', `${BY_KEY}; ${UPDATED}; DELETE FROM bad WHERE id = 2`, 'replicaIdentity', MADE_FULL],
  ['whose replica identity became that of an index', `${BY_INDEX}; ${UPDATED}`, 'replicaIdentity', MADE_FULL],
  ['with a transaction over the limit', `INSERT INTO bad ${LARGE}`, 'transactionTooLarge', expect.stringContaining('--max-txn-size')],
])('a table %s ends its shapes, which begin anew; another one goes on', async (_, sql, why, advice) => {
  await start();
  const sound = await follower('sound');
  const bad = [await follower('bad'), await new ShapeFollower(service.shapeUrl, { table: 'bad', where: 'id > 0' }).catchUp()];
  const client = clientOf('bad');
  await client.rows;

  await database.query(sql);
  await database.query("INSERT INTO sound VALUES (3, 'three'); UPDATE sound SET note = 'changed' WHERE id = 1");

  await expect.poll(async () => (await sound.catchUp()).sorted()).toEqual(await selectTexts('sound'));
  await expect.poll(() => byId(client.currentRows)).toEqual(await select('bad'));
  await database.query("UPDATE bad SET note = 'again' WHERE id = 1");
  await expect.poll(() => byId(client.currentRows)).toEqual(await select('bad'));
  for (const one of bad) await expect.poll(() => rowsOf(one)).toEqual(await selectTexts('bad'));
  expect({ notes: notes(), refetches: [sound, ...bad].map(({ refetches }) => refetches) }).toEqual({
    notes: [{ table: '"public"."bad"', why, advice }],
    refetches: [0, 1, 1],
  });
});

test('a transaction over the limit ends the shapes of each table that it touched, and of no other', async () => {
  await start();
  const [sound, bad, alsoBad] = [await follower('sound'), await follower('bad'), await follower('also_bad')];

  const sql = `DELETE FROM also_bad WHERE id = 1; INSERT INTO bad ${LARGE}`;
  await database.query(`BEGIN; ${sql}; INSERT INTO sound VALUES (3, 'rolled back'); ROLLBACK`);
  await database.query(`BEGIN; ${sql}; COMMIT`);
  await database.query("INSERT INTO sound VALUES (3, 'three')");

  for (const [one, table] of [[sound, 'sound'], [bad, 'bad'], [alsoBad, 'also_bad']] as const) {
    await expect.poll(() => rowsOf(one)).toEqual(await selectTexts(table));
  }
  expect([sound, bad, alsoBad].map(({ refetches }) => refetches)).toEqual([0, 1, 1]);
});

test('what happened while the service was away ends the same shapes, also when it is killed in the middle of that', async () => {
  await start();
  const [sound, bad] = [await follower('sound'), await follower('bad')];
  const { port } = new URL(service.url);
  const environment = { ARMATURE_LONG_POLL_TIMEOUT: '500', ARMATURE_MAX_TXN_SIZE: String(TRANSACTION_BYTES_MAX) };
  await untilStored(service);
  await service.stop();
  await database.query(`${BY_KEY}; ${UPDATED}`);
  await database.query("INSERT INTO sound VALUES (3, 'three')");
  const restart = async (): Promise<void> => {
    service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, port: Number(port), environment });
  };

  await restart();
  await expect.poll(notes).toHaveLength(1);
  await service.kill();
  await restart();
  await service.stop();
  await restart();

  const before = { handle: bad.handle, offset: bad.offset };
  const stale = await readShape(service.shapeUrl, { table: 'bad', offset: before.offset, handle: before.handle ?? '' });
  await expect.poll(async () => (await sound.catchUp()).sorted()).toEqual(await selectTexts('sound'));
  await expect.poll(() => rowsOf(bad)).toEqual(await selectTexts('bad'));
  expect({ stale: stale.status, refetches: [sound.refetches, bad.refetches] }).toEqual({ stale: 409, refetches: [0, 1] });
});

test('a table that its operator keeps without old rows is refused in words, until that is mended', async () => {
  await database.query(`CREATE PUBLICATION "electric_publication_${streamIdOf(database.url)}" FOR TABLE sound, bad`);
  await start({ ARMATURE_MANUAL_TABLE_PUBLISHING: 'true' });
  const sound = await follower('sound');
  const client = clientOf('bad');
  await client.rows;

  await database.query(`${BY_KEY}; ${UPDATED}`);
  await database.query("INSERT INTO sound VALUES (3, 'three')");
  await expect.poll(async () => (await sound.catchUp()).sorted()).toEqual(await selectTexts('sound'));
  await expect.poll(notes).toHaveLength(1);
  const refused = await readShape(service.shapeUrl, { table: 'bad', offset: '-1' });
  await database.query('ALTER TABLE bad REPLICA IDENTITY FULL');

  await expect.poll(() => byId(client.currentRows)).toEqual(await select('bad'));
  expect({ status: refused.status, text: refused.text, refetches: sound.refetches }).toEqual({
    status: 503,
    text: expect.stringContaining('does not have its replica identity set to FULL'),
    refetches: 0,
  });
});
