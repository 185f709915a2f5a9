/**
 * The client that people use joins subsets to the log that it follows, while writers never pause and some of their commits hide from
 * snapshots: in the end it holds what SELECT answers.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shape, ShapeStream, type Row } from '@electric-sql/client';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.ts';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { awaitStandby, SOMEBODY_WAITS } from '../support/postgres/absent-standby.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { createDatabaseOn, type TestDatabase } from '../support/postgres/postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';

const BUCKETS = 6;
const ROWS = 60;
const directory = mkdtempSync(join(tmpdir(), 'armature-subsets-'));
let postgres: EmbeddedPostgres;
let database: TestDatabase;
let service: ServiceInProcess;
let leaving: AbortController;

beforeAll(async () => {
  postgres = await startPostgres({ directory: clusterDirectory(), settings: { fsync: 'off' } });
});

afterAll(async () => {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  leaving = new AbortController();
  database = await createDatabaseOn(postgres.url);
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, bucket int NOT NULL, title text, size int NOT NULL);
    INSERT INTO items SELECT i, i % ${BUCKETS}, 'title ' || i, i FROM generate_series(1, ${ROWS}) i`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': join(directory, database.name) } });
});

afterEach(async () => {
  leaving.abort();
  await service.remove();
  await awaitStandby(database, '');
  await database.drop();
});

function followed(params: Readonly<Record<string, string>> = {}, fetchClient: typeof fetch = fetch) {
  const { signal } = leaving;
  const options = { url: service.shapeUrl, params: { table: 'items', ...params }, log: 'changes_only', offset: 'now' } as const;
  const stream = new ShapeStream<Row>({ ...options, signal, fetchClient });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  return { stream, shape: new Shape<Row>(stream) };
}

function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}

const sorted = (rows: readonly Row[]) => [...rows].sort((left, right) => Number(left['id']) - Number(right['id']));
const selected = (where: string) => database.query<Row>(`SELECT id, bucket, title, size FROM items WHERE ${where} ORDER BY id`);

/** A row stays in its bucket; all else may happen to it. */
async function writeOnce(session: pg.Client, random: Random): Promise<void> {
  await session.query('BEGIN');
  for (let count = 1 + random.below(3); count > 0; count -= 1) {
    const [id, other] = [1 + random.below(ROWS), 1 + random.below(ROWS)];
    const statements = [
      `UPDATE items SET size = size + 1 WHERE id = ${id}`,
      `UPDATE items SET title = 'new ${other}' WHERE id = ${id}`,
      `DELETE FROM items WHERE id = ${id}`,
      `INSERT INTO items VALUES (${id}, ${id % BUCKETS}, 'again', ${other}) ON CONFLICT (id) DO UPDATE SET size = excluded.size`,
      `UPDATE items SET id = id + ${ROWS * BUCKETS} WHERE id = ${id} AND NOT EXISTS (SELECT FROM items WHERE id = ${id + ROWS * BUCKETS})`,
    ];
    await session.query(statements[random.below(statements.length)] ?? '');
  }
  await session.query(random.below(6) === 0 ? 'ROLLBACK' : 'COMMIT');
}

/** Writers that deadlock give up one transaction, as applications do. */
async function write(session: pg.Client, random: Random, until: AbortSignal): Promise<number> {
  let count = 0;
  for (; !until.aborted; count += 1) {
    try {
      await writeOnce(session, random);
    } catch (error) {
      expect(error).toMatchObject({ code: '40P01' });
      await session.query('ROLLBACK');
    }
  }
  return count;
}

async function startWriters(count: number, seed: number) {
  const pausing = new AbortController();
  const sessions = await Promise.all(Array.from({ length: count }, () => database.session()));
  const running = sessions.map((session, index) => write(session, seededRandom(seed * 100 + index), pausing.signal));
  return {
    async stop(): Promise<number> {
      pausing.abort();
      return (await Promise.all(running)).reduce((sum, written) => sum + written, 0);
    },
  };
}

/** Who holds a row holds it as it is, and of the buckets that were asked for no row is missing. */
async function untilJoined(shape: Shape<Row>, buckets: ReadonlySet<number>): Promise<void> {
  const all = await selected('true');
  const asked = all.filter(({ bucket }) => buckets.has(Number(bucket)));
  const held = () => sorted(shape.currentRows).filter(({ bucket }) => buckets.has(Number(bucket)));
  await expect.poll(held).toEqual(asked);
  expect(all).toEqual(expect.arrayContaining(shape.currentRows));
}

async function askAtRandom(stream: ShapeStream<Row>, random: Random, rounds: number): Promise<Set<number>> {
  const buckets = new Set<number>();
  for (let round = 0; round < rounds; round += 1) {
    const [first, second] = [random.below(BUCKETS), random.below(BUCKETS)];
    const method = random.below(2) === 0 ? 'GET' : 'POST';
    await Promise.all([
      stream.requestSnapshot({ where: 'bucket = $1', params: { 1: String(first) }, method }),
      stream.requestSnapshot({ where: `bucket IN (${second})`, method }),
      stream.requestSnapshot({ orderBy: '"size" DESC NULLS FIRST, id', limit: 1 + random.below(20), offset: random.below(5), method }),
    ]);
    buckets.add(first).add(second);
    await expect.poll(() => stream.isUpToDate).toBe(true); // Who asks five times in half a second is taken for a fast loop by the client.
  }
  return buckets;
}

