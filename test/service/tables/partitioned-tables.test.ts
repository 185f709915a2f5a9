/** Shapes on partitioned tables: on the root, on what is in between and on the partitions, at once. The clients are strict. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { readShape, ShapeFollower } from '../../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let number = 0;
/** The root of the test's own tree. */
let root: string;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({
    databaseUrl: database.url,
    flags: { 'enable-deletion': true, 'publication-refresh-period': '100ms' },
  });
});
afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** A root with one partition for each of `a` and `b`, of which `b` has partitions by whether the number is below 100; `b_low` is turned. */
beforeEach(async () => {
  root = `tree_${(number += 1)}`;
  await database.query(`
    CREATE TABLE ${root} (kind text, id int, owner text, note text, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
    CREATE TABLE ${root}_a PARTITION OF ${root} FOR VALUES IN ('a');
    CREATE TABLE ${root}_b PARTITION OF ${root} FOR VALUES IN ('b') PARTITION BY RANGE (id);
    CREATE TABLE ${root}_b_low (gone int, note text, owner text, id int NOT NULL, kind text NOT NULL, PRIMARY KEY (kind, id));
    ALTER TABLE ${root}_b_low DROP COLUMN gone;
    ALTER TABLE ${root}_b ATTACH PARTITION ${root}_b_low FOR VALUES FROM (0) TO (100);
    CREATE TABLE ${root}_b_high PARTITION OF ${root}_b FOR VALUES FROM (100) TO (200);
    INSERT INTO ${root} VALUES ('a', 1, 'x', 'first'), ('b', 2, 'y', 'second')`);
});

type Params = Readonly<Record<string, string>>;

async function follow(table: string, params: Params = {}): Promise<ShapeFollower> {
  return await new ShapeFollower(service.shapeUrl, { table, ...params }).catchUp();
}

/** What Postgres has of it. */
async function rowsOf(table: string, where = 'true'): Promise<unknown[]> {
  return await database.query(`SELECT kind, id::text AS id, owner, note FROM ${table} WHERE ${where} ORDER BY kind, ${table}.id`);
}

const sorted = (follower: ShapeFollower): unknown[] => {
  return [...follower.rows.values()].map(({ kind, id, owner, note }) => ({ kind, id, owner, note })).sort((left, right) => {
    return String(left.kind).localeCompare(String(right.kind)) || Number(left.id) - Number(right.id);
  });
};

async function comesToHave(follower: ShapeFollower, table: string, where?: string): Promise<void> {
  const rows = await rowsOf(table, where);
  await expect.poll(async () => sorted(await follower.catchUp())).toEqual(rows);
}

test('a row is told to the shapes of its partition and of each table above, under the name of the shape\'s table', async () => {
  const tables = [root, `${root}_b`, `${root}_b_low`, `${root}_a`];
  const followers = await Promise.all(tables.map((table) => follow(table)));
  await database.query(`
    INSERT INTO ${root} VALUES ('b', 3, 'z', 'third'); UPDATE ${root} SET note = 'changed' WHERE id = 2; DELETE FROM ${root}_a`);
  for (const [index, follower] of followers.entries()) await comesToHave(follower, tables[index] ?? '');

  const told = await Promise.all(followers.map(async ({ handle = '' }, index) => {
    const { messages } = await readShape(service.shapeUrl, { table: tables[index] ?? '', handle, offset: '0_inf' });
    return messages.flatMap(({ key, headers }) => (key === undefined ? [] : [[headers['relation'], key]]));
  }));
  const named = (table: string, ...keys: readonly string[]) => keys.map((key) => [['public', table], `"public"."${table}"/${key}`]);
  expect({ told, refetches: followers.map(({ refetches }) => refetches) }).toEqual({
    told: [
      named(root, '"b"/"3"', '"b"/"2"', '"a"/"1"'), named(`${root}_b`, '"b"/"3"', '"b"/"2"'),
      named(`${root}_b_low`, '"b"/"3"', '"b"/"2"'), named(`${root}_a`, '"a"/"1"'),
    ],
    refetches: [0, 0, 0, 0],
  });
});

