/**
 * Tables that change under their shapes: a shape that the change concerns is over (409) and comes back as the table is
 * now; one that it does not concern goes on; and what cannot be served is refused with a reason, never with a 500.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../../support/service/service.ts';
import { readShape, ShapeFollower, type ShapeResponse } from '../../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let table = '';
let tables = 0;

beforeAll(async () => {
  database = await createDatabase();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '5000' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  tables += 1;
  table = `changing_${tables}`;
  await database.query(
    `CREATE TABLE ${table} (id integer PRIMARY KEY, title text, size integer); INSERT INTO ${table} VALUES (1, 'one', 10)`,
  );
});

interface Following {
  readonly follower: ShapeFollower;
  /** A live request that waits for what comes. */
  readonly next: Promise<ShapeResponse>;
}

async function follow(params: Readonly<Record<string, string>>): Promise<Following> {
  const follower = await new ShapeFollower(service.shapeUrl, { table, ...params }).catchUp();
  const { handle = '', offset } = follower;
  return { follower, next: readShape(service.shapeUrl, { table, ...params, offset, handle, live: 'true' }) };
}

/** Asks from the start, as a client does after a 409: again, as long as it is sent away. */
async function anew(params: Readonly<Record<string, string>>): Promise<{ status: number; text: string; rows: unknown[] }> {
  for (let attempt = 0; ; attempt += 1) {
    const { status, text, messages } = await readShape(service.shapeUrl, { table, ...params, offset: '-1' });
    if (status !== 409 || attempt === 3)
      return { status, text, rows: messages.map(({ value }) => value).filter((value) => value !== undefined) };
  }
}

test('a column is added: over for a shape of all columns, nothing for one that names its own', async () => {
  const [all, named] = [await follow({}), await follow({ columns: 'id,title' })];

  await database.query(`ALTER TABLE ${table} ADD COLUMN extra text DEFAULT 'x'; INSERT INTO ${table} VALUES (2, 'two', 20, 'y')`);

  const [overAll, goesOn] = [await all.next, await named.next];
  const after = await all.follower.catchUp();
  await named.follower.catchUp();
  expect({
    all: [overAll.status, after.sorted()],
    named: [goesOn.status, named.follower.refetches, named.follower.sorted()],
  }).toEqual({
    all: [409, [{ id: '1', title: 'one', size: '10', extra: 'x' }, { id: '2', title: 'two', size: '20', extra: 'y' }]],
    named: [200, 0, [{ id: '1', title: 'one' }, { id: '2', title: 'two' }]],
  });
});

test('a column is dropped: over for whoever reads it, in rows or filter, and then it is unknown', async () => {
  const [all, selected, filtered, other] = [
    await follow({}),
    await follow({ columns: 'id,size' }),
    await follow({ columns: 'id,title', where: 'size > 5' }),
    await follow({ columns: 'id,title' }),
  ];

  await database.query(`ALTER TABLE ${table} DROP COLUMN size; INSERT INTO ${table} VALUES (2, 'two')`);

  const statuses = (await Promise.all([all, selected, filtered, other].map(({ next }) => next))).map(({ status }) => status);
  const answers = [await anew({}), await anew({ columns: 'id,size' }), await anew({ columns: 'id,title', where: 'size > 5' })];
  expect({ statuses, answers, goesOn: (await other.follower.catchUp()).sorted() }).toEqual({
    statuses: [409, 409, 409, 200],
    answers: [
      { status: 200, text: expect.any(String) as unknown, rows: [{ id: '1', title: 'one' }, { id: '2', title: 'two' }] },
      { status: 400, text: expect.stringContaining('size') as unknown, rows: [] },
      { status: 400, text: expect.stringContaining('size') as unknown, rows: [] },
    ],
    goesOn: [{ id: '1', title: 'one' }, { id: '2', title: 'two' }],
  });
});

test('a column gets another type: over for whoever reads it, and its values come as they are now', async () => {
  const [all, other] = [await follow({}), await follow({ columns: 'id,title' })];

  await database.query(`ALTER TABLE ${table} ALTER COLUMN size TYPE numeric USING size / 4.0; INSERT INTO ${table} VALUES (2, 'two', 0.5)`);

  const [over, goesOn] = [await all.next, await other.next];
  const { rows } = await anew({});
  expect({ statuses: [over.status, goesOn.status], sizes: rows.map((row) => (row as { size: string }).size) }).toEqual({
    statuses: [409, 200],
    sizes: [expect.stringMatching(/^2\.50*$/), '0.5'],
  });
});

test('a table is renamed: over, and found under its new name alone', async () => {
  const { next } = await follow({});

  await database.query(`ALTER TABLE ${table} RENAME TO ${table}_new; INSERT INTO ${table}_new VALUES (2, 'two', 20)`);

  const over = await next;
  const old = await anew({});
  table = `${table}_new`;
  const renamed = await anew({});
  expect({ over: over.status, old: [old.status, old.text], renamed: [renamed.status, renamed.rows.length] }).toEqual({
    over: 409,
    old: [400, expect.stringContaining('does not exist')],
    renamed: [200, 2],
  });
});

test('a table is dropped and made anew: a new shape is of the new table, and the old one is over with its first write', async () => {
  const { next } = await follow({});

  await database.query(`DROP TABLE ${table}; CREATE TABLE ${table} (id integer PRIMARY KEY, title text, size integer)`);
  const fresh = await follow({ where: 'id > 0' });
  await database.query(`INSERT INTO ${table} VALUES (7, 'new', 70)`);

  const [over, live] = [await next, await fresh.next];
  expect({ over: over.status, rows: (await anew({})).rows, live: live.messages[0]?.value }).toEqual({
    over: 409,
    rows: [{ id: '7', title: 'new', size: '70' }],
    live: { id: '7', title: 'new', size: '70' },
  });
});

test('a table changes and nobody writes to it: a new shape is of the table as it is', async () => {
  await follow({});
  await database.query(`ALTER TABLE ${table} ADD COLUMN extra boolean, ALTER COLUMN size TYPE text`);

  const response = await fetch(`${service.shapeUrl}?table=${table}&offset=-1&where=id%20%3E%200`);
  const asked = response.status === 409 ? await fetch(`${service.shapeUrl}?table=${table}&offset=-1&where=id%20%3E%200`) : response;

  const schema = JSON.parse(asked.headers.get('electric-schema') ?? '{}') as Record<string, { type: string }>;
  expect(Object.entries(schema).map(([name, { type }]) => `${name} ${type}`)).toEqual(['id int4', 'title text', 'size text', 'extra bool']);
});

test('a table is dropped: a shape that is asked for of what is still remembered is refused, first 409, then 400', async () => {
  await follow({});
  await database.query(`DROP TABLE ${table}`);

  const answers = [];
  for (const where of ['id = 1', 'id = 1', 'id = 2']) answers.push(await readShape(service.shapeUrl, { table, where, offset: '-1' }));

  expect(answers.map(({ status }) => status)).toEqual([409, 400, 400]);
});
