/** Shapes that depend on shapes, in the whole service: what leaves and comes with its parents, and what a restart keeps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-dependent-'));
let database: TestDatabase;
let service: ServiceInProcess;
let number = 0;
let where: string;

/** @param port the one that it had: its clients come back to it. */
function start(port = '0'): Promise<ServiceInProcess> {
  return startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory, port, 'max-subquery-values': '15000' } });
}

beforeAll(async () => {
  database = await createDatabase();
  service = await start();
});
afterAll(async () => {
  await service.remove();
  await database.drop();
  rmSync(directory, { recursive: true });
});
/** Four parents, the odd ones active, with five children each: tables of its own for each test. */
beforeEach(async () => {
  number += 1;
  where = `parent_id IN (SELECT id FROM parents_${number} WHERE active)`;
  await database.query(`
    CREATE TABLE parents_${number} (id int PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE children_${number} (id int PRIMARY KEY, parent_id int, title text);
    INSERT INTO parents_${number} SELECT i, i % 2 = 1 FROM generate_series(1, 4) i;
    INSERT INTO children_${number} SELECT i, 1 + i % 4, 'title ' || i FROM generate_series(1, 20) i`);
});

function follower(extra: Readonly<Record<string, string>> = {}): ShapeFollower {
  return new ShapeFollower(service.shapeUrl, { table: `children_${number}`, where, move_outs: 'deletes', ...extra });
}

/** Until the rows of a follower are those that Postgres selects; then how many, and how often it had to begin anew. */
async function agreed(client: ShapeFollower) {
  const byKey = `ORDER BY '"public"."children_${number}"/"' || id || '"' COLLATE "C"`;
  const wanted = await database.query(`SELECT id::text, parent_id::text, title FROM children_${number} WHERE ${where} ${byKey}`);
  await expect.poll(async () => (await client.catchUp()).sorted(), { interval: 20 }).toEqual(wanted);
  return { rows: wanted.length, refetches: client.refetches };
}

function change(sql: string): Promise<unknown> {
  return database.query(sql.replaceAll('parents', `parents_${number}`).replaceAll('children', `children_${number}`));
}

test('children come with a parent and leave with it', async () => {
  const client = follower();
  const first = await agreed(client);
  await change('UPDATE parents SET active = NOT active WHERE id = 1');
  const without = await agreed(client);
  await change('UPDATE parents SET active = true');

  expect([first, without, await agreed(client)].map(({ rows }) => rows)).toEqual([10, 5, 20]);
  expect(client.refetches).toBe(0);
});

test('parents without a primary key may be alike: children leave with the last of them', async () => {
  await change('ALTER TABLE parents DROP CONSTRAINT parents_pkey; INSERT INTO parents SELECT * FROM parents');
  const client = follower();
  const first = await agreed(client);
  await change('DELETE FROM parents WHERE ctid IN (SELECT min(ctid) FROM parents GROUP BY id)');
  const fewer = await agreed(client);
  await change('DELETE FROM parents WHERE id = 1');

  expect([first, fewer, await agreed(client)].map(({ rows }) => rows)).toEqual([10, 10, 5]);
  expect(client.refetches).toBe(0);
});

test('of more values than the service lists by themselves each is still found, as those that come and go', async () => {
  await change('INSERT INTO parents SELECT i, true FROM generate_series(100, 12100) i');
  const client = follower();
  const first = await agreed(client);
  await change('UPDATE children SET parent_id = 12000 WHERE id <= 3');
  const found = await agreed(client);
  await change('UPDATE parents SET active = NOT active WHERE id IN (1, 2, 12000)');
  const moved = await agreed(client);
  await change('UPDATE parents SET active = false WHERE id < 12000; UPDATE children SET parent_id = 12050 WHERE id >= 19');

  expect([first, found, moved, await agreed(client)].map(({ rows }) => rows)).toEqual([10, 12, 8, 2]);
  expect(client.refetches).toBe(0);
});

