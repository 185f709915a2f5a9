/** Who does not keep pace, in the running service: shapes before a large transaction, and one that is held still. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NumberedRecord } from '../../src/otp/kernel/trace.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { QuickClock } from '../support/service/quick-clock.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;
let clock: QuickClock;

beforeEach(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY, owner integer, title text)');
  clock = new QuickClock();
  service = await startServiceInProcess({ databaseUrl: database.url, world: { clock } });
});

afterEach(async () => {
  await service.remove();
  await database.drop();
});

async function follow(where: string): Promise<ShapeFollower> {
  return await new ShapeFollower(service.shapeUrl, { table: 'items', where }).catchUp();
}

async function rowsOf(followers: readonly ShapeFollower[]): Promise<number[]> {
  await Promise.all(followers.map((follower) => follower.catchUp()));
  return followers.map(({ rows }) => rows.size);
}

const OWNERS = 40;
const ROWS = 40_000;

test('a large transaction is routed once for all shapes, and each has its own rows of it', async () => {
  const followers = await Promise.all(Array.from({ length: OWNERS }, (_, owner) => follow(`owner = ${owner}`)));
  const told: NumberedRecord[] = [];
  const stop = service.runtime.trace((record) => void told.push(record));

  // In the order of their owners: a fragment touches few of them.
  await database.query(
    `INSERT INTO items SELECT n, n / ${ROWS / OWNERS}, repeat(md5(n::text), 3) FROM generate_series(0, ${ROWS - 1}) AS n`,
  );
  const whole = Array<number>(OWNERS).fill(ROWS / OWNERS);
  await expect.poll(() => rowsOf(followers), { interval: 500 }).toEqual(whole); // Who asks takes the service's time.
  stop();

  const count = (type: string) => told.filter((record) => record.type === 'deliver' && record.message.type === type).length;
  const [joined, fragments, loads] = [count('catchUp.joined'), count('fragment'), count('loadBlock')];
  // One that begins in a fragment ends in the next, and all who have begun hear of the end.
  const seen = { joined, areFew: fragments <= 3 * OWNERS, isReadOnce: loads < OWNERS };
  expect(seen).toEqual({ joined: OWNERS, areFew: true, isReadOnce: true });
});

test('a shape that was held still while a large transaction went by reads it alone, and nobody waits for others of its kind', async () => {
  const [still, other] = [await follow('owner = 1'), await follow('owner = 0')];
  const consumer = `@consumer/${still.handle}` as const;
  service.runtime.suspend(consumer);

  await database.query(`INSERT INTO items SELECT n, n % 2, repeat(md5(n::text), 3) FROM generate_series(1, ${ROWS}) AS n`);
  await expect.poll(() => rowsOf([other])).toEqual([ROWS / 2]);
  service.runtime.resume(consumer);
  await expect.poll(() => rowsOf([still])).toEqual([ROWS / 2]);

  const state = (name: `@${string}`) => service.runtime.processInfo(name)?.state;
  await expect.poll(() => state(consumer)).toMatchObject({ running: { ingest: 'live' } });
  expect([state('@catch-up-collector'), still.refetches, other.refetches]).toEqual(['idle', 0, 0]);
});

test('a shape that is held still keeps the others for a few seconds, and has everything once it goes on', async () => {
  const [still, other] = [await follow('owner = 1'), await follow('true')];
  clock.hurry();
  const consumer = `@consumer/${still.handle}` as const;
  service.runtime.suspend(consumer);

  for (const id of [1, 2]) {
    await database.query(`INSERT INTO items VALUES (${id}, 1, 'one')`);
    await expect.poll(() => rowsOf([other])).toEqual([id]);
  }
  const before = await rowsOf([still]);
  service.runtime.resume(consumer);
  await expect.poll(() => rowsOf([still])).toEqual([2]);
  await database.query("INSERT INTO items VALUES (3, 1, 'one')");
  await expect.poll(() => rowsOf([still, other])).toEqual([3, 3]);

  expect({ before, refetches: still.refetches, state: service.runtime.processInfo(consumer)?.state }).toMatchObject({
    before: [0],
    refetches: 0,
    state: { running: { ingest: 'live' } },
  });
});
