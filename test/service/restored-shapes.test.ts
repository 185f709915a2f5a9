/** Stored shapes come back: what that costs grows with their number and no faster, and whose table has changed meanwhile starts over. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { activeAgain, startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const SHAPES_PER_TABLE = 5;
/** Events that do not depend on the number of shapes, a block of the log that was not taken yet among them. */
const APART_FROM_SHAPES = 20;

let database: TestDatabase;
let service: ServiceInProcess;

beforeEach(async () => {
  database = await createDatabase();
  // Nothing but the restart looks at the publication.
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'publication-refresh-period': '3600s' } });
});

afterEach(async () => {
  await service.remove();
  await database.drop();
});

async function createShapes(table: string): Promise<ShapeFollower[]> {
  await database.query(`CREATE TABLE ${table} (id integer PRIMARY KEY)`);
  const filters = Array.from({ length: SHAPES_PER_TABLE }, (_, nth) => `id > ${nth}`);
  return await Promise.all(filters.map((where) => new ShapeFollower(service.shapeUrl, { table, where }).catchUp()));
}

/** A client of a shape whose first rows are all stored: nothing less comes back. */
async function stored(table: string): Promise<ShapeFollower> {
  let complete = (): void => {};
  const isComplete = new Promise<void>((done) => (complete = done));
  const stop = service.runtime.trace((record) => {
    if (record.type === 'deliver' && record.message.type === 'snapshot.completed') complete();
  });
  const follower = await new ShapeFollower(service.shapeUrl, { table }).catchUp();
  await isComplete;
  stop();
  return follower;
}

/** By process, Consumers together: how many events the restart of all shapes cost, until their tables have been reviewed. */
async function restart(): Promise<Record<string, number>> {
  const { runtime } = service;
  const events: Record<string, number> = {};
  let settle = (): void => {};
  const isSettled = new Promise<void>((done) => (settle = done));
  const stop = runtime.trace((record) => {
    if (record.type !== 'deliver') return;
    const process = record.to.replace(/#\d+$/, '').replace(/consumers\/.*/, 'consumers/*');
    events[process] = (events[process] ?? 0) + 1;
    if (record.message.type === 'relations.settled') settle();
  });
  runtime.exit('@shape-cache', 'kill');
  await isSettled;
  stop();
  await activeAgain(service);
  return events;
}

const shapesAre = (count: number) => Array.from({ length: count / SHAPES_PER_TABLE }, (_, index) => `restored_${count}_${index}`);

test('twice as many cost each process at most twice as many events, and Postgres a single question', async () => {
  for (const table of shapesAre(40)) await createShapes(table);
  const forty = await restart();
  for (const table of shapesAre(40)) await createShapes(`more_${table}`);
  const eighty = await restart();

  const grown = ['publication-manager', 'shape-cache', 'shape-log-collector', 'consumers', 'consumers/*'].map((id) => `stack/shapes/${id}`);
  expect({
    questions: [forty, eighty].map((events) => events['stack/connections/publication']),
    growth: Object.fromEntries(grown.map((process) => [process, (eighty[process] ?? 0) <= 2 * (forty[process] ?? 0) + APART_FROM_SHAPES])),
  }).toEqual({ questions: [1, 1], growth: Object.fromEntries(grown.map((process) => [process, true])) });
});

test.each([
  ['taken out of the publication', (table: string, publication: string) => `ALTER PUBLICATION "${publication}" DROP TABLE ${table}`],
  ['dropped and made anew', (table: string) => `DROP TABLE ${table}; CREATE TABLE ${table} (id integer PRIMARY KEY)`],
])('what was written while the table was %s reaches their clients', async (how, sqlOf) => {
  const table = `changed_${how.length}`;
  const followers = await createShapes(table);
  const [publication] = await database.query<{ pubname: string }>('SELECT pubname FROM pg_publication');
  await database.query(sqlOf(table, publication?.pubname ?? ''));
  await database.query(`INSERT INTO ${table} VALUES (10)`);

  await restart();

  const held = async () => (await Promise.all(followers.map((each) => each.catchUp()))).map(({ rows }) => rows.size);
  await expect.poll(held).toEqual(Array(SHAPES_PER_TABLE).fill(1));
});

describe('of a partitioned table', () => {
  const makeTree = (name: string) => database.query(`
    CREATE TABLE ${name} (id integer PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE ${name}_low PARTITION OF ${name} FOR VALUES FROM (0) TO (10); INSERT INTO ${name} VALUES (1)`);

  test('they go on, also where a partition was made meanwhile', async () => {
    await makeTree('kept_tree');
    const follower = await stored('kept_tree');
    await database.query('CREATE TABLE kept_tree_high PARTITION OF kept_tree FOR VALUES FROM (10) TO (20)');
    await restart();
    await database.query('INSERT INTO kept_tree VALUES (2), (12)');
    await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(3);

    expect(follower.refetches).toBe(0);
  });

  test('whose partition went meanwhile they start over, with what is left', async () => {
    await makeTree('lost_tree');
    const follower = await stored('lost_tree');
    await database.query('ALTER TABLE lost_tree DETACH PARTITION lost_tree_low');
    await restart();
    await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(0);

    expect(follower.refetches).toBe(1);
  });
});
