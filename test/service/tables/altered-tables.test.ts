/**
 * Tables that are altered and that nobody writes to: the stream tells of it with the next row alone, and of some things never. Within the
 * refresh period the shapes end that the alteration concerns, all others go on, and who comes back gets the rows that there are.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { MAJOR } from '../../support/postgres/start-postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { readShape, ShapeFollower } from '../../support/service/shape-follower.ts';

/** Before that no shape has a generated column, and none is virtual: there `twice` is a column like any other. */
const GENERATED_SINCE = 18;
const TWICE = MAJOR < GENERATED_SINCE ? 'twice int' : 'twice int GENERATED ALWAYS AS (id * 2) STORED';

let database: TestDatabase;
let service: ServiceInProcess;
let table = '';
let tables = 0;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`CREATE TABLE witness (id int PRIMARY KEY, mark int)`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'publication-refresh-period': '100ms' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  tables += 1;
  table = `altered_${tables}`;
  await database.query(`
    CREATE TYPE mood_${tables} AS ENUM ('sad', 'glad'); CREATE TYPE pair_${tables} AS (a int, b int);
    CREATE DOMAIN part_${tables} AS int;
    CREATE TABLE ${table} (
      id int PRIMARY KEY, title text NOT NULL, size int, width int, mood mood_${tables}, pair pair_${tables}, part part_${tables},
      ${TWICE});
    INSERT INTO ${table} VALUES (1, 'one', 10, 1, 'sad', (1, 2), 3), (2, 'TWO', 20, 2, 'glad', NULL, 4);
    ALTER TABLE ${table} ADD COLUMN late int DEFAULT 5`);
});

