/**
 * A filter that calculates, in service: it takes the rows that Postgres takes, and where that has an error its shape ends, no other.
 * Its clients hear the error, and are not led from one shape to the next.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FetchError, ShapeStream } from '@electric-sql/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let storageDirectory: string;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  storageDirectory = mkdtempSync(join(tmpdir(), 'armature-filters-'));
  await database.query(`
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE shares (id int PRIMARY KEY, parts int, title text, tags text[], mood mood, lasts interval);
    INSERT INTO shares VALUES (1, 2, 'One', '{a,b}', 'glad', '1 day'), (2, 5, 'two', '{}', 'sad', '02:00');
    CREATE TABLE owners (id int PRIMARY KEY, stake int);
    INSERT INTO owners VALUES (1, 3), (2, 30);
    CREATE TABLE notes (id int PRIMARY KEY, name text, title text);
    INSERT INTO notes VALUES (1, ' 1', 'One')`);
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, environment: { ARMATURE_LONG_POLL_TIMEOUT: '500' } });
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

interface Note {
  readonly msg: string;
  readonly handle?: string;
  readonly table?: string;
  readonly where?: string;
  readonly error?: unknown;
}

/** What an operator reads of filters that failed. */
function failedFilters(): readonly Note[] {
  const lines = service.output().split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Note).filter(({ msg }) => msg === 'shape.filterFailed');
}

const refusal = (code: string, message: string) => [400, { code, message: 'Invalid request', errors: { where: [message] } }];
const DIVISION = refusal('22012', 'division by zero');

async function answerTo(params: Readonly<Record<string, string>>): Promise<readonly unknown[]> {
  const { status, text } = await readShape(service.shapeUrl, params);
  return [status, status === 400 ? JSON.parse(text) : undefined];
}

function placeOf({ handle = '', offset }: ShapeFollower): { handle: string; offset: string } {
  return { handle, offset };
}

test('a filter that calculates takes the rows of the stream as Postgres took the first', async () => {
  const where = [
    'lower(title) = ANY ($1)', '100 / parts > 30', "tags @> '{a}'", "mood::text <> 'sad'", "lasts * 2 >= '1 day 12:00'",
    "concat(id, ':', title) LIKE '%:O%'",
  ].join(' AND ');
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'shares', where, 'params[1]': '{one,other}' }).catchUp();
  const first = [...follower.rows.values()].map(({ id }) => id);
  await database.query(`
    INSERT INTO shares VALUES (3, 3, 'Other', '{b,a}', 'glad', '36:00'), (4, 4, 'Other', '{a}', 'glad', '1 day'),
      (5, 1, 'Once', '{a}', 'glad', '1 day');
    UPDATE shares SET mood = 'sad' WHERE id = 1`);

  await expect.poll(async () => [...(await follower.catchUp()).rows.values()].map(({ id }) => id)).toEqual(['3']);

  expect(first).toEqual(['1']);
});

test.each([
  ['divides by zero', '100 / (parts - 2) > 1', '22012', 'division by zero'],
  ['is out of range', 'parts * 2147483647 > 1', '22003', 'integer out of range'],
  ['reads a number in a text that is none', "(left(title, 0) || 'x')::int4 > 1", '22P02', 'invalid input syntax for type integer: "x"'],
  ['comes to no date', "(date '5874897-12-31' + parts) > '2024-01-01'", '22008', 'date out of range'],
])('a filter that %s in one of the first rows is refused, in the words of Postgres', async (_, where, code, message) => {
  expect(await answerTo({ table: 'shares', where, offset: '-1' })).toEqual(refusal(code, message));
});

test('a row in which a filter has an error ends its shape, and no other; the operator reads which', async () => {
  const dividing = { table: 'shares', where: '100 / parts > 10' };
  const follower = await new ShapeFollower(service.shapeUrl, dividing).catchUp();
  const others = [{ where: 'parts >= 0' }, { where: "lower(title) = 'zero'" }, {}].map((wish) => {
    return new ShapeFollower(service.shapeUrl, { table: 'shares', ...wish });
  });
  for (const other of others) await other.catchUp();
  const place = placeOf(follower);

  await database.query("INSERT INTO shares VALUES (10, 0, 'zero', NULL, NULL, NULL)");
  for (const other of others) await expect.poll(async () => (await other.catchUp()).rows.has('"public"."shares"/"10"')).toBe(true);
  await expect.poll(failedFilters).toContainEqual(expect.objectContaining({ handle: place.handle }));
  const refused = [await answerTo({ ...dividing, ...place }), await answerTo({ ...dividing, offset: '-1' })];
  const told = failedFilters().filter(({ handle }) => handle === place.handle);
  await database.query('DELETE FROM shares WHERE id = 10');
  const again = await answerTo({ ...dividing, offset: '-1' });

  expect({ refused, refetches: others.map(({ refetches }) => refetches), told, again }).toEqual({
    refused: [DIVISION, DIVISION],
    refetches: [0, 0, 0],
    told: [expect.objectContaining({
      table: 'public.shares', where: dividing.where, error: { code: '22012', message: 'division by zero' },
    })],
    again: [200, undefined],
  });
});