test.each([1, 2, 3, 4])('a client that asks for subsets amid writes holds what SELECT answers (%i)', async (seed) => {
  const writers = await startWriters(4, seed);
  const { stream, shape } = followed(seed % 2 === 0 ? {} : { replica: 'full', where: 'size > 0 OR bucket >= 0' });

  const buckets = await askAtRandom(stream, seededRandom(seed), 8);
  const written = await writers.stop();

  await untilJoined(shape, buckets);
  expect(written).toBeGreaterThan(20);
});

test('a change that commits between the first two subsets of a client, which asks for both at once, is not missed', async () => {
  const [written, secondAnswered, firstTaken] = [gate(), gate(), gate()];
  /** The first is answered before the change, the second behind it; the client takes them in that order. */
  const fetchClient: typeof fetch = async (input, init) => {
    const where = new URL(String(input)).searchParams.get('subset__where');
    if (where === 'bucket = 2') await written.opened;
    const response = await fetch(input, init);
    if (where === 'bucket = 1') {
      const before = response.headers.get('electric-offset');
      await database.query("UPDATE items SET title = 'between' WHERE id = 1");
      const end = async () => (await readShape(service.shapeUrl, { table: 'items', log: 'changes_only', offset: 'now' })).offset;
      await expect.poll(end).not.toBe(before);
      written.open();
      await secondAnswered.opened;
    }
    if (where === 'bucket = 2') {
      secondAnswered.open();
      await firstTaken.opened;
    }
    return response;
  };
  const { stream, shape } = followed({}, fetchClient);

  await Promise.all([
    stream.requestSnapshot({ where: 'bucket = 1' }).then(firstTaken.open),
    stream.requestSnapshot({ where: 'bucket = 2' }),
  ]);

  await untilJoined(shape, new Set([1, 2]));
});

test('a row that was streamed while its commit hid from snapshots is not taken back by a subset', async () => {
  const { stream, shape } = followed();
  await stream.requestSnapshot({ where: 'bucket = 1' });
  const [hiding] = await Promise.all([database.session(), database.query('SET synchronous_commit = local')]);
  await hiding.query("BEGIN; UPDATE items SET title = 'hidden' WHERE id = 1");
  await awaitStandby(database, 'nobody');
  const committed = hiding.query('COMMIT');
  await database.until(SOMEBODY_WAITS);
  await expect.poll(() => shape.currentRows.find(({ id }) => id === 1)).toMatchObject({ title: 'hidden' });
  const whileHidden = (await selected('id = 1'))[0];

  const [now] = await database.query<{ text: string }>('SELECT clock_timestamp()::text AS text');
  const asked = stream.requestSnapshot({ where: 'id = 1' });
  await database.until(`
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'armature subsets' AND query LIKE '%COMMIT%'
      AND query_start > '${now?.text}'`);
  await awaitStandby(database, '');
  await committed;
  const { data } = await asked;

  expect({ whileHidden, answered: data.map(({ value }) => value['title']), held: shape.currentRows.find(({ id }) => id === 1) }).toEqual({
    whileHidden: expect.objectContaining({ title: 'title 1' }), answered: ['hidden'], held: expect.objectContaining({ title: 'hidden' }),
  });
});

test.each([5, 6])('commits that hide and come to light amid writes and subsets are neither lost nor undone (%i)', async (seed) => {
  const random = seededRandom(seed);
  const { stream, shape } = followed();
  const buckets = new Set<number>();
  await stream.requestSnapshot({ where: 'false' }); // To make a shape locks its table for a moment, for which it would wait in vain.
  await database.query('SET synchronous_commit = local');
  for (let round = 0; round < 4; round += 1) {
    const sessions = await Promise.all(Array.from({ length: 3 }, () => database.session()));
    for (const [index, session] of sessions.entries()) {
      await session.query(`BEGIN; UPDATE items SET title = 'round ${round}', size = size + 1 WHERE id % 3 = ${index}`);
    }
    await awaitStandby(database, 'nobody');
    const committed = sessions.map((session) => session.query('COMMIT'));
    await database.until(SOMEBODY_WAITS);
    const [first, second] = [random.below(BUCKETS), random.below(BUCKETS)];
    const asked = [first, second].map((bucket) => stream.requestSnapshot({ where: 'bucket = $1', params: { 1: String(bucket) } }));
    await database.query(`DELETE FROM items WHERE id = ${ROWS * 9 + round}; INSERT INTO items VALUES (${ROWS * 9 + round}, 0, 'shown', 0)`);
    await awaitStandby(database, '');
    await Promise.all([...committed, ...asked]);
    buckets.add(first).add(second);
  }

  await untilJoined(shape, buckets);
});
