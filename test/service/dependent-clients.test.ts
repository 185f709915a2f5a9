/** The clients that people use, from npm, follow a shape with a subquery: whatever its parents do, their rows equal SELECT. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from '@electric-sql/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { followByCollection, followByShape, FoldingSubscriber, type RealClient } from '../support/service/real-clients.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';

const WHERE = 'parent_id IN (SELECT id FROM parents WHERE active)';
const STEPS_AT_RANDOM = 60;

let database: TestDatabase;
let service: ServiceProcess;
let leaving: AbortController;
const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-clients-'));

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active boolean NOT NULL, name text);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int, title text)`);
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory });
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

/** Every test follows the same shape: its client reads what the tests before have left in the log, moves and all. */
beforeEach(async () => {
  leaving = new AbortController();
  await database.query(`
    DELETE FROM children; DELETE FROM parents;
    INSERT INTO parents SELECT i, i % 2 = 1 FROM generate_series(1, 4) i;
    INSERT INTO children SELECT i, 1 + i % 4, 'title ' || i FROM generate_series(1, 20) i`);
});

afterEach(() => {
  leaving.abort();
});

function followed(more: Readonly<Record<string, string>> = {}) {
  return { url: service.shapeUrl, params: { table: 'children', where: WHERE, ...more }, signal: leaving.signal };
}

function sorted(rows: readonly Row[]): Row[] {
  return [...rows].sort((left, right) => Number(left['id']) - Number(right['id']));
}

async function untilEqual(client: RealClient): Promise<void> {
  const selected = await database.query(`SELECT id::text, parent_id::text, title FROM children WHERE ${WHERE} ORDER BY children.id`);
  await expect.poll(() => sorted(client.rows()), { interval: 10 }).toEqual(selected);
}

/** Each statement is a transaction. */
const HISTORIES: Readonly<Record<string, readonly string[]>> = {
  'rows come with a parent': ['UPDATE parents SET active = true WHERE id = 2'],
  'rows leave with a parent': ['UPDATE parents SET active = false WHERE id = 1'],
  'a child that has gone to another parent stays when the old one leaves': [
    'UPDATE children SET parent_id = 3 WHERE id = 4',
    'UPDATE parents SET active = false WHERE id = 1',
  ],
  'live changes arrive, and leave with the parent that they came to': [
    "UPDATE children SET title = 'new' WHERE parent_id = 1; INSERT INTO children VALUES (30, 1, 'late'), (31, 2, 'unseen')",
    'DELETE FROM children WHERE id = 8; UPDATE children SET parent_id = 2 WHERE id = 12',
    "UPDATE parents SET name = 'renamed'",
    'UPDATE parents SET active = false WHERE id = 1',
  ],
  'a parent and its child come at once': ["INSERT INTO parents VALUES (9, true); INSERT INTO children VALUES (90, 9, 'both')"],
  'rows that left with their parent come back with it, as they are by then': [
    'UPDATE parents SET active = false WHERE id = 1',
    "UPDATE children SET title = 'while away' WHERE parent_id = 1",
    'UPDATE parents SET active = true WHERE id = 1',
  ],
};

describe.each([
  { name: 'a collection of TanStack DB', follow: () => followByCollection(followed()) },
  { name: 'a raw stream whose subscriber folds tags', follow: () => new FoldingSubscriber(followed()) },
  { name: 'a Shape that asked for deletes', follow: () => followByShape(followed({ move_outs: 'deletes' })) },
])('for $name', ({ follow }) => {
  test.each(Object.entries(HISTORIES))('%s', async (_, transactions) => {
    const client = follow();
    await untilEqual(client);

    for (const sql of transactions) await database.query(sql);

    await untilEqual(client);
  });

  test('nothing is missing or left over after anything at random', async () => {
    const client = follow();
    const random = seededRandom(7);

    for (let count = 0; count < STEPS_AT_RANDOM; count += 1) await database.query(randomStep(random.below));

    await untilEqual(client);
  });
});

function randomStep(below: (bound: number) => number): string {
  const [parent, child] = [1 + below(4), 1 + below(25)];
  return [
    `UPDATE parents SET active = NOT active WHERE id = ${parent}`,
    `UPDATE children SET parent_id = ${parent} WHERE id = ${child}`,
    `DELETE FROM children WHERE id = ${child}`,
    `INSERT INTO children VALUES (${child}, ${parent}, 'random') ON CONFLICT (id) DO UPDATE SET title = 'again'`,
  ][below(4)] ?? '';
}

test('a subscriber is told of rows that leave by an event alone, and of nothing that its fold finds strange', async () => {
  const client = new FoldingSubscriber(followed({ columns: 'id,parent_id,title' }));
  await untilEqual(client);
  await database.query('UPDATE parents SET active = NOT active');

  await untilEqual(client);

  expect({ kinds: [...client.kinds].sort(), mistakes: client.fold.mistakes }).toEqual({
    kinds: ['insert', 'move-in', 'move-out', 'snapshot-end', 'up-to-date'],
    mistakes: [],
  });
});
