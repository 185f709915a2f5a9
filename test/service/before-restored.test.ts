/** What is stored is served as soon as it is known, while nobody follows it yet: a reader waits for no other shape. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower, type ShapeResponse } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const PLAIN = { table: 'items' };
const OUTER = { table: 'items', where: 'parent IN (SELECT id FROM parents WHERE active)' };
let database: TestDatabase;
let service: ServiceInProcess;
let directory: string;

beforeEach(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id integer PRIMARY KEY, active boolean); CREATE TABLE items (id integer PRIMARY KEY, parent integer);
    INSERT INTO parents VALUES (1, true); INSERT INTO items VALUES (10, 1), (20, 2)`);
  directory = temporaryDirectory();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory } });
});

afterEach(async () => {
  await service.remove();
  removeDirectory(directory);
  await database.drop();
});

/** A client of each, when all their first rows are stored, and those of the inner shape: nothing less comes back. */
async function stored(): Promise<readonly ShapeFollower[]> {
  let left = 3;
  const areComplete = new Promise<void>((done) => {
    service.runtime.trace((record) => {
      if (record.type !== 'deliver' || record.message.type !== 'snapshot.completed' || record.to.includes('snapshotter')) return;
      left -= 1;
      if (left === 0) done();
    });
  });
  const followers = await Promise.all([PLAIN, OUTER].map((params) => new ShapeFollower(service.shapeUrl, params).catchUp()));
  await areComplete;
  return followers;
}

/** All processes of shapes begin anew, up to where no Consumer is there. @returns how they go on. */
async function restartUntilKnown(): Promise<() => Promise<void>> {
  const { runtime } = service;
  await new Promise<void>((done) => {
    const stop = runtime.trace((record) => {
      if (record.type !== 'deliver' || record.message.type !== 'shapes.entered') return;
      runtime.suspend('@consumers');
      stop();
      done();
    });
    runtime.exit('@shape-cache', 'kill');
  });
  return async () => {
    runtime.resume('@consumers');
    await runtime.call('@status-monitor', { type: 'awaitActive' }, 20_000);
  };
}

const read = (params: Readonly<Record<string, string>>): Promise<ShapeResponse> => readShape(service.shapeUrl, params);

test('a shape, and one that depends on others, is read from the start and from its end, and a live request gets what comes', async () => {
  const followers = await stored();
  const goOn = await restartUntilKnown();

  const fromStart = await Promise.all([PLAIN, OUTER].map((params) => read({ ...params, offset: '-1' })));
  const fromEnd = await Promise.all(followers.map((follower) => follower.catchUp()));
  const level = service.status();
  const live = followers.map((follower) => follower.poll());
  await database.query('INSERT INTO items VALUES (30, 1)');
  await goOn();
  await Promise.all(live);
  for (const follower of followers) await expect.poll(async () => (await follower.catchUp()).rows.has('"public"."items"/"30"')).toBe(true);

  const started = fromStart.map(({ status, handle }) => ({ status, handle }));
  expect({ level, started, refetches: fromEnd.map((each) => each.refetches) }).toEqual({
    level: { level: 'starting', isReadable: true, why: 'Timeout waiting for shape metadata to be loaded' },
    started: followers.map(({ handle }) => ({ status: 200, handle })),
    refetches: [0, 0],
  });
});

test('one that is damaged is condemned by its first reader, and the others come back', async () => {
  const [damaged, whole] = await stored();
  const goOn = await restartUntilKnown();
  flipBit(damaged?.handle);

  const { status } = await read({ ...PLAIN, offset: '-1' });
  await goOn();
  const [anew, kept] = [await read({ ...PLAIN, offset: '-1' }), await read({ ...OUTER, offset: '-1' })];

  expect({ status, anew: [anew.status, anew.handle === damaged?.handle], kept: [kept.status, kept.handle === whole?.handle] }).toEqual({
    status: 409, anew: [200, false], kept: [200, true],
  });
});

function flipBit(handle: string | undefined): void {
  const shapes = join(directory, 'shapes');
  const name = readdirSync(shapes, { recursive: true, encoding: 'utf8' }).find((each) => each.includes(`${handle}.snapshot`)) ?? '';
  const bytes = readFileSync(join(shapes, name));
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  writeFileSync(join(shapes, name), bytes);
}