test('too many values are refused in words, once there are and from the beginning', async () => {
  const ask = async () => {
    const { status, text } = await readShape(service.shapeUrl, { table: `children_${number}`, where, offset: '-1' });
    return [status, text.includes('selects more than 15000 values')];
  };
  const before = await ask();
  await change('INSERT INTO parents SELECT i, true FROM generate_series(100, 15200) i');
  await expect.poll(ask).toEqual([503, true]);
  where += ' AND id > 0';

  expect([before, await ask()]).toEqual([[200, false], [503, true]]);
});

test('an outer shape is served again when the values have become fewer of an inner one that a client reads', async () => {
  await change('INSERT INTO parents SELECT i, true FROM generate_series(100, 15200) i');
  await readShape(service.shapeUrl, { table: `parents_${number}`, where: 'active', columns: 'id', offset: '-1' });
  const ask = async () => (await readShape(service.shapeUrl, { table: `children_${number}`, where, offset: '-1' })).status;
  const refused = await ask();
  await change('DELETE FROM parents WHERE id >= 1000');

  expect(refused).toBe(503);
  await expect.poll(ask).toBe(200);
});

test('what an up-to-date tells never goes back, with entries before it or without', async () => {
  const shape = { table: `children_${number}`, where };
  const { handle } = await readShape(service.shapeUrl, { ...shape, offset: '-1' });
  let offset: string | null = '0_inf';
  const told: bigint[] = [];
  const read = async (extra: Readonly<Record<string, string>>) => {
    const answer = await readShape(service.shapeUrl, { ...shape, handle: handle ?? '', offset: offset ?? '', ...extra });
    ({ offset } = answer);
    told.push(BigInt(String(answer.messages.at(-1)?.headers['global_last_seen_lsn'])));
  };
  await read({});
  for (const parent of [1, 2]) {
    await change(`UPDATE parents SET active = NOT active WHERE id = ${parent}`);
    await read({ live: 'true' });
    await read({});
  }

  const ascending = [...told].sort((left, right) => (left < right ? -1 : 1));
  expect({ told, isKnown: (told[0] ?? 0n) > 0n }).toEqual({ told: ascending, isKnown: true });
});

test('a move is told as an event, and what comes with it is marked', async () => {
  const params = { table: `children_${number}`, where, columns: 'id' };
  const { handle, offset, messages } = await readShape(service.shapeUrl, { ...params, offset: '-1' });
  await change('UPDATE parents SET active = NOT active WHERE id IN (1, 2)');
  const live = await readShape(service.shapeUrl, { ...params, handle: handle ?? '', offset: '0_inf', live: 'true' });
  const kinds = live.messages.map(({ headers }) => headers['event'] ?? headers['control'] ?? headers['operation']);

  expect({ offset, first: messages[0]?.headers, kinds }).toEqual({
    offset: '0_0',
    first: {
      operation: 'insert',
      relation: ['public', `children_${number}`],
      tags: [expect.stringMatching(/^[0-9a-f]{32}$/)],
      active_conditions: [true],
    },
    kinds: ['move-in', 'insert', 'insert', 'insert', 'insert', 'insert', 'snapshot-end', 'move-out', 'up-to-date'],
  });
});

test('a parent and its child that come in one transaction are there, however often', async () => {
  const client = follower();
  await agreed(client);
  for (let id = 100; id < 150; id += 1)
    await change(`BEGIN; INSERT INTO children VALUES (${id}, ${id}, 'x'); INSERT INTO parents VALUES (${id}, true); COMMIT`);

  expect(await agreed(client)).toEqual({ rows: 60, refetches: 0 });
});

