/**
 * Two instances, beyond a rolling deploy: the first is killed, or cut off from Postgres while a second one has a storage of its own.
 * Whoever has lost the lock streams no more, says who has it, and serves what it has stored.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startRelay } from '../support/service/relay.ts';
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
  const url = new URL(database.url);
  let isCut = false;
  const relay = await startRelay({ host: url.hostname, port: Number(url.port) }, (client, upstream) => {
    if (isCut) client.destroy();
    else client.pipe(upstream).pipe(client);
  });
  url.port = String(relay.port);
  const first = await startServiceProcess({ databaseUrl: url.href, storageDirectory: join(directory, 'first') });
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  const second = await spawnService({ databaseUrl: database.url, storageDirectory: join(directory, 'second') });
  await untilWaiting(second);

  isCut = true;
  relay.breakConnections();
  await untilActive(second);
  const cut = await healthOf(first);
  isCut = false;
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
  await relay.close();

  expect({ cut, stored: stored.handle, refetches: follower.refetches, rows: follower.rows.size }).toEqual({
    cut: 'starting',
    stored: expect.any(String),
    refetches: 1,
    rows: 4,
  });
});
