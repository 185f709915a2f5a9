/**
 * Two instances, beyond a rolling deploy: the first is killed, stands still, or is cut off from Postgres while a second one has a storage
 * of its own. Whoever has lost the lock streams no more, says who has it, and serves what it has stored.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLine } from '../support/operations/line.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, spawnService, startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-pair-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')");
});

afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

const causeOf = async ({ url }: ServiceProcess) => ((await (await fetch(`${url}/v1/health`)).json()) as { cause?: string }).cause;
const untilWaiting = (service: ServiceProcess) => expect.poll(() => healthOf(service)).toBe('waiting');

const environment = { ARMATURE_DATABASE_TIMEOUT: '2s' };
/** Postgres hears nothing of a holder that stands still, and has ended its session by then. */
const LOCK_IS_FREE = `
  SELECT WHERE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid IN (
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'armature lock'))`;

/** Who goes on elsewhere than `before`. */
function reader({ shapeUrl }: ServiceProcess, before?: ShapeFollower): ShapeFollower {
  const { handle, offset = '-1', rows } = before ?? {};
  return Object.assign(new ShapeFollower(shapeUrl, { table: 'items' }), { handle, offset, rows: new Map(rows) });
}

const count = async () => Number((await database.query<{ count: string }>('SELECT count(*) FROM items'))[0]?.count);
const untilWhole = (follower: ShapeFollower) =>
  expect.poll(async () => (await follower.catchUp()).rows.size === (await count())).toBe(true);

test('the second takes over the storage of a first that is killed, also beside an open transaction, and clients carry on', async () => {
  const options = { databaseUrl: database.url, storageDirectory: join(directory, 'shared') };
  const first = await startServiceProcess(options);
  const second = await spawnService(options);
  await untilWaiting(second);
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  await database.query("INSERT INTO items VALUES (2, 'before the kill')");
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
  const open = await database.session();
  await open.query("BEGIN; INSERT INTO items VALUES (4, 'open meanwhile')");
  await first.kill();
  await database.query("INSERT INTO items VALUES (3, 'behind it')");

  await untilActive(second);
  const moved = new ShapeFollower(second.shapeUrl, { table: 'items' });
  Object.assign(moved, { handle: follower.handle, offset: follower.offset });
  await expect.poll(async () => (await moved.catchUp()).rows.size).toBe(1);
  await open.query('COMMIT');
  await expect.poll(async () => (await moved.catchUp()).rows.size).toBe(2);
  await second.stop();

  expect({ refetches: moved.refetches, rows: moved.sorted() }).toEqual({
    refetches: 0, rows: [{ id: '3', title: 'behind it' }, { id: '4', title: 'open meanwhile' }],
  });
});

test('a leader that was cut off and comes back steps down for the one that has the lock, and starts over behind it', async () => {
  const line = await startLine(database.url);
  const first = await startServiceProcess({ databaseUrl: line.url, storageDirectory: join(directory, 'first') });
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  const second = await spawnService({ databaseUrl: database.url, storageDirectory: join(directory, 'second') });
  await untilWaiting(second);

  line.cut();
  await untilActive(second);
  await expect.poll(() => healthOf(first)).toBe('starting');
  line.mend();
  await untilWaiting(first);
  await expect.poll(() => causeOf(first)).toMatch(
    /^another instance holds the lock of \w+: process \d+ of Postgres, application "armature lock", from 127\.0\.0\.1, connected since /,
  );
  await expect.poll(() => first.output()).toContain('lock.awaited');
  const stored = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  await second.stop();
  await untilActive(first);
  await follower.catchUp();
  await first.stop();
  await line.close();

  expect({ stored: stored.handle, refetches: follower.refetches, rows: follower.rows.size }).toEqual({
    stored: expect.any(String),
    refetches: 1,
    rows: 4,
  });
});

