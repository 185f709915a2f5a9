/**
 * A snapshot is served while it is still being written: the first chunk before the query has come far, each further
 * one as it grows, also to who comes in the middle. A query that breaks off leaves no half snapshot behind.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { startThrottledProxy, type ThrottledProxy } from '../support/service/throttled-proxy.ts';

const ROWS = 20_000;
const CHUNK_BYTES = 20_000;
/** Of COPY's text: some three and a half chunks, which have keys and headers as well. */
const PORTION_BYTES = 30_000;

let database: TestDatabase;
let proxy: ThrottledProxy;
let service: ServiceInProcess;

beforeEach(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  await database.query(`INSERT INTO items SELECT n, repeat('words ', 15) || n FROM generate_series(1, ${ROWS}) AS n`);
  proxy = await startThrottledProxy(database.url);
  service = await startServiceInProcess({
    databaseUrl: database.url,
    flags: { 'pooled-database-url': proxy.url, 'shape-chunk-bytes-threshold': String(CHUNK_BYTES), 'long-poll-timeout': '500' },
  });
});

afterEach(async () => {
  await service.remove();
  await proxy.close();
  await database.drop();
});

/** True while the snapshot's query has not been read to its end: its transaction is closed only then. */
async function isQuerying(): Promise<boolean> {
  const open = await database.query(`
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'armature snapshots' AND xact_start IS NOT NULL`);
  return open.length > 0;
}

/** A response whose body is read as it comes. */
async function openShape(params: Readonly<Record<string, string>>): Promise<{ firstPiece: string; rest: () => Promise<string> }> {
  const response = await fetch(`${service.shapeUrl}?${new URLSearchParams(params).toString()}`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const next = async (): Promise<string | undefined> => (await reader?.read())?.value;
  return {
    firstPiece: (await next()) ?? '',
    async rest() {
      let text = '';
      for (let piece = await next(); piece !== undefined; piece = await next()) text += piece;
      return text;
    },
  };
}

test('the first chunk is answered while the query runs, and a client reads on as the snapshot grows', async () => {
  proxy.allow(PORTION_BYTES);
  const first = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  await proxy.exhausted();
  const wasQuerying = await isQuerying();

  const follower = new ShapeFollower(service.shapeUrl, { table: 'items' });
  const following = follower.catchUp();
  const heldAfter: number[] = [];
  for (let portion = 0; portion < 5; portion += 1) {
    proxy.allow(PORTION_BYTES);
    await proxy.exhausted();
    const held = heldAfter.at(-1) ?? 0;
    await expect.poll(() => follower.rows.size).toBeGreaterThan(held);
    heldAfter.push(follower.rows.size);
  }
  const isStillQuerying = await isQuerying();
  proxy.allowAll();
  await following;

  expect({ wasQuerying, isStillQuerying, first: [first.status, first.offset, first.upToDate], handle: follower.handle }).toEqual({
    wasQuerying: true,
    isStillQuerying: true,
    first: [200, '0_0', false],
    handle: first.handle,
  });
  expect(byId(follower)).toEqual(await database.query('SELECT id::text, title FROM items ORDER BY items.id'));
});

function byId(follower: ShapeFollower) {
  return [...follower.rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
}

test('a client that comes while a chunk grows is given its beginning at once, and the rest as it grows', async () => {
  proxy.allow(PORTION_BYTES);
  const { handle } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  const at = { table: 'items', offset: '0_2', handle: handle ?? '' };
  await proxy.exhausted();
  const growing = await openShape(at);

  proxy.allow(PORTION_BYTES);
  const whole = growing.firstPiece + (await growing.rest());
  const isStillQuerying = await isQuerying();
  const again = await readShape(service.shapeUrl, at);

  expect({
    isStillQuerying,
    begun: growing.firstPiece.startsWith('[{"key":'),
    grew: growing.firstPiece.length < whole.length,
    again: again.text,
  }).toEqual({
    isStillQuerying: true,
    begun: true,
    grew: true,
    again: whole,
  });
  expect(whole.length).toBeGreaterThan(CHUNK_BYTES);
});

test('a query that breaks off ends its shape, for those who read it too; the next one is whole', async () => {
  proxy.allow(PORTION_BYTES);
  const { handle } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  await proxy.exhausted();
  const growing = await openShape({ table: 'items', offset: '0_2', handle: handle ?? '' });

  const cutOff = expect(growing.rest()).rejects.toThrow();
  proxy.breakConnections();
  await cutOff;
  proxy.allowAll();

  const after = await readShape(service.shapeUrl, { table: 'items', offset: '0_0', handle: handle ?? '' });
  const anew = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  expect({ after: after.status, isAnew: anew.handle !== handle, rows: anew.rows.size }).toEqual({ after: 409, isAnew: true, rows: ROWS });
});

test.each(['@shape-cache', '@shape-log-collector', '@consumers'] as const)(
  '%s ends in the middle: half a snapshot is not taken for a whole one, and nobody crashes over it',
  async (name) => {
    const crashes: unknown[] = [];
    service.runtime.trace((record) => {
      if (record.type === 'exit' && typeof record.reason === 'object' && 'error' in record.reason) crashes.push(record);
    });
    proxy.allow(PORTION_BYTES);
    const { handle } = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
    await proxy.exhausted();
    const growing = await openShape({ table: 'items', offset: '0_2', handle: handle ?? '' });
    const cutOff = expect(growing.rest()).rejects.toThrow();

    service.runtime.exit(name, 'kill');
    await cutOff;
    proxy.allowAll();

    const anew = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
    expect({ isAnew: anew.handle !== handle, rows: anew.rows.size, crashes }).toEqual({ isAnew: true, rows: ROWS, crashes: [] });
  },
);

test('a client that waits for the first row while the shapes are made anew is led to a fresh shape', async () => {
  // Another shape has had the table published: what the lock holds up is the query alone.
  await readShape(service.shapeUrl, { table: 'items', where: 'id < 0', offset: '-1' });
  const holder = await database.session();
  await holder.query('BEGIN; LOCK TABLE items');
  const waiting = readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  await database.until(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'COPY%'",
  );

  service.runtime.exit('@shape-cache', 'kill');
  const { status } = await waiting;
  await holder.query('ROLLBACK');

  const anew = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  expect({ status, rows: anew.rows.size }).toEqual({ status: 409, rows: ROWS });
});
