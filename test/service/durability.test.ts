/**
 * Killed at any moment, the service comes back with the same handles and the same bytes at the same offsets, and has
 * lost nothing and doubled nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { randomTransaction, runTransaction, WRITTEN_TABLE } from '../support/service/random-writes.ts';
import { freePort, startServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const KILLS = 20;
const storageDirectory = mkdtempSync(join(tmpdir(), 'armature-kills-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(WRITTEN_TABLE);
});

afterAll(async () => {
  await database.drop();
  rmSync(storageDirectory, { recursive: true, force: true });
});

/** Writes without a pause until told to stop. */
async function startWriting(seed: number): Promise<() => Promise<void>> {
  const session = await database.session();
  const random = seededRandom(seed);
  let isStopped = false;
  const writing = (async () => {
    while (!isStopped) {
      await runTransaction((sql, values) => session.query(sql, values && [...values]), randomTransaction(random));
    }
  })();
  return async () => {
    isStopped = true;
    await writing;
  };
}

test(`after kill -9 at ${KILLS} random moments under load, handles and served bytes are the same and rows equal SELECT`, async () => {
  const port = await freePort();
  const start = () =>
    startServiceProcess({
      databaseUrl: database.url,
      storageDirectory,
      port,
      environment: { ARMATURE_LONG_POLL_TIMEOUT: '500', ARMATURE_SHAPE_CHUNK_BYTES_THRESHOLD: '4000' },
    });
  let service = await start();
  const stopWriting = await startWriting(5);
  const followers = [{}, { where: 'size > 10' }, { where: 'done = true', replica: 'full' }].map(
    (params) => new ShapeFollower(service.shapeUrl, { table: 'items', ...params }),
  );
  const random = seededRandom(9);
  await Promise.all(followers.map((follower) => follower.catchUp()));
  const handles = followers.map(({ handle }) => handle);

  for (let kill = 0; kill < KILLS; kill += 1) {
    for (let polls = random.below(12); polls > 0; polls -= 1) {
      await Promise.all(followers.map((follower) => follower.poll()));
    }
    await service.kill();
    service = await start();
    for (const follower of followers) await follower.verifyServed(10);
  }
  await stopWriting();
  for (const follower of followers) await follower.verifyServed();
  const expected = await Promise.all(
    ['true', 'size > 10', 'done'].map((where) =>
      database.query(`SELECT id::text, title, size::text, done FROM items WHERE ${where} ORDER BY items.id`),
    ),
  );

  await expect
    .poll(
      async () => {
        await Promise.all(followers.map((follower) => follower.catchUp()));
        return followers.map((follower) => byId(follower).map(asSelected));
      },
      { timeout: 20_000 },
    )
    .toEqual(expected);
  expect({ handles: followers.map(({ handle }) => handle), refetches: followers.map(({ refetches }) => refetches) }).toEqual({
    handles,
    refetches: [0, 0, 0],
  });
  expect(await service.stop()).toBe(0);
}, 300_000);

type Row = Readonly<Record<string, string | null>>;

function byId(follower: ShapeFollower): Row[] {
  return [...follower.rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
}

function asSelected({ done, ...row }: Row): unknown {
  return { ...row, done: done === 't' || done === 'true' };
}
