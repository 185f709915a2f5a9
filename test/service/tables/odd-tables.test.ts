/**
 * Tables and values at the edge: what a follower holds after snapshot and stream is what SELECT answers, whatever the
 * names, the keys and the sizes. The follower refuses a change under a key that it does not know, so it also shows
 * that snapshot and stream name a row alike.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { ShapeFollower } from '../../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '1000' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

type Row = Readonly<Record<string, string | null>>;

/** Every value in the text that Postgres sends. */
async function selectTexts(sql: string): Promise<Row[]> {
  const session = await database.session();
  const { rows } = await session.query<Row>({ text: sql, types: { getTypeParser: () => (text: unknown) => text } });
  return sorted(rows);
}

/** As rows have no order: by their text. A boolean is `true` in a snapshot, and `t` in the stream and here. */
function sorted(rows: Iterable<Row>): Row[] {
  const plain = [...rows].map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === 'true' ? 't' : value === 'false' ? 'f' : value])),
  );
  return plain.sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
}

interface OddTable {
  readonly title: string;
  /** As in SQL, and as a client asks for it. */
  readonly table: string;
  readonly columns: string;
  /** There before the snapshot. */
  readonly before: string;
  /** Each a transaction, once the shape is live. */
  readonly live: readonly string[];
}

const WIDE = Array.from({ length: 300 }, (_, index) => `c${index + 1}`);

const ODD_TABLES: readonly OddTable[] = [
  {
    title: 'a name with capitals, spaces, dots and quotes in a schema of such a name',
    table: '"My ""Schema"""."Odd.Table / 1"',
    columns: '"The Id" integer PRIMARY KEY, "a ""b"" c" text, "with/slash" text',
    before: `(1, 'one', NULL), (2, 'two', '/')`,
    live: [
      `UPDATE $ SET "a ""b"" c" = 'changed' WHERE "The Id" = 1`,
      `INSERT INTO $ VALUES (3, '', '//')`,
      `DELETE FROM $ WHERE "The Id" = 2`,
    ],
  },
  {
    title: 'names of 63 bytes in characters of several, and one that begins like a byte order mark',
    table: `"${'ž'.repeat(31)}a"`,
    columns: `"${'🐎'.repeat(15)}abc" integer PRIMARY KEY, "\uFEFFnote" text`,
    before: `(1, 'one'), (2, 'two')`,
    live: [`UPDATE $ SET "\uFEFFnote" = 'changed'`, `INSERT INTO $ VALUES (3, 'three')`, `DELETE FROM $ WHERE "\uFEFFnote" = 'three'`],
  },
  {
    title: 'a key of several columns, not in the order of the table',
    table: 'composite',
    columns: 'note text, minor integer, major text, PRIMARY KEY (major, minor)',
    before: `('x', 1, 'a'), ('y', 2, 'a'), ('z', 1, 'a/"1"')`,
    live: [
      `UPDATE $ SET note = 'changed' WHERE major = 'a/"1"'`,
      `UPDATE $ SET minor = 3 WHERE note = 'y'`,
      `DELETE FROM $ WHERE note = 'x'`,
    ],
  },
  {
    title: 'a boolean key',
    table: 'switches',
    columns: 'state boolean, level integer, note text, PRIMARY KEY (state, level)',
    before: `(true, 1, 'on'), (false, 1, 'off'), (true, 2, 'brighter')`,
    live: [
      `UPDATE $ SET note = 'changed' WHERE level = 1`,
      `UPDATE $ SET state = NOT state WHERE level = 2`,
      `DELETE FROM $ WHERE state AND level = 1`,
    ],
  },
  {
    title: 'keys with slashes, quotes, backslashes, control characters, and an empty one',
    table: 'awkward',
    columns: 'id text PRIMARY KEY, note text',
    before: `('', 'empty'), ('/', 'slash'), ('//', 'two'), ('"', 'quote'), ('"/"', 'both'), (E'\\\\', 'backslash'),
      (E'\\t\\n', 'control'), ('_', 'underscore'), ('🐎/ž', 'horse')`,
    live: [`UPDATE $ SET note = note || '!'`, `UPDATE $ SET id = id || '"/' WHERE id <> ''`, `DELETE FROM $ WHERE id LIKE '/%'`],
  },
  {
    title: 'no key: a row is named by all of its columns',
    table: 'keyless',
    columns: 'a integer, b text, c boolean',
    before: `(1, 'one', true), (2, NULL, NULL), (3, '', false), (NULL, '_', NULL)`,
    live: [
      `UPDATE $ SET b = 'changed' WHERE a = 1`,
      `UPDATE $ SET c = true WHERE a = 2`,
      `DELETE FROM $ WHERE a = 3`,
      `DELETE FROM $ WHERE a IS NULL`,
      `INSERT INTO $ VALUES (NULL, NULL, NULL)`,
    ],
  },
  {
    title: 'empty strings are not NULL, and neither is the text of one',
    table: 'blanks',
    columns: 'id integer PRIMARY KEY, t text, v varchar(3), c char(3)',
    before: `(1, '', '', ''), (2, NULL, NULL, NULL), (3, '\\N', 'NUL', '\\N'), (4, 'null', ' ', ' ')`,
    live: [
      `UPDATE $ SET t = NULL, v = NULL, c = NULL WHERE id = 1`,
      `UPDATE $ SET t = '', v = '', c = '' WHERE id = 2`,
      `INSERT INTO $ VALUES (5, '', NULL, '')`,
    ],
  },
  {
    title: '300 columns',
    table: 'wide',
    columns: `id integer PRIMARY KEY, ${WIDE.map((name) => `${name} text`).join(', ')}`,
    before: `(1, ${WIDE.map((name) => `'${name}'`).join(', ')}), (2, ${WIDE.map(() => 'NULL').join(', ')})`,
    live: [`UPDATE $ SET c300 = 'changed', c1 = NULL WHERE id = 1`, `UPDATE $ SET c150 = '' WHERE id = 2`],
  },
  {
    title: 'a domain over boolean as key',
    table: 'domains',
    columns: 'state yes_or_no PRIMARY KEY, note text',
    before: `(true, 'on'), (false, 'off')`,
    live: [`UPDATE $ SET note = 'changed'`, `DELETE FROM $ WHERE state`],
  },
];

test.each(ODD_TABLES)('$title', async ({ table, columns, before, live }) => {
  await database.query(`CREATE SCHEMA IF NOT EXISTS "My ""Schema"""; DROP DOMAIN IF EXISTS yes_or_no; CREATE DOMAIN yes_or_no AS boolean`);
  await database.query(`CREATE TABLE ${table} (${columns})`);
  await database.query(`INSERT INTO ${table} VALUES ${before}`);
  const followers = await Promise.all(
    ['default', 'full'].map((replica) => new ShapeFollower(service.shapeUrl, { table, replica }).catchUp()),
  );
  const atFirst = followers.map(({ rows }) => sorted(rows.values()));
  const expectedFirst = await selectTexts(`SELECT * FROM ${table}`);

  for (const sql of live) await database.query(sql.replaceAll('$', table));

  const expected = await selectTexts(`SELECT * FROM ${table}`);
  expect(atFirst).toEqual([expectedFirst, expectedFirst]);
  await expect
    .poll(async () =>
      (await Promise.all(followers.map((follower) => follower.catchUp()))).map(({ rows, refetches }) => ({
        rows: sorted(rows.values()),
        refetches,
      })),
    )
    .toEqual([
      { rows: expected, refetches: 0 },
      { rows: expected, refetches: 0 },
    ]);
});