const SHAPES = {
  all: {},
  title: { columns: 'id,title' },
  size: { columns: 'id,size' },
  filtered: { columns: 'id,width', where: 'size > 5' },
  sorted: { columns: 'id', where: `title > 'm'` },
  mood: { columns: 'id,mood' },
  pair: { columns: 'id,pair' },
  twice: { columns: 'id,twice' },
  late: { columns: 'id,late' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
type Shape = keyof typeof SHAPES;
const NAMES = Object.keys(SHAPES) as readonly Shape[];

async function follow(params: Readonly<Record<string, string>>): Promise<string> {
  return (await new ShapeFollower(service.shapeUrl, params).catchUp()).handle ?? '';
}

function isOver(handle: string): boolean {
  return service.runtime.whereis(`@consumer/${handle}`) === undefined;
}

/** Every followed table is reviewed together with this one: when its shape has ended, what was done before has been seen. */
async function untilReviewed(): Promise<void> {
  const handle = await follow({ table: 'witness' });
  await database.query('ALTER TABLE witness DROP COLUMN mark, ADD COLUMN mark int');
  await expect.poll(() => isOver(handle), { interval: 20 }).toBe(true);
}

async function rowsOf(params: { readonly columns?: string; readonly where?: string }): Promise<unknown[]> {
  const [all] = await database.query<{ names: string }>(`
    SELECT string_agg(attname, ',' ORDER BY attnum) AS names FROM pg_attribute
    WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped`);
  const texts = (params.columns ?? all?.names ?? '').split(',').map((name) => `${name}::text`);
  return await database.query(`SELECT ${texts.join()} FROM ONLY ${table} WHERE ${params.where ?? 'true'} ORDER BY ${table}.id`);
}

const READS_SIZE: readonly Shape[] = ['all', 'size', 'filtered'];
const NOT_ANEW: readonly Shape[] = ['size', 'filtered', 'mood', 'pair', 'twice', 'late'];

type Alteration = readonly [what: string, sqls: (table: string, number: number) => readonly string[], over: readonly Shape[]];
const GENERATED_OTHERWISE: Alteration = [
  'has a column generated otherwise', (t) => [`ALTER TABLE ${t} ALTER COLUMN twice SET EXPRESSION AS (id * 3)`], ['all', 'twice'],
];

test.each<Alteration>([
  ['gets a column', (t) => [`ALTER TABLE ${t} ADD COLUMN extra text DEFAULT 'x'`], ['all']],
  ['has a column retyped', (t) => [`ALTER TABLE ${t} ALTER COLUMN size TYPE bigint`], READS_SIZE],
  ['has the values of a column computed anew', (t) => [`ALTER TABLE ${t} ALTER COLUMN size TYPE int USING size / 10`], READS_SIZE],
  ['has a column replaced by one like it', (t) => [`ALTER TABLE ${t} DROP COLUMN size, ADD COLUMN size int DEFAULT 7`], READS_SIZE],
  [
    'has the names of two columns swapped',
    (t) => [`ALTER TABLE ${t} RENAME size TO other; ALTER TABLE ${t} RENAME width TO size; ALTER TABLE ${t} RENAME other TO width`],
    READS_SIZE,
  ],
  ['may have NULL where it might not', (t) => [`ALTER TABLE ${t} ALTER COLUMN title DROP NOT NULL`], ['all', 'title']],
  ['has a label of an enum renamed', (_, n) => [`ALTER TYPE mood_${n} RENAME VALUE 'sad' TO 'blue'`], ['all', 'mood']],
  ['has a composite type with another attribute', (_, n) => [`ALTER TYPE pair_${n} ADD ATTRIBUTE c int`], ['all', 'pair']],
  ['has its text sorted otherwise', (t) => [`ALTER TABLE ${t} ALTER COLUMN title TYPE text COLLATE "POSIX"`], ['sorted']],
  ...MAJOR < GENERATED_SINCE ? [] : [GENERATED_OTHERWISE],
  [
    'has a column that came with a default written out, and computed anew',
    (t) => [`VACUUM FULL ${t}`, `ALTER TABLE ${t} ALTER COLUMN late TYPE int USING late * 2`], ['all', 'late'],
  ],
  ['is vacuumed into other files', (t) => [`VACUUM FULL ${t}`, `CLUSTER ${t} USING ${t}_pkey`], []],
  [
    'is altered in what no shape has of it',
    (t, n) => [
      `ALTER TABLE ${t} ALTER COLUMN size SET NOT NULL, ALTER COLUMN width SET DEFAULT 5, ALTER COLUMN title SET STATISTICS 50`,
      `ALTER TABLE ${t} ADD CHECK (id > 0); CREATE INDEX ON ${t} (title); ALTER TABLE ${t} ALTER COLUMN twice DROP EXPRESSION IF EXISTS`,
      `ALTER TYPE mood_${n} ADD VALUE 'mad' BEFORE 'sad'`, `ALTER DOMAIN part_${n} ADD CHECK (VALUE > 0)`,
      `CREATE TABLE ${t}_child () INHERITS (${t}); INSERT INTO ${t}_child (id, title, size) VALUES (9, 'nine', 9)`,
      `ALTER TYPE pair_${n} RENAME ATTRIBUTE a TO first; REINDEX TABLE ${t}; ALTER TABLE ${t} ENABLE ROW LEVEL SECURITY`,
    ],
    [],
  ],
])('a quiet table %s', async (_, sqls, over) => {
  const handles = await Promise.all(NAMES.map((name) => follow({ table, ...SHAPES[name] })));

  for (const sql of sqls(table, tables)) await database.query(sql);
  await untilReviewed();

  const overNow = (): readonly Shape[] => NAMES.filter((_name, index) => isOver(handles[index] ?? ''));
  await expect.poll(overNow, { interval: 20 }).toEqual(over);
  for (const name of over) {
    const fresh = await new ShapeFollower(service.shapeUrl, { table, ...SHAPES[name] }).catchUp();
    expect(fresh.sorted()).toEqual(await rowsOf(SHAPES[name]));
  }
});

type Loss = readonly [what: string, sql: (table: string) => string, over: readonly Shape[], refused: readonly Shape[]];
const VIRTUAL: Loss = ['gets a virtual column', (t) => `ALTER TABLE ${t} ADD COLUMN thrice int GENERATED ALWAYS AS (id * 3)`, NAMES, NAMES];

test.each<Loss>([
  ['loses a column', (t) => `ALTER TABLE ${t} DROP COLUMN size`, READS_SIZE, ['size', 'filtered']],
  ['has a column renamed', (t) => `ALTER TABLE ${t} RENAME size TO extent`, READS_SIZE, ['size', 'filtered']],
  ['gets another key', (t) => `ALTER TABLE ${t} DROP CONSTRAINT ${t}_pkey, ADD PRIMARY KEY (title)`, NAMES, NAMES.slice(2)],
  ['loses its key', (t) => `ALTER TABLE ${t} DROP CONSTRAINT ${t}_pkey`, NAMES, []],
  ...MAJOR < GENERATED_SINCE ? [] : [VIRTUAL],
  ['is renamed', (t) => `ALTER TABLE ${t} RENAME TO ${t}_new`, NAMES, NAMES],
  ['is in another schema', (t) => `CREATE SCHEMA of_${t}; ALTER TABLE ${t} SET SCHEMA of_${t}`, NAMES, NAMES],
  ['is dropped', (t) => `DROP TABLE ${t}`, NAMES, NAMES],
  ['is dropped by who wrote to it', (t) => `BEGIN; DELETE FROM ${t} WHERE id = 1; DROP TABLE ${t}; COMMIT`, NAMES, NAMES],
  ['is made anew', (t) => `DROP TABLE ${t}; CREATE TABLE ${t} (id int PRIMARY KEY, title text)`, NAMES, NOT_ANEW],
])('a quiet table %s', async (_, sql, over, refused) => {
  const handles = await Promise.all(NAMES.map((name) => follow({ table, ...SHAPES[name] })));

  await database.query(sql(table));
  await untilReviewed();

  const overNow = (): readonly Shape[] => NAMES.filter((_name, index) => isOver(handles[index] ?? ''));
  await expect.poll(overNow, { interval: 20 }).toEqual(over);
  const answers = await Promise.all(NAMES.map((name) => readShape(service.shapeUrl, { table, ...SHAPES[name], offset: '-1' })));
  expect(NAMES.filter((_name, index) => answers[index]?.status === 400)).toEqual(refused);
});

test('a partitioned table that is altered ends the shapes of all that is below it, and of no table beside it', async () => {
  const [tree, beside] = [`${table}_tree`, `${table}_beside`];
  const made = (name: string): string => `
    CREATE TABLE ${name} (id int PRIMARY KEY, size int, mark int) PARTITION BY RANGE (id);
    CREATE TABLE ${name}_branch PARTITION OF ${name} FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
    CREATE TABLE ${name}_leaf PARTITION OF ${name}_branch DEFAULT; INSERT INTO ${name} VALUES (1, 10, 0)`;
  await database.query(`${made(tree)}; ${made(beside)}`);
  const shapes = [tree, `${tree}_branch`, `${tree}_leaf`, beside, `${beside}_leaf`].map((name) => ({ table: name, columns: 'id,size' }));
  const before = await Promise.all([...shapes, { table: tree, columns: 'id,mark' }].map(follow));

  await database.query(`ALTER TABLE ${tree} ALTER COLUMN size TYPE int USING size * 2`);
  await database.query(`CREATE TABLE ${beside}_new PARTITION OF ${beside} DEFAULT; ALTER TABLE ${beside} ALTER COLUMN size SET DEFAULT 1`);
  await untilReviewed();

  await expect.poll(() => before.map(isOver), { interval: 20 }).toEqual([true, true, true, false, false, false]);
  const fresh = await Promise.all(shapes.map((params) => new ShapeFollower(service.shapeUrl, params).catchUp()));
  expect(fresh.map((follower) => follower.sorted()[0]?.['size'])).toEqual(['20', '20', '20', '10', '10']);
});

test('a shape ends with the one that its filter selects from, when the table of that was altered', async () => {
  const params = { table, columns: 'id', where: `id IN (SELECT id FROM ${table}_inner WHERE mark > 0)` };
  await database.query(`
    CREATE TABLE ${table}_inner (id int PRIMARY KEY, mark int, other int); INSERT INTO ${table}_inner VALUES (1, 1), (2, 0)`);
  const [outer, beside] = [await follow(params), await follow({ table, columns: 'id' })];

  await database.query(`ALTER TABLE ${table}_inner ALTER COLUMN mark TYPE int USING 1 - mark, ALTER COLUMN other TYPE bigint`);

  await expect.poll(() => [outer, beside].map(isOver), { interval: 20 }).toEqual([true, false]);
  expect((await new ShapeFollower(service.shapeUrl, params).catchUp()).sorted()).toEqual([{ id: '2' }]);
});
