/** Subqueries within subqueries, in the whole service: what moves at one depth reaches those above it, and they come back together. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';
import { untilStored } from '../support/service/stored-shapes.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-nested-'));
let database: TestDatabase;
let service: ServiceInProcess;
let number = 0;

/** @param port the one that it had: its clients come back to it. */
function start(port = '0'): Promise<ServiceInProcess> {
  return startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory, port } });
}

async function restart(): Promise<void> {
  const { port } = new URL(service.shapeUrl);
  await service.stop();
  service = await start(port);
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

/** What members may see: two orgs of three, two projects in each, and so on. Tables of its own for each test. */
beforeEach(async () => {
  number += 1;
  await change(`
    CREATE TABLE members (id int PRIMARY KEY, org_id int, user_id int);
    CREATE TABLE projects (id int PRIMARY KEY, org_id int);
    CREATE TABLE issues (id int PRIMARY KEY, project_id int);
    CREATE TABLE comments (id int PRIMARY KEY, issue_id int, author int);
    INSERT INTO members VALUES (1, 1, 7), (2, 2, 7), (3, 3, 8);
    INSERT INTO projects SELECT i, 1 + i % 3 FROM generate_series(1, 6) i;
    INSERT INTO issues SELECT i, 1 + i % 6 FROM generate_series(1, 12) i;
    INSERT INTO comments SELECT i, 1 + i % 12, i % 5 FROM generate_series(1, 24) i`);
});

function change(sql: string): Promise<unknown> {
  return database.query(named(sql));
}

function named(sql: string): string {
  return sql.replaceAll(/\b(members|projects|issues|comments)\b/g, `$1_${number}`);
}

const ORGS = 'SELECT org_id FROM members WHERE user_id = 7';
const PROJECTS = `SELECT id FROM projects WHERE org_id IN (${ORGS})`;
const ISSUES = `SELECT id FROM issues WHERE project_id IN (${PROJECTS})`;
const COMMENTS = `issue_id IN (${ISSUES})`;

function follower(table: string, where: string, extra: Readonly<Record<string, string>> = { move_outs: 'deletes' }): ShapeFollower {
  return new ShapeFollower(service.shapeUrl, { table: named(table), where: named(where), ...extra });
}

/** Until the ids that a follower has are those that Postgres selects; then how many, and how often it had to begin anew. */
async function agreed(client: ShapeFollower, table: string, where: string) {
  const wanted = await database.query<{ id: string }>(named(`SELECT id::text FROM ${table} WHERE ${where}`));
  const held = async () => (await client.catchUp()).sorted().map((row) => row['id']).sort();
  await expect.poll(held, { interval: 20 }).toEqual(wanted.map(({ id }) => id).sort());
  return { rows: wanted.length, refetches: client.refetches };
}

test('rows come and go with what the innermost of three subqueries selects', async () => {
  const client = follower('comments', COMMENTS);
  const told = [await agreed(client, 'comments', COMMENTS)];
  for (const sql of ['DELETE FROM members WHERE id = 2', 'UPDATE members SET user_id = 7', 'DELETE FROM members']) {
    await change(sql);
    told.push(await agreed(client, 'comments', COMMENTS));
  }

  expect(told.map(({ rows }) => rows)).toEqual([16, 8, 16, 0]);
  expect(client.refetches).toBe(0);
});

test('one transaction moves values at three depths, some of them in opposite directions', async () => {
  const client = follower('comments', COMMENTS);
  const inner = follower('issues', `project_id IN (${PROJECTS})`);
  await agreed(client, 'comments', COMMENTS);
  await change(`
    DELETE FROM members WHERE id = 1;
    INSERT INTO members VALUES (4, 3, 7);
    UPDATE projects SET org_id = 4 - org_id;
    UPDATE issues SET project_id = 7 - project_id;
    INSERT INTO issues VALUES (13, 2);
    UPDATE comments SET issue_id = 13 WHERE id <= 3;
    INSERT INTO comments VALUES (25, 13, 1)`);

  expect([await agreed(client, 'comments', COMMENTS), await agreed(inner, 'issues', `project_id IN (${PROJECTS})`)]).toEqual([
    { rows: expect.any(Number), refetches: 0 }, { rows: expect.any(Number), refetches: 0 },
  ]);
});

test('one inner shape serves shapes at several depths, and several places of one filter', async () => {
  const mixed = `author = 1 OR issue_id IN (${ISSUES}) OR author IN (${ORGS}) AND issue_id IN (SELECT id FROM issues WHERE project_id < 4)`;
  const clients = [
    ['comments', mixed], ['comments', COMMENTS], ['projects', `org_id IN (${ORGS})`], ['issues', `project_id IN (${PROJECTS})`],
  ].map(([table = '', where = '']) => ({ client: follower(table, where), table, where }));
  const all = async () => {
    const refetches: number[] = [];
    for (const { client, table, where } of clients) refetches.push((await agreed(client, table, where)).refetches);
    return refetches;
  };
  await all();
  for (const sql of [
    'UPDATE members SET org_id = org_id % 3 + 1', 'UPDATE projects SET id = id + 1 WHERE id = 6',
    'UPDATE issues SET project_id = 7 WHERE id < 5',
    'UPDATE members SET user_id = 8 WHERE user_id = 7', 'UPDATE comments SET author = author + 1', 'UPDATE members SET user_id = 7',
  ]) {
    await change(sql);
    await all();
  }

  expect(await all()).toEqual([0, 0, 0, 0]);
});

test('after a restart all of them go on where they were', async () => {
  const client = follower('comments', COMMENTS);
  const before = await agreed(client, 'comments', COMMENTS);
  await change('UPDATE members SET user_id = 7 WHERE id = 3');
  const moved = await agreed(client, 'comments', COMMENTS);
  await restart();
  const restarted = await agreed(client, 'comments', COMMENTS);
  await change('DELETE FROM members WHERE id = 1');

  const last = await agreed(client, 'comments', COMMENTS);
  expect([before, moved, restarted, last].map(({ rows }) => rows)).toEqual([16, 24, 24, 16]);
  expect(client.refetches).toBe(0);
});

test('what moves while the service is down is told when it is back', async () => {
  const client = follower('comments', COMMENTS);
  await agreed(client, 'comments', COMMENTS);
  await untilStored(service);
  const { port } = new URL(service.shapeUrl);
  await service.stop();
  await change('DELETE FROM members WHERE id = 1; UPDATE projects SET org_id = 2 WHERE id = 3; INSERT INTO comments VALUES (30, 2, 2)');
  service = await start(port);

  expect((await agreed(client, 'comments', COMMENTS)).refetches).toBe(0);
});

test('a table in the middle that is emptied at once ends all shapes above it, and none below', async () => {
  const [outer, lowest] = [follower('comments', COMMENTS), follower('projects', `org_id IN (${ORGS})`)];
  await agreed(outer, 'comments', COMMENTS);
  await agreed(lowest, 'projects', `org_id IN (${ORGS})`);
  await change('TRUNCATE issues');
  await change('INSERT INTO issues VALUES (1, 1), (2, 2)');

  expect([await agreed(outer, 'comments', COMMENTS), await agreed(lowest, 'projects', `org_id IN (${ORGS})`)]).toEqual([
    { rows: 2, refetches: 1 }, { rows: 4, refetches: 0 },
  ]);
});

test('a move of more values than one splice takes goes through two layers, and nothing is told twice', async () => {
  await change(`
    INSERT INTO issues SELECT i, 1 + i % 2 FROM generate_series(100, 12099) i;
    INSERT INTO comments SELECT i, i, 0 FROM generate_series(100, 12099) i`);
  const client = follower('comments', COMMENTS);
  const told: number[] = [];
  for (const sql of ['UPDATE members SET user_id = 8', 'UPDATE members SET user_id = 7', 'DELETE FROM projects']) {
    await agreed(client, 'comments', COMMENTS);
    await change(sql);
    told.push((await agreed(client, 'comments', COMMENTS)).rows);
  }

  expect([told, client.refetches]).toEqual([[0, 12024, 0], 0]);
});

test('a transaction larger than a block goes through tables of all depths', async () => {
  const client = follower('comments', COMMENTS);
  await agreed(client, 'comments', COMMENTS);
  await change(`
    UPDATE members SET user_id = 15 - user_id;
    INSERT INTO issues SELECT i, 1 + i % 6 FROM generate_series(100, 30099) i;
    INSERT INTO comments SELECT i, i, 0 FROM generate_series(100, 30099) i;
    UPDATE projects SET org_id = org_id % 3 + 1;
    UPDATE comments SET author = 2;
    DELETE FROM issues WHERE id % 3 = 0;
    UPDATE members SET org_id = org_id % 3 + 1`);

  expect((await agreed(client, 'comments', COMMENTS)).refetches).toBe(0);
});

test('tables in the middle may have rows that are alike: what hangs on them leaves with the last', async () => {
  await change(`
    ALTER TABLE issues DROP CONSTRAINT issues_${number}_pkey;
    ALTER TABLE projects DROP CONSTRAINT projects_${number}_pkey;
    INSERT INTO issues SELECT * FROM issues;
    INSERT INTO projects SELECT * FROM projects`);
  const client = follower('comments', COMMENTS);
  const told = [await agreed(client, 'comments', COMMENTS)];
  for (const sql of [
    'DELETE FROM projects WHERE ctid IN (SELECT min(ctid) FROM projects GROUP BY id)',
    'UPDATE members SET user_id = 9 WHERE id = 1', 'UPDATE members SET user_id = 7 WHERE id = 1',
    'DELETE FROM issues WHERE ctid IN (SELECT min(ctid) FROM issues GROUP BY id)',
    'DELETE FROM projects WHERE ctid IN (SELECT min(ctid) FROM projects GROUP BY id)',
  ]) {
    await change(sql);
    told.push(await agreed(client, 'comments', COMMENTS));
  }

  expect([told.map(({ rows }) => rows), client.refetches]).toEqual([[16, 16, 8, 16, 16, 0], 0]);
});

test('a table in the middle that is altered ends what is above it, and nothing below', async () => {
  const [outer, lowest] = [follower('comments', COMMENTS), follower('projects', `org_id IN (${ORGS})`)];
  await agreed(outer, 'comments', COMMENTS);
  await agreed(lowest, 'projects', `org_id IN (${ORGS})`);
  await change('ALTER TABLE issues ALTER COLUMN project_id TYPE bigint; UPDATE issues SET project_id = project_id + 1');

  expect((await agreed(outer, 'comments', COMMENTS)).refetches).toBe(1);
  expect((await agreed(lowest, 'projects', `org_id IN (${ORGS})`)).refetches).toBe(0);
});

test('subqueries that nest too deep are refused in words', async () => {
  const where = Array.from({ length: 17 }).reduce<string>((inner) => `id IN (SELECT id FROM issues WHERE ${inner})`, 'true');
  const { status, text } = await readShape(service.shapeUrl, { table: named('issues'), where: named(where), offset: '-1' });

  expect([status, text]).toEqual([400, expect.stringContaining('subqueries nest deeper than 16 levels')]);
});
