/** A filter that calculates, in service: it takes the rows that Postgres takes, and where that has an error its shape ends, no other. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TYPE mood AS ENUM ('sad', 'glad');
    CREATE TABLE shares (id int PRIMARY KEY, parts int, title text, tags text[], mood mood, lasts interval);
    INSERT INTO shares VALUES (1, 2, 'One', '{a,b}', 'glad', '1 day'), (2, 5, 'two', '{}', 'sad', '02:00')`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '500' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

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

test('a row of which a filter cannot be told ends its shape, and no other', async () => {
  const dividing = { table: 'shares', where: '100 / parts > 10' };
  const follower = await new ShapeFollower(service.shapeUrl, dividing).catchUp();
  const other = await new ShapeFollower(service.shapeUrl, { table: 'shares', where: 'parts >= 0' }).catchUp();
  const handle = new URLSearchParams({ ...dividing, offset: follower.offset, handle: follower.handle ?? '' });

  await database.query("INSERT INTO shares VALUES (10, 0, 'zero', NULL, NULL, NULL)");
  await expect.poll(async () => (await other.catchUp()).rows.has('"public"."shares"/"10"')).toBe(true);
  const ended = await fetch(`${service.shapeUrl}?${handle}`);
  const refused = await readShape(service.shapeUrl, { ...dividing, offset: '-1' });
  await database.query('DELETE FROM shares WHERE id = 10');
  const again = await readShape(service.shapeUrl, { ...dividing, offset: '-1' });

  expect({ ended: ended.status, refused: [refused.status, refused.text], again: again.status }).toEqual({
    ended: 409,
    refused: [500, expect.stringContaining('division by zero')],
    again: 200,
  });
});

test.each(['100 / parts > 1', 'parts IN (SELECT parts FROM shares WHERE 100 / parts > 1)'])(
  'first rows of which %s cannot be told are refused in the words of Postgres, said once',
  async (where) => {
    await database.query("INSERT INTO shares VALUES (11, 0, 'zero', NULL, NULL, NULL)");
    const { status, text } = await readShape(service.shapeUrl, { table: 'shares', where, offset: '-1' });
    await database.query('DELETE FROM shares WHERE id = 11');

    expect({ status, body: JSON.parse(text) }).toEqual({
      status: 500,
      body: { message: 'Unexpected error while creating snapshot: division by zero' },
    });
  },
);
