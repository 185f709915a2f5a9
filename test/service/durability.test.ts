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
/** Enough to go on while the service is away and comes back. */
const WRITES_PER_KILL = 1000;
const WRITES_PER_POLL = 50;
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

interface Writer {
  /** Lets it write so many further transactions, one right behind the other. */
  allow(transactions: number): void;
  /** Resolves once everything that was allowed is written. */
  end(): Promise<void>;
}

/** Writes while the test reads and kills, but not faster than readers of small chunks can follow on a busy machine. */
async function startWriting(seed: number): Promise<Writer> {
  const session = await database.session();
  const random = seededRandom(seed);
  let writing = Promise.resolve();
  const write = async (transactions: number): Promise<void> => {
    for (let left = transactions; left > 0; left -= 1) {
      await runTransaction((sql, values) => session.query(sql, values && [...values]), randomTransaction(random));
    }
  };
  return {
    allow(transactions) {
      writing = writing.then(() => write(transactions));
    },
    end: () => writing,
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
  const writer = await startWriting(5);
  writer.allow(WRITES_PER_KILL);
  const followers = [{}, { where: 'size > 10' }, { where: 'done = true', replica: 'full' }].map(
    (params) => new ShapeFollower(service.shapeUrl, { table: 'items', ...params }),
  );
  const random = seededRandom(9);
  await Promise.all(followers.map((follower) => follower.catchUp()));
  const handles = followers.map(({ handle }) => handle);

  for (let kill = 0; kill < KILLS; kill += 1) {
    for (let polls = random.below(12); polls > 0; polls -= 1) {
      writer.allow(WRITES_PER_POLL);
      await Promise.all(followers.map((follower) => follower.poll()));
    }
    writer.allow(WRITES_PER_KILL);
    await service.kill();
    service = await start();
    for (const follower of followers) await follower.verifyServed(10);
  }
  await writer.end();
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
