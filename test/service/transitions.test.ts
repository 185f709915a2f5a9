/** What a transaction costs in the running service: transitions, as many for one row as for ten thousand. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventsOf } from '../support/service/delivered-events.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startMaterializer } from '../support/service/materializer.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const TRANSITIONS_MAX = 30;

let database: TestDatabase;
let service: ServiceInProcess;
let follower: ShapeFollower;
let lastId = 0;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, size integer)');
  service = await startServiceInProcess({ databaseUrl: database.url });
  follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** One transaction that inserts so many rows. @returns what its way through the service was made of. */
async function insert(rowCount: number): Promise<string[]> {
  const first = lastId + 1;
  lastId += rowCount;
  return await eventsOf(service.runtime, () =>
    database.query('INSERT INTO items SELECT n, n % 1000 FROM generate_series($1::integer, $2) AS n', [first, lastId]),
  );
}

async function insertEach(rowCounts: readonly number[]) {
  await expect.poll(() => service.runtime.printTree()).not.toContain('snapshotter/'); // Its end is no transaction's cost.
  const costs: string[][] = [];
  for (const rowCount of rowCounts) costs.push(await insert(rowCount));
  const { rows } = await follower.catchUp();
  const processes = [...new Set(costs.flat().map((event) => event.split(' ')[0]?.replace(follower.handle ?? '', 'shape')))].sort();
  // Where there is much to route, the collector stops now and then, so that everybody has a turn; and hears how far the disk has come.
  const transitions = costs.map((events) => events.filter((event) => !/ (block\.partlyRouted|log\.extended)$/.test(event)).length);
  return {
    processes,
    isSame: new Set(transitions).size === 1,
    isWithinBound: Math.max(...costs.map(({ length }) => length)) <= TRANSITIONS_MAX,
    rows: rows.size,
  };
}

test('of one shape', async () => {
  expect(await insertEach([1, 100, 10_000])).toEqual({
    processes: ['shape', 'shape-log-collector'],
    isSame: true,
    isWithinBound: true,
    rows: lastId,
  });
});

test('of one shape with a Materializer on it', async () => {
  await service.runtime.call(await startMaterializer(service.runtime, follower.handle ?? '', 'size'), { type: 'currentValues' });

  // It reads the shape's log in blocks of bounded size: a transaction of one block costs what a row costs.
  expect(await insertEach([1, 100, 1_000])).toEqual({
    processes: ['materializer/shape/size', 'shape', 'shape-log-collector'],
    isSame: true,
    isWithinBound: true,
    rows: lastId,
  });
});
