/**
 * Shapes of what a subquery does not select, in the built service: whatever values and NULLs come and go, and whatever client follows,
 * its rows equal SELECT.
 */
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { followByCollection, followByShape, FoldingSubscriber, type RealClient } from '../support/service/real-clients.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';

const SELECTED = '(SELECT ref FROM parents WHERE active)';
const STEPS_AT_RANDOM = 40;

let database: TestDatabase;
let service: ServiceProcess;
let leaving: AbortController;
const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-negated-'));

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, ref int, active boolean NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int, other_id int, title text)`);
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory });
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

/** Every test follows the same shapes: a client reads what the tests before have left in the log. */
beforeEach(async () => {
  leaving = new AbortController();
  setMaxListeners(0, leaving.signal); // As many clients hear of it as there are.
  await database.query(`
    DELETE FROM children; DELETE FROM parents;
    INSERT INTO parents SELECT i, i, i % 2 = 1 FROM generate_series(1, 4) i;
    INSERT INTO children SELECT i, nullif(i % 5, 0), nullif(i % 3, 0), chr(97 + i % 2) FROM generate_series(1, 20) i`);
});

afterEach(() => {
  leaving.abort();
});

/**
 * One of each kind. TanStack DB takes a row that changes one of several subqueries' values in a tag out of its index for all of them: it
 * follows such a filter with deletes.
 */
function followers({ where, hasLoneSlots }: Filter): readonly RealClient[] {
  const followed = (more: Readonly<Record<string, string>> = {}) => {
    return { url: service.shapeUrl, params: { table: 'children', where, ...more }, signal: leaving.signal };
  };
  const deletes = followed({ move_outs: 'deletes' });
  const subscribers = [followed(), followed({ replica: 'full' })].map((each) => new FoldingSubscriber(each));
  return [followByCollection(hasLoneSlots ? followed() : deletes), ...subscribers, followByShape(deletes)];
}

interface Following {
  readonly where: string;
  readonly clients: readonly RealClient[];
}

async function untilEqual({ where, clients }: Following): Promise<void> {
  const selected = await database.query(
    `SELECT id::text, parent_id::text, other_id::text, title FROM children WHERE ${where} ORDER BY children.id`,
  );
  const held = () => clients.map((client) => client.rows().sort((left, right) => Number(left['id']) - Number(right['id'])));
  await expect.poll(held, { interval: 10, message: where }).toEqual(clients.map(() => selected));
}

function mistakesOf(following: readonly Following[]): readonly unknown[] {
  const clients = following.flatMap((each) => each.clients);
  return clients.flatMap((client) => (client instanceof FoldingSubscriber ? client.fold.mistakes : []));
}

interface Filter {
  readonly where: string;
  /** No tag has slots of several subqueries. */
  readonly hasLoneSlots: boolean;
}

const FILTERS: readonly Filter[] = [
  { where: `parent_id NOT IN ${SELECTED}`, hasLoneSlots: true },
  { where: `title = 'a' OR NOT (parent_id IN ${SELECTED} AND other_id IN ${SELECTED})`, hasLoneSlots: true },
  { where: `(title = 'a' AND parent_id IN ${SELECTED}) OR (title = 'b' AND parent_id NOT IN ${SELECTED})`, hasLoneSlots: true },
  { where: `(parent_id IN ${SELECTED}) IS NOT TRUE AND (other_id IN ${SELECTED}) IS NOT FALSE`, hasLoneSlots: false },
  { where: `parent_id NOT IN ${SELECTED} AND other_id IN (SELECT id FROM parents)`, hasLoneSlots: false },
  {
    where: 'parent_id NOT IN (SELECT ref FROM parents WHERE active AND id NOT IN (SELECT ref FROM parents WHERE NOT active))',
    hasLoneSlots: true,
  },
  { where: 'NOT EXISTS (SELECT 1 FROM parents WHERE parents.ref = children.parent_id AND parents.active)', hasLoneSlots: true },
  {
    where: `EXISTS (SELECT * FROM parents p WHERE p.active AND p.id = parent_id
      AND NOT EXISTS (SELECT FROM parents q WHERE q.ref = p.id AND NOT q.active))`,
    hasLoneSlots: true,
  },
  { where: '(parent_id, other_id) NOT IN (SELECT id, ref FROM parents WHERE active)', hasLoneSlots: true },
  {
    where: `(parent_id, other_id) IN (SELECT id, ref FROM parents)
      OR title = 'a' AND (other_id, parent_id) NOT IN (SELECT id, ref FROM parents)`,
    hasLoneSlots: true,
  },
  {
    where: 'NOT EXISTS (SELECT 1 FROM parents p WHERE p.ref = children.parent_id AND p.active AND p.id = children.other_id)',
    hasLoneSlots: true,
  },
  { where: 'ROW(parent_id::text, other_id) NOT IN (SELECT id::text, ref::float8 FROM parents WHERE active)', hasLoneSlots: true },
];

/** Each statement is a transaction. */
const HISTORIES: Readonly<Record<string, readonly string[]>> = {
  'a value that comes takes its rows, and brings them when it goes': [
    'UPDATE parents SET active = true WHERE id = 2', 'UPDATE parents SET active = false WHERE id = 1',
    'UPDATE parents SET active = NOT active',
  ],
  'NULL takes all rows, brings them back, and leaves values to move them': [
    'INSERT INTO parents VALUES (9, NULL, true)', 'UPDATE parents SET ref = 4 WHERE id = 9',
    'UPDATE parents SET active = false WHERE id = 9', 'UPDATE parents SET active = NOT active WHERE ref = 3',
  ],
  'while NULL is selected values move, and children change': [
    'INSERT INTO parents VALUES (9, NULL, true)', 'UPDATE parents SET active = NOT active WHERE id < 9',
    "UPDATE children SET parent_id = other_id, other_id = parent_id; UPDATE children SET title = 'a' WHERE id = 7",
    "UPDATE children SET title = 'b' WHERE id IN (6, 7, 8)", 'DELETE FROM parents WHERE id = 9', 'UPDATE parents SET active = NOT active',
  ],
  'where nothing is selected, rows without a value are there too': [
    'UPDATE parents SET active = false', 'UPDATE parents SET active = true WHERE id = 3', 'DELETE FROM parents',
    'INSERT INTO parents VALUES (9, NULL, true)', 'DELETE FROM parents',
  ],
  'a row without a value gets one, and loses it': [
    'UPDATE children SET parent_id = 2 WHERE parent_id IS NULL', 'UPDATE children SET parent_id = NULL WHERE parent_id = 2',
    'UPDATE parents SET active = false', 'UPDATE children SET parent_id = 1 WHERE parent_id IS NULL',
    'UPDATE parents SET active = true; UPDATE children SET other_id = NULL WHERE id < 10',
  ],
  'a parent and its child come at once, and NULL with them': [
    "INSERT INTO parents VALUES (8, 8, true), (9, NULL, true); INSERT INTO children VALUES (90, 8, 9, 'a'), (91, 9, 8, 'b')",
    "DELETE FROM parents WHERE ref IS NULL; INSERT INTO children VALUES (92, 5, 5, 'b')",
  ],
};

/** Of each filter, all at once: what is written moves the rows of every one. */
function followAll(): readonly Following[] {
  return FILTERS.map((filter) => ({ where: filter.where, clients: followers(filter) }));
}

test.each(Object.entries(HISTORIES))('%s', async (_, transactions) => {
  const following = followAll();
  for (const each of following) await untilEqual(each);

  for (const sql of transactions) {
    await database.query(sql);
    for (const each of following) await untilEqual(each);
  }

  expect(mistakesOf(following)).toEqual([]);
});

test('nothing is missing or left over after anything at random', async () => {
  const following = followAll();
  const random = seededRandom(11);

  for (let count = 0; count < STEPS_AT_RANDOM; count += 1) await database.query(randomStep(random.below));

  for (const each of following) await untilEqual(each);
  expect(mistakesOf(following)).toEqual([]);
});

function randomStep(below: (bound: number) => number): string {
  const [parent, child] = [1 + below(5), 1 + below(25)];
  const value = below(4) === 0 ? 'NULL' : String(parent);
  return [
    `UPDATE parents SET active = NOT active WHERE id = ${parent}`,
    `INSERT INTO parents VALUES (${parent}, ${value}, true) ON CONFLICT (id) DO UPDATE SET ref = ${value}`,
    `DELETE FROM parents WHERE id = ${parent}`,
    `UPDATE children SET parent_id = ${value} WHERE id = ${child}`,
    `INSERT INTO children VALUES (${child}, ${parent}, ${value}, 'a') ON CONFLICT (id) DO UPDATE SET title = 'b'`,
  ][below(5)] ?? '';
}
