/** Large values and large transactions reach a client whole, by snapshot and by stream, and disturb no other shape. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const VALUE_CHARACTERS = 5_000_000;
const ROWS = 200_000;

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE documents (id integer PRIMARY KEY, note text, body text)');
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, size integer)');
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'shape-chunk-bytes-threshold': '1000000' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

const HASHES = "SELECT id::text, note, md5(body) AS body FROM documents ORDER BY documents.id";

function hashed(follower: ShapeFollower): unknown[] {
  return follower.sorted().map(({ body, ...row }) => ({ ...row, body: createHash('md5').update(body ?? '').digest('hex') }));
}

/** 25 characters, again and again: some that JSON escapes, some of several bytes. */
function insertDocument(id: number): Promise<unknown> {
  return database.query(
    `INSERT INTO documents VALUES (${id}, 'new', repeat(E'plain "quoted" \\\\ \\n žluť 🐎', ${VALUE_CHARACTERS} / 25) || ${id})`,
  );
}

test(`values of ${VALUE_CHARACTERS} characters, by snapshot and by stream, also where an update leaves them out`, async () => {
  await insertDocument(1);
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'documents' }).catchUp();
  await insertDocument(2);
  await database.query("UPDATE documents SET note = 'changed'");
  await database.query("UPDATE documents SET body = body || '!' WHERE id = 1");

  await expect.poll(async () => hashed(await follower.catchUp())).toEqual(await database.query(HASHES));
  const later = await new ShapeFollower(service.shapeUrl, { table: 'documents' }).catchUp();
  expect({ handle: later.handle, documents: hashed(later) }).toEqual({ handle: follower.handle, documents: hashed(follower) });
});

test(`a transaction of ${ROWS} rows comes whole, and one that is rolled back not at all`, async () => {
  const [all, few] = await Promise.all(
    [{}, { where: 'size = 7' }].map((params) => new ShapeFollower(service.shapeUrl, { table: 'items', ...params }).catchUp()),
  );
  await database.query(`BEGIN; INSERT INTO items SELECT -n, 7 FROM generate_series(1, ${ROWS}) AS n; ROLLBACK`);
  await database.query(`INSERT INTO items SELECT n, n % 1000 FROM generate_series(1, ${ROWS}) AS n`);

  await expect.poll(async () => (await few?.catchUp())?.rows.size).toBe(ROWS / 1000);
  await all?.catchUp();
  expect({ rows: all?.rows.size, sum: [...(all?.rows.values() ?? [])].reduce((sum, { size }) => sum + Number(size), 0) }).toEqual({
    rows: ROWS,
    sum: (ROWS / 1000) * ((999 * 1000) / 2),
  });
});