test('a row that moves to another partition is told to a strict client, also where one of both places matches its filter', async () => {
  const followers = await Promise.all(['true', "kind = 'a'", 'id < 100', "owner = 'y'"].map(async (where) => {
    return { where, follower: await follow(root, { where, replica: 'full' }) };
  }));
  await database.query(`
    BEGIN; UPDATE ${root} SET kind = 'b' WHERE id = 1; UPDATE ${root} SET kind = 'a' WHERE id = 1; UPDATE ${root} SET id = 150 WHERE id = 2;
    UPDATE ${root} SET owner = 'y' WHERE id = 1; COMMIT; UPDATE ${root} SET kind = 'b', id = id + 1`);
  for (const { where, follower } of followers) await comesToHave(follower, root, where);

  expect(followers.map(({ follower }) => follower.refetches)).toEqual([0, 0, 0, 0]);
});

test('a partition that is made later is followed at once, with its old rows', async () => {
  const follower = await follow(root);
  await database.query(`
    BEGIN; CREATE TABLE ${root}_c PARTITION OF ${root} FOR VALUES IN ('c'); INSERT INTO ${root} VALUES ('c', 1, 'x', 'in the same'); COMMIT;
    INSERT INTO ${root} VALUES ('c', 2, 'x', 'later')`);
  await comesToHave(follower, root);
  await database.until(`SELECT FROM pg_class WHERE relname = '${root}_c' AND relreplident = 'f'`);
  await database.query(`UPDATE ${root} SET note = 'updated' WHERE kind = 'c'; DELETE FROM ${root} WHERE id = 2`);
  await comesToHave(follower, root);

  expect(follower.refetches).toBe(0);
});

test('what a new partition did before it had its old rows ends the shapes above, and they have the right rows afterwards', async () => {
  const follower = await follow(root);
  await database.query(`
    BEGIN; CREATE TABLE ${root}_c PARTITION OF ${root} FOR VALUES IN ('c'); INSERT INTO ${root} VALUES ('c', 1, 'x', 'new');
    UPDATE ${root} SET note = 'updated' WHERE kind = 'c'; COMMIT`);
  await comesToHave(follower, root);

  expect(follower.refetches).toBe(1);
});

test.each([
  ['of a partition', (name: string) => `${name}_b_low`, [1, 1, 1, 0]],
  ['of the root', (name: string) => name, [1, 1, 1, 1]],
])('a TRUNCATE %s ends the shapes of all whose rows went', async (_, truncated, refetches) => {
  const tables = [root, `${root}_b`, `${root}_b_low`, `${root}_a`];
  const followers = await Promise.all(tables.map((table) => follow(table)));
  await database.query(`TRUNCATE ${truncated(root)}; INSERT INTO ${root} VALUES ('a', 7, 'x', 'after'), ('b', 7, 'x', 'after')`);
  for (const [index, follower] of followers.entries()) await comesToHave(follower, tables[index] ?? '');

  expect(followers.map((follower) => follower.refetches)).toEqual(refetches);
});

test.each([
  ['attached with its rows', (name: string) => `
    CREATE TABLE ${name}_c (LIKE ${name} INCLUDING ALL); INSERT INTO ${name}_c VALUES ('c', 9, 'x', 'brought');
    ALTER TABLE ${name} ATTACH PARTITION ${name}_c FOR VALUES IN ('c')`],
  ['made, filled and attached in one transaction', (name: string) => `
    BEGIN; CREATE TABLE ${name}_c AS SELECT 'c' AS kind, 9 AS id, 'x' AS owner, 'brought' AS note;
    ALTER TABLE ${name}_c ADD PRIMARY KEY (kind, id); ALTER TABLE ${name} ATTACH PARTITION ${name}_c FOR VALUES IN ('c'); COMMIT`],
  ['detached', (name: string) => `ALTER TABLE ${name} DETACH PARTITION ${name}_a`],
  ['detached while others go on', (name: string) => `ALTER TABLE ${name} DETACH PARTITION ${name}_a CONCURRENTLY`],
  ['dropped', (name: string) => `DROP TABLE ${name}_a`],
  ['detached and attached again', (name: string) => `
    ALTER TABLE ${name} DETACH PARTITION ${name}_a; UPDATE ${name}_a SET note = 'unheard';
    ALTER TABLE ${name} ATTACH PARTITION ${name}_a FOR VALUES IN ('a')`],
])('a partition that is %s ends the shapes above, and no others', async (_, sqlOf) => {
  const [above, beside] = [await follow(root), await follow(`${root}_b`)];
  await database.query(sqlOf(root));
  await comesToHave(above, root);
  await database.query(`INSERT INTO ${root} VALUES ('b', 50, 'x', 'heard of')`);
  await comesToHave(above, root);
  await comesToHave(beside, `${root}_b`);

  expect([above.refetches, beside.refetches]).toEqual([1, 0]);
});