test('a leader that is cut off makes room for one on the same storage that is not, and stands by behind it', async () => {
  const line = await startLine(database.url);
  const storageDirectory = join(directory, 'left');
  const first = await startServiceProcess({ databaseUrl: line.url, storageDirectory, environment });
  const second = await spawnService({ databaseUrl: database.url, storageDirectory, environment });
  await untilWaiting(second);
  const follower = await reader(first).catchUp();

  line.cut();
  await database.query("INSERT INTO items VALUES (20, 'while the first is cut off')");
  await untilActive(second);
  await expect.poll(() => causeOf(first)).toContain(`another instance works in the storage: process ${second.child.pid}`);
  const moved = reader(second, follower);
  await untilWhole(moved);
  const stored = await reader(first, follower).catchUp();
  line.mend();
  await untilWaiting(first);
  await database.query("INSERT INTO items VALUES (21, 'through the second')");
  await untilWhole(moved);
  await second.kill();
  await untilActive(first);
  const back = reader(first, moved);
  await database.query("INSERT INTO items VALUES (22, 'through the first again')");
  await untilWhole(back);
  await first.stop();
  await line.close();

  expect({ refetches: [moved, stored, back].map(({ refetches }) => refetches), told: first.output() }).toEqual({
    refetches: [0, 0, 0],
    told: expect.stringContaining(`"pid":${second.child.pid}`),
  });
});

test('a holder that stands still for longer than its lease has lost the lock, and starts over behind who had it meanwhile', async () => {
  const first = await startServiceProcess({ databaseUrl: database.url, storageDirectory: join(directory, 'still'), environment });
  const follower = await reader(first).catchUp();
  const second = await spawnService({ databaseUrl: database.url, storageDirectory: join(directory, 'moving'), environment });
  await untilWaiting(second);

  first.child.kill('SIGSTOP');
  await untilActive(second);
  await database.query("INSERT INTO items VALUES (10, 'meanwhile')");
  const other = reader(second);
  await untilWhole(other);
  first.child.kill('SIGCONT');
  await untilWaiting(first);
  await database.query("INSERT INTO items VALUES (11, 'with both')");
  await untilWhole(other);
  await second.stop();
  await untilActive(first);
  await untilWhole(follower);
  await first.stop();

  expect({ refetches: [follower.refetches, other.refetches] }).toEqual({ refetches: [1, 0] });
});

test('nobody takes the storage from a holder that stands still: it takes the lock again, and its clients carry on', async () => {
  const options = { databaseUrl: database.url, storageDirectory: join(directory, 'kept'), environment };
  const first = await startServiceProcess(options);
  const follower = await reader(first).catchUp();
  const second = await spawnService(options);
  await untilWaiting(second);

  first.child.kill('SIGSTOP');
  await database.until(LOCK_IS_FREE);
  await database.query("INSERT INTO items VALUES (12, 'meanwhile')");
  const meanwhile = await healthOf(second);
  first.child.kill('SIGCONT');
  await untilWhole(follower);
  await untilActive(first);
  await first.stop();
  await untilActive(second);
  const moved = reader(second, follower);
  await untilWhole(moved);
  await second.stop();

  expect({ meanwhile, refetches: [follower.refetches, moved.refetches] }).toEqual({ meanwhile: 'waiting', refetches: [0, 0] });
});

test('the holder is killed under load, and who takes over is told to end at any moment of that: the next goes on', async () => {
  const options = { databaseUrl: database.url, storageDirectory: join(directory, 'under-load') };
  let holder = await startServiceProcess(options);
  let follower = await reader(holder).catchUp();
  const writer = await database.session();
  const stopped = new AbortController();
  const writing = (async () => {
    for (let id = 1000; !stopped.signal.aborted; id += 1) await writer.query(`INSERT INTO items VALUES (${id}, 'under load')`);
  })();
  const exits: (number | null)[] = [];
  let refetches = 0;

  for (const moment of ['storage.opening', 'lock.acquired']) {
    const [second, third] = [await spawnService(options), await spawnService(options)];
    await Promise.all([second, third].map(untilWaiting));
    await follower.catchUp();
    await holder.kill();
    const taking = await Promise.race([second, third].map(async (service) => {
      await expect.poll(() => service.output().includes(`"${moment}"`), { timeout: 30_000, interval: 5 }).toBe(true);
      return service;
    }));
    exits.push(await taking.stop());
    holder = taking === second ? third : second;
    await untilActive(holder);
    refetches += follower.refetches;
    follower = await reader(holder, follower).catchUp();
  }
  stopped.abort();
  await writing;
  await untilWhole(follower);
  await holder.stop();

  expect({ exits, refetches: refetches + follower.refetches }).toEqual({ exits: [0, 0], refetches: 0 });
});