test('a client that follows such a shape is led on once at the most, and then hears the error', async () => {
  const statuses: number[] = [];
  const failures: unknown[] = [];
  const stream = new ShapeStream({
    url: service.shapeUrl,
    params: { table: 'shares', where: '1000 / parts > 10' },
    fetchClient: async (...request) => {
      const response = await fetch(...request);
      statuses.push(response.status);
      return response;
    },
    onError: (error) => void failures.push(error),
  });
  stream.subscribe(() => {});
  await expect.poll(() => stream.isUpToDate).toBe(true);

  await database.query("INSERT INTO shares VALUES (11, 0, 'zero', NULL, NULL, NULL)");
  await expect.poll(() => failures).toHaveLength(1);
  await database.query('DELETE FROM shares WHERE id = 11');

  const [failure] = failures;
  expect({
    refused: statuses.filter((status) => status === 400).length,
    wasLedOn: statuses.filter((status) => status === 409).length <= 1,
    says: failure instanceof FetchError ? [failure.status, failure.json] : failure,
    isOver: stream.hasStarted() && !stream.isConnected(),
  }).toEqual({ refused: 1, wasLedOn: true, says: DIVISION, isOver: true });
});

test('who is led to a shape whose filter has an error hears of it there, however often it asks, and is led to no other', async () => {
  const wish = { table: 'shares', where: '100 / (parts - 5) > 1' };
  const led = await readShape(service.shapeUrl, { ...wish, handle: '1234-1700000000000000', offset: '0_0' });
  const there = { ...wish, handle: led.handle ?? '', offset: '-1' };

  expect([led.status, await answerTo(there), await answerTo(there)]).toEqual([409, DIVISION, DIVISION]);
});

test('a value of a subquery that cannot be cast ends the shapes that look it up, and leaves the one that has it', async () => {
  const outer = { table: 'shares', where: '(id, title) IN (SELECT name::int, title FROM notes)' };
  const follower = await new ShapeFollower(service.shapeUrl, outer).catchUp();
  const inner = await new ShapeFollower(service.shapeUrl, { table: 'notes', columns: 'id,name,title' }).catchUp();
  const first = [...follower.rows.keys()];
  const place = placeOf(follower);

  await database.query("INSERT INTO notes VALUES (2, 'x', 'One'); DELETE FROM notes WHERE id = 2");
  await database.query("UPDATE notes SET name = 'x' WHERE id = 1");
  await expect.poll(async () => (await answerTo({ ...outer, ...place }))[0]).toBe(400);
  const refused = await answerTo({ ...outer, offset: '-1' });
  await database.query("UPDATE notes SET name = '2', title = 'two' WHERE id = 1");
  await expect.poll(async () => (await answerTo({ ...outer, offset: '-1' }))[0]).toBe(200); // The stream brings it a moment later.
  const again = await new ShapeFollower(service.shapeUrl, outer).catchUp();

  expect({ first, refused, again: [...again.rows.keys()], innerRefetches: (await inner.catchUp()).refetches }).toEqual({
    first: ['"public"."shares"/"1"'],
    refused: refusal('22P02', 'invalid input syntax for type integer: "x"'),
    again: ['"public"."shares"/"2"'],
    innerRefetches: 0,
  });
});

test('a row in which the filter of a subquery has an error ends the shapes that look it up, whose clients hear the same', async () => {
  const outer = { table: 'shares', where: 'id IN (SELECT id FROM owners WHERE 100 / stake > 10)' };
  const follower = await new ShapeFollower(service.shapeUrl, outer).catchUp();
  const first = [...follower.rows.keys()];
  const place = placeOf(follower);

  await database.query('INSERT INTO owners VALUES (3, 0)');
  await expect.poll(async () => (await answerTo({ ...outer, ...place }))[0]).toBe(400);
  const refused = await answerTo({ ...outer, offset: '-1' });
  await database.query('DELETE FROM owners WHERE id = 3');
  const again = await answerTo({ ...outer, offset: '-1' });

  expect({ first, refused, again, told: failedFilters().filter(({ table }) => table === 'public.owners').length > 0 }).toEqual({
    first: ['"public"."shares"/"1"'], refused: DIVISION, again: [200, undefined], told: true,
  });
});