test('a partition that was made, written to and dropped again since takes its rows with it', async () => {
  const follower = await follow(root);
  await database.query(`
    CREATE TABLE ${root}_c PARTITION OF ${root} FOR VALUES IN ('c'); INSERT INTO ${root} VALUES ('c', 1, 'x', 'passing')`);
  await comesToHave(follower, root);
  await database.query(`DROP TABLE ${root}_c`);
  await comesToHave(follower, root);

  expect(follower.refetches).toBe(1);
});

test('a shape on the partition alone goes on when the shapes of the tables above have gone', async () => {
  const [above, leaf] = [await follow(root), await follow(`${root}_a`)];
  await fetch(`${service.shapeUrl}?handle=${above.handle}`, { method: 'DELETE' });
  await database.until(`SELECT WHERE NOT EXISTS (
    SELECT FROM pg_publication_rel WHERE prrelid = '${root}'::regclass)`);
  await database.query(`INSERT INTO ${root} VALUES ('a', 3, 'x', 'still heard of')`);
  await comesToHave(leaf, `${root}_a`);

  expect(leaf.refetches).toBe(0);
});

test('subqueries select from roots and from partitions, and a value whose row moves to another partition has not moved', async () => {
  await database.query(`
    CREATE TABLE ${root}_items (id int PRIMARY KEY, owner text); INSERT INTO ${root}_items VALUES (1, 'x'), (2, 'y'), (3, 'z')`);
  const where = `owner IN (SELECT owner FROM ${root} WHERE id < 100)`;
  const params = { table: `${root}_items`, where, move_outs: 'deletes' };
  const items = await new ShapeFollower(service.shapeUrl, params).catchUp();
  const inner = await follow(root, { where: `owner IN (SELECT owner FROM ${root}_b_low)`, move_outs: 'deletes' });
  const ids = async (follower: ShapeFollower): Promise<unknown[]> => {
    return [...(await follower.catchUp()).rows.values()].map(({ id }) => id).sort();
  };
  const before = [await ids(items), await ids(inner)];
  const since = { handle: items.handle ?? '', offset: items.offset };
  await database.query(`UPDATE ${root} SET kind = 'b' WHERE id = 1; INSERT INTO ${root}_items VALUES (4, 'x')`);
  await expect.poll(() => ids(inner)).toEqual(['1', '2']);
  await expect.poll(() => ids(items)).toEqual(['1', '2', '4']);
  const { messages } = await readShape(service.shapeUrl, { ...params, ...since });
  const between = messages.map(({ key, headers }) => key ?? headers['control'] ?? headers['event']);
  await database.query(`UPDATE ${root} SET id = 150 WHERE id = 2; INSERT INTO ${root} VALUES ('a', 3, 'z', '')`);
  await expect.poll(() => ids(items)).toEqual(['1', '3', '4']);
  await expect.poll(() => ids(inner)).toEqual(['1']);

  expect({ before, between }).toEqual({ before: [['1', '2'], ['2']], between: [`"public"."${root}_items"/"4"`, 'up-to-date'] });
});

