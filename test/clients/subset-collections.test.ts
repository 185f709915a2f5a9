/** Collections of TanStack DB that load what their queries ask for, and no more: amid writes they show what SELECT answers. */
import type { Row } from '@electric-sql/client';
import { createCollection, createLiveQueryCollection, eq, gt, inArray, like } from '@tanstack/db';
import { electricCollectionOptions } from '@tanstack/electric-db-collection';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

interface Item extends Row {
  readonly id: number;
  readonly bucket: number;
  readonly code: string;
  readonly title: string | null;
  readonly size: number;
}

let database: TestDatabase;
let service: ServiceInProcess;
let leaving: AbortController;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, bucket int NOT NULL, code text NOT NULL, title text, size int NOT NULL);
    CREATE TABLE owners (bucket int PRIMARY KEY, active boolean NOT NULL)`);
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  leaving = new AbortController();
  await database.query(`
    DELETE FROM items; DELETE FROM owners;
    INSERT INTO owners SELECT i, i < 3 FROM generate_series(0, 4) i;
    INSERT INTO items SELECT i, i % 5, 'code ' || i, CASE WHEN i % 4 > 0 THEN 'title ' || i END, (i * 7) % 50
      FROM generate_series(1, 50) i`);
});

afterEach(() => {
  leaving.abort();
});

const MODES = ['on-demand', 'progressive'] as const;

function collectionOf(syncMode: (typeof MODES)[number], params: Readonly<Record<string, string>> = {}) {
  const shapeOptions = { url: service.shapeUrl, params: { table: 'items', ...params }, signal: leaving.signal };
  return createCollection(electricCollectionOptions<Item>({ shapeOptions, syncMode, getKey: ({ id }) => id }));
}

const plain = (rows: readonly Item[]) => rows.map(({ id, bucket, code, title, size }) => ({ id, bucket, code, title, size }));
const selected = (rest: string) => database.query<Item>(`SELECT id, bucket, code, title, size FROM items ${rest}`);
type Collection = ReturnType<typeof collectionOf>;

/** Queries as an application writes them, and as SQL. A row that no query has loaded stays unknown when an update makes it match. */
const QUERIES = {
  'one bucket': {
    sql: 'WHERE bucket = 1 ORDER BY id',
    live: (items: Collection) =>
      createLiveQueryCollection((q) => q.from({ item: items }).where(({ item }) => eq(item.bucket, 1)).orderBy(({ item }) => item.id)),
  },
  'several buckets of large items': {
    sql: 'WHERE bucket IN (2, 3) AND size > 10 ORDER BY id',
    live: (items: Collection) =>
      createLiveQueryCollection((q) => q.from({ item: items })
        .where(({ item }) => inArray(item.bucket, [2, 3])).where(({ item }) => gt(item.size, 10)).orderBy(({ item }) => item.id)),
  },
  'a pattern': {
    sql: "WHERE code LIKE 'code 1%' ORDER BY id",
    live: (items: Collection) =>
      createLiveQueryCollection((q) => q.from({ item: items })
        .where(({ item }) => like(item.code, 'code 1%')).orderBy(({ item }) => item.id)),
  },
  'the first page of an order': {
    sql: 'ORDER BY size DESC, id LIMIT 7',
    live: (items: Collection) => createLiveQueryCollection((q) => q.from({ item: items })
      .orderBy(({ item }) => item.size, 'desc').orderBy(({ item }) => item.id).limit(7)),
  },
  'everything': {
    sql: 'ORDER BY id',
    live: (items: Collection) => createLiveQueryCollection((q) => q.from({ item: items }).orderBy(({ item }) => item.id)),
  },
} as const;

/** Each statement is a transaction. */
const WRITES = [
  'UPDATE items SET size = size + 1 WHERE bucket IN (1, 2)',
  "INSERT INTO items VALUES (60, 1, 'code 160', 'new', 99), (61, 2, 'code 2', NULL, 98), (62, 4, 'code 1', 'new', 97)",
  'DELETE FROM items WHERE id IN (11, 12, 13)',
  "UPDATE items SET title = 'title ' || id WHERE size % 2 = 0",
  'UPDATE items SET id = id + 100 WHERE id BETWEEN 20 AND 24',
  "BEGIN; DELETE FROM items WHERE id = 1; INSERT INTO items VALUES (1, 1, 'code 1', NULL, 3); COMMIT",
];

test.each(
  MODES.flatMap((mode) => Object.entries(QUERIES).map(([name, query]) => ({ mode, name, query }))),
)('a collection that is $mode shows $name, and follows it', async ({ mode, query }) => {
  const live = query.live(collectionOf(mode));

  await live.preload();
  // One that is progressive comes to be what the log says, which may be a moment behind.
  await expect.poll(() => plain(live.toArray)).toEqual(await selected(query.sql));
  for (const sql of WRITES) await database.query(sql);

  const after = await selected(query.sql);
  await expect.poll(() => plain(live.toArray)).toEqual(after);
});

test.each(Object.entries(QUERIES))('what an on-demand collection loads first is what SELECT answers then: %s', async (_, query) => {
  const live = query.live(collectionOf('on-demand'));

  await live.preload();

  expect(plain(live.toArray)).toEqual(await selected(query.sql));
});

test('two queries that begin at once, amid writes, lose nothing to each other', async () => {
  const items = collectionOf('on-demand');
  const [first, second] = [QUERIES['one bucket'], QUERIES['several buckets of large items']];
  const lives = [first.live(items), second.live(items)];

  await Promise.all([...lives.map((live) => live.preload()), ...WRITES.map((sql) => database.query(sql))]);

  const after = [await selected(first.sql), await selected(second.sql)];
  await expect.poll(() => lives.map((live) => plain(live.toArray))).toEqual(after);
});

test.each(MODES)('a query of a shape with a subquery follows what moves, and what has moved before (%s)', async (mode) => {
  const where = 'bucket IN (SELECT bucket FROM owners WHERE active)';
  const held = () => selected(`WHERE ${where} ORDER BY id`);
  const earlier = QUERIES['everything'].live(collectionOf(mode, { where }));
  await earlier.preload();
  for (const bucket of [1, 4, 1]) await database.query(`UPDATE owners SET active = NOT active WHERE bucket = ${bucket}`);
  await expect.poll(() => plain(earlier.toArray)).toEqual(await held());

  const live = QUERIES['everything'].live(collectionOf(mode, { where }));
  await live.preload();
  await expect.poll(() => plain(live.toArray)).toEqual(await held());
  await database.query('UPDATE owners SET active = NOT active WHERE bucket IN (1, 4)');
  await database.query("UPDATE items SET bucket = 4, title = 'moved' WHERE bucket = 3 AND size > 20");
  for (const sql of WRITES) await database.query(sql);

  const after = await held();
  await expect.poll(() => [live, earlier].map(({ toArray }) => plain(toArray))).toEqual([after, after]);
});
