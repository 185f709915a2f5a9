/** Bytes that rot under a running service: nothing wrong is served, and whoever asks again gets a fresh shape. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Shape, ShapeStream, type Row } from '@electric-sql/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const ROWS = 300;
const PARAMS = { table: 'items', offset: '-1' };
let database: TestDatabase;
let service: ServiceInProcess;
let directory: string;

beforeEach(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, title text)');
  await database.query(`INSERT INTO items SELECT id, repeat(id::text, 2000) FROM generate_series(1, ${ROWS}) AS id`);
  directory = temporaryDirectory();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory } });
});

afterEach(async () => {
  await service.remove();
  removeDirectory(directory);
  await database.drop();
});

/** Flips a bit of the snapshot. @param share how far into the file. */
function damageSnapshot(handle: string | null, share: number): void {
  const shapes = join(directory, 'shapes');
  const path = join(
    shapes,
    readdirSync(shapes, { recursive: true, encoding: 'utf8' }).find((name) => name.includes(`${handle}.snapshot`)) ?? '',
  );
  const bytes = readFileSync(path);
  const at = Math.floor(share * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

test.each([
  { where: 'the first piece', share: 0.01, answer: { status: 409, isLed: true } },
  { where: 'the last piece', share: 0.99, answer: 'broken off' },
])('a snapshot that is damaged in $where is never served wrong, and made anew for the next', async ({ share, answer }) => {
  const before = await readShape(service.shapeUrl, PARAMS);
  damageSnapshot(before.handle, share);
  const damaged = await readShape(service.shapeUrl, PARAMS).catch(() => undefined);
  const after = await readShape(service.shapeUrl, PARAMS);
  const old = await readShape(service.shapeUrl, { table: 'items', offset: before.offset ?? '', handle: before.handle ?? '' });

  const told = damaged === undefined ? 'broken off' : { status: damaged.status, isLed: damaged.handle === after.handle };
  expect({ damaged: told, status: after.status, isNew: after.handle !== before.handle, old: old.status, next: old.handle }).toEqual({
    damaged: answer,
    status: 200,
    isNew: true,
    old: 409,
    next: after.handle,
  });
  expect(after.messages.filter(({ key }) => key !== undefined).map(({ key, value }) => [key, value])).toEqual(
    before.messages.filter(({ key }) => key !== undefined).map(({ key, value }) => [key, value]),
  );
});

test.each([
  { where: 'the first piece', share: 0.01 },
  { where: 'the last piece', share: 0.99 },
])('the client that people use gets every row all the same, with damage in $where', async ({ share }) => {
  const { handle } = await readShape(service.shapeUrl, PARAMS);
  damageSnapshot(handle, share);
  const leaving = new AbortController();
  const onError = () => ({}); // It tries again after a body that broke off only when it is told to.
  const stream = new ShapeStream<Row>({ url: service.shapeUrl, params: { table: 'items' }, signal: leaving.signal, onError });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  const rows = await new Shape<Row>(stream).rows;
  leaving.abort();

  expect(rows.map(({ id }) => Number(id)).sort((left, right) => left - right)).toEqual(
    Array.from({ length: ROWS }, (_, index) => index + 1),
  );
});