test('a column that the root gets is a column of its shapes with the next row, in whatever partition', async () => {
  const follower = await follow(root);
  await database.query(`ALTER TABLE ${root} ADD COLUMN more int; INSERT INTO ${root} VALUES ('b', 9, 'x', 'told', 7)`);
  await comesToHave(follower, root);
  await expect.poll(async () => [...(await follower.catchUp()).rows.values()].map(({ more }) => more).sort()).toEqual(['7', null, null]);

  expect(follower.refetches).toBe(1);
});

test('a root that is renamed is another table, which the same partitions tell of', async () => {
  const [before, leaf] = [await follow(root), await follow(`${root}_a`)];
  await database.query(`ALTER TABLE ${root} RENAME TO ${root}_renamed`);
  const renamed = await follow(`${root}_renamed`);
  await database.query(`INSERT INTO ${root}_renamed VALUES ('a', 9, 'x', 'told')`);
  await comesToHave(renamed, `${root}_renamed`);
  await comesToHave(leaf, `${root}_a`);
  await expect.poll(() => before.catchUp().then(() => 'served', (error: Error) => error.message))
    .toContain('does not exist');

  expect([renamed.refetches, leaf.refetches]).toEqual([0, 0]);
});

test('a publication that names roots is refused with the statement that mends it, and ends the shapes that there are', async () => {
  const follower = await follow(root);
  const [publication] = await database.query<{ pubname: string }>('SELECT pubname FROM pg_publication');
  const name = (on: boolean) => `ALTER PUBLICATION "${publication?.pubname ?? ''}" SET (publish_via_partition_root = ${on})`;
  await database.query(name(true));
  await expect.poll(() => follower.catchUp().then(() => 'served', (error: Error) => error.message))
    .toContain('publish_via_partition_root = false');
  const { status } = await readShape(service.shapeUrl, { table: `${root}_a`, offset: '-1' });
  await database.query(name(false));
  const anew = await follow(root);
  await database.query(`INSERT INTO ${root} VALUES ('a', 5, 'x', 'heard of')`);
  await comesToHave(anew, root);

  expect(status).toBe(503);
});

test('what Postgres does not replicate is refused with the reason, at whatever place of the tree it is', async () => {
  await database.query(`
    CREATE FOREIGN DATA WRAPPER far_${root}; CREATE SERVER far_${root} FOREIGN DATA WRAPPER far_${root};
    CREATE FOREIGN TABLE ${root}_far (kind text, id int) SERVER far_${root};
    CREATE MATERIALIZED VIEW ${root}_copy AS SELECT * FROM ${root}; CREATE VIEW ${root}_view AS SELECT * FROM ${root};
    CREATE TABLE ${root}_p (id int, n int) PARTITION BY RANGE (id);
    CREATE TABLE ${root}_q PARTITION OF ${root}_p FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (n);
    CREATE FOREIGN TABLE ${root}_f PARTITION OF ${root}_q FOR VALUES FROM (0) TO (10) SERVER far_${root};
    CREATE TABLE ${root}_u (id int) PARTITION BY RANGE (id); CREATE UNLOGGED TABLE ${root}_v PARTITION OF ${root}_u DEFAULT`);
  const answers = await Promise.all(['far', 'copy', 'view', 'p', 'q', 'f', 'u'].map(async (name) => {
    const { status, text } = await readShape(service.shapeUrl, { table: `${root}_${name}`, offset: '-1' });
    return [status, (JSON.parse(text) as { errors: { table: string[] } }).errors.table[0]];
  }));

  const told = (name: string, what: string) => [400, expect.stringContaining(`${root}_${name}" ${what}`)];
  expect(answers).toEqual([
    told('far', 'is a foreign table'), told('copy', 'is a materialized view'), told('view', 'is a view'),
    told('f', 'is a foreign table'), told('f', 'is a foreign table'), told('f', 'is a foreign table'), told('v', 'is an unlogged table'),
  ]);
});

test('a partition that Postgres does not replicate ends the shapes above when it comes, and who asks anew is told why', async () => {
  const follower = await follow(root);
  await database.query(`CREATE UNLOGGED TABLE ${root}_c PARTITION OF ${root} FOR VALUES IN ('c')`);

  await expect.poll(() => follower.catchUp().then(() => 'served', (error: Error) => error.message))
    .toContain('does not replicate');
});