test('a restart keeps the handle, and what moved while the service was away is told', async () => {
  const client = follower();
  await agreed(client);
  await change('UPDATE parents SET active = true WHERE id = 2');
  await agreed(client);
  await service.stop();
  await change('UPDATE parents SET active = NOT active WHERE id IN (1, 4)');
  await change("INSERT INTO children VALUES (1000, 4, 'while away'), (1001, 3, 'while away')");
  service = await start(new URL(service.shapeUrl).port);
  const after = await agreed(client);
  await change('UPDATE parents SET active = NOT active');

  expect([after, await agreed(client)]).toEqual([
    { rows: 22 - 5, refetches: 0 },
    { rows: 5, refetches: 0 },
  ]);
  await client.verifyServed();
});

test('what moves between the view of a shape and its first snapshot comes and goes once', async () => {
  const shape = { table: `children_${number}`, where, move_outs: 'deletes' };
  const other = new ShapeFollower(service.shapeUrl, { ...shape, where: `${where} AND id > 0` });
  await agreed(other);
  service.runtime.suspend('@snapshots');
  const answer = readShape(service.shapeUrl, { ...shape, offset: '-1' });
  await expect.poll(() => service.runtime.printTree()).toContain('snapshotter/');
  await change("UPDATE parents SET active = NOT active; INSERT INTO children VALUES (100, 1, 'goes'), (101, 2, 'comes')");
  await agreed(other);
  service.runtime.resume('@snapshots');
  const parents = (await answer).messages.flatMap(({ value }) => value?.['parent_id'] ?? []);

  expect({ parents: [...new Set(parents)].sort(), after: await agreed(follower()) }).toEqual({
    parents: ['1', '3'], after: { rows: 11, refetches: 0 },
  });
});

test.each([
  ['the parents are truncated', 'TRUNCATE parents; INSERT INTO parents VALUES (2, true)', [1, 1, 0]],
  ['the children are truncated', "TRUNCATE children; INSERT INTO children VALUES (1, 1, 'new'), (2, 2, 'new')", [1, 0, 1]],
  ['a column of the parents gets another type', 'ALTER TABLE parents ALTER id TYPE bigint; UPDATE parents SET active = true', [1, 1, 0]],
])('when %s, the shapes of that table end, and those that depend on them, and no other', async (_, sql, refetches) => {
  const outer = follower();
  const inner = new ShapeFollower(service.shapeUrl, { table: `parents_${number}`, columns: 'id', where: 'active' });
  const plain = new ShapeFollower(service.shapeUrl, { table: `children_${number}` });
  for (const each of [outer, inner, plain]) await each.catchUp();
  await change(sql);
  await agreed(outer);
  for (const each of [inner, plain]) await each.catchUp();

  expect([outer, inner, plain].map((each) => each.refetches)).toEqual(refetches);
});

test('names that need quotes are names like any other', async () => {
  const [parents, children] = [`"Parents/${number}"`, `"Children ${number}"`];
  const condition = `"Parent.Id" IN (SELECT "The ""Id""" FROM ${parents} WHERE "is ok?")`;
  await database.query(`
    CREATE TABLE ${parents} ("The ""Id""" text PRIMARY KEY, "is ok?" boolean NOT NULL);
    CREATE TABLE ${children} ("Id" int PRIMARY KEY, "Parent.Id" text);
    INSERT INTO ${parents} VALUES ('a', true), ('A', false);
    INSERT INTO ${children} VALUES (1, 'a'), (2, 'A'), (3, 'a'), (4, NULL)`);
  const client = new ShapeFollower(service.shapeUrl, { table: children, where: condition, move_outs: 'deletes' });
  const ids = async () => (await client.catchUp()).sorted().map(({ Id }) => Id);
  const first = await ids();
  await database.query(`UPDATE ${parents} SET "is ok?" = NOT "is ok?"; UPDATE ${children} SET "Parent.Id" = 'A' WHERE "Id" = 3`);

  await expect.poll(ids).toEqual(['2', '3']);
  expect({ first, refetches: client.refetches }).toEqual({ first: ['1', '3'], refetches: 0 });
});
