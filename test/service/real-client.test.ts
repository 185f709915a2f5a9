/** The client that people use, from npm, against the built service as a child process: its rows equal SELECT. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shape, ShapeStream, type Row } from '@electric-sql/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { randomTransaction, runTransaction, WRITTEN_TABLE } from '../support/service/random-writes.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';

let database: TestDatabase;
let service: ServiceProcess;
const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-client-'));
const leaving = new AbortController();

beforeAll(async () => {
  database = await createDatabase();
  await database.query(WRITTEN_TABLE);
  service = await startServiceProcess({
    databaseUrl: database.url,
    storageDirectory,
    environment: { ARMATURE_LONG_POLL_TIMEOUT: '2000' },
  });
});

afterAll(async () => {
  leaving.abort();
  await service.stop();
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

function follow(params: Record<string, string>) {
  const stream = new ShapeStream<Row>({ url: service.shapeUrl, params: { table: 'items', ...params }, signal: leaving.signal });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  return { stream, shape: new Shape<Row>(stream) };
}

function sortedRows(shape: Shape<Row>): unknown[] {
  return [...shape.currentRows].sort((left, right) => Number(left['id']) - Number(right['id']));
}

async function write(seed: number, transactions: number): Promise<void> {
  const session = await database.session();
  const random = seededRandom(seed);
  for (let count = 0; count < transactions; count += 1) {
    await runTransaction((sql, values) => session.query(sql, values && [...values]), randomTransaction(random));
  }
}

test.each([
  { filter: 'every row', params: {}, where: 'true' },
  { filter: 'rows that cross the border', params: { where: 'size > 8' }, where: 'size > 8' },
  { filter: 'whole old rows', params: { replica: 'full', where: 'done = true' }, where: 'done' },
  {
    filter: 'a parameter',
    params: { where: 'id = $1 OR title = $2', 'params[1]': '7', 'params[2]': 'plain' },
    where: "id = 7 OR title = 'plain'",
  },
])('a client that follows $filter has the rows that SELECT answers', async ({ params, where }) => {
  await write(1, 20);
  const { shape } = follow(params);
  await shape.rows;
  await write(2, 60);
  const expected = await database.query(`SELECT id, title, size, done FROM items WHERE ${where} ORDER BY id`);
  await expect.poll(() => sortedRows(shape)).toEqual(expected);
});

test('a truncate empties every client, and what comes after it arrives', async () => {
  await write(3, 10);
  const { shape } = follow({});
  await shape.rows;
  await database.query("TRUNCATE items; INSERT INTO items (id, title, size) VALUES (1, 'after', 1)");
  await expect
    .poll(() => sortedRows(shape))
    .toEqual([{ id: 1, title: 'after', size: 1, done: false }]);
});

test('two clients of one shape share a handle', async () => {
  const [left, right] = [follow({ where: 'size < 50' }), follow({ where: 'size  <  50' })];
  await Promise.all([left.shape.rows, right.shape.rows]);
  expect(left.stream.shapeHandle).toBe(right.stream.shapeHandle);
});
