/**
 * The network between a service and its Postgres is cut, and neither side is told: their connections stay open, and nothing comes out of
 * them any more. The service finds out, says so, and follows again; and who was cut off does not keep the lock from another instance.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startCuttableNetwork, type CuttableNetwork } from '../support/operations/cuttable-network.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { healthOf, spawnService, startServiceProcess, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const directory = mkdtempSync(join(tmpdir(), 'armature-cut-'));
const environment = { ARMATURE_DATABASE_TIMEOUT: '2s', ARMATURE_LONG_POLL_TIMEOUT: '1s' };
let database: TestDatabase;
let network: CuttableNetwork;
let nextId = 0;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
});
afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  network = await startCuttableNetwork(database.url);
});
afterEach(() => network.close());

const storage = (name: string) => ({ storageDirectory: join(directory, name), environment });
const insert = () => database.query(`INSERT INTO items VALUES (${(nextId += 1)})`);
const followerOf = ({ shapeUrl }: ServiceProcess) => new ShapeFollower(shapeUrl, { table: 'items' }).catchUp();
const untilStatus = (service: ServiceProcess, status: string) => expect.poll(() => healthOf(service), { timeout: 60_000 }).toBe(status);
const untilWhole = (follower: ShapeFollower) =>
  expect.poll(async () => (await follower.catchUp()).rows.size, { timeout: 60_000 }).toBe(nextId);

test('a service finds out that its network was cut, says so, follows again when it can, and ends well while it cannot', async () => {
  const service = await startServiceProcess({ databaseUrl: network.url, ...storage('one') });
  const follower = await followerOf(service);

  network.cut();
  await insert();
  await untilStatus(service, 'starting');
  const { cause } = (await (await fetch(`${service.url}/v1/health`)).json()) as { cause: string };
  const { handle = '', offset } = follower;
  const live = await readShape(service.shapeUrl, { table: 'items', handle, offset, live: 'true' });
  const stored = await followerOf(service);
  network.mend();
  await untilActive(service);
  await untilWhole(follower);
  const fresh = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id > 0' }).catchUp();
  network.cut();
  const exit = await service.stop();

  expect({
    cause, live: [live.status, live.text], stored: stored.handle, refetches: follower.refetches, fresh: fresh.rows.size, exit,
  }).toEqual({
    cause: expect.stringMatching(
      /^Postgres (does not answer queries|cannot be asked for the lock) since |^a session that this service has lost still holds the lock/,
    ),
    live: [503, expect.stringContaining('"code":"not_up_to_date"')],
    stored: follower.handle, refetches: 0, fresh: nextId, exit: 0,
  });
});

test('the lock of a holder that was cut off is had by the next, which ends its stream; it starts over behind that', async () => {
  const first = await startServiceProcess({ databaseUrl: network.url, ...storage('first') });
  const follower = await followerOf(first);
  const second = await spawnService({ databaseUrl: database.url, ...storage('second') });
  await untilStatus(second, 'waiting');

  network.cut();
  await untilActive(second);
  await insert();
  const other = await followerOf(second);
  await untilStatus(first, 'starting');
  network.mend();
  await untilStatus(first, 'waiting');
  await second.stop();
  await untilActive(first);
  await untilWhole(follower);
  await first.stop();

  expect({ other: other.rows.size, refetches: follower.refetches }).toEqual({ other: nextId, refetches: 1 });
});

test('the lock of a holder that has gone without a word to Postgres is had by the next, on the same storage', async () => {
  const first = await startServiceProcess({ databaseUrl: network.url, ...storage('shared') });
  const follower = await followerOf(first);
  const second = await spawnService({ databaseUrl: database.url, ...storage('shared') });
  await untilStatus(second, 'waiting');

  network.cut();
  await first.kill();
  await insert();
  await untilActive(second);
  const moved = Object.assign(new ShapeFollower(second.shapeUrl, { table: 'items' }), {
    handle: follower.handle, offset: follower.offset, rows: follower.rows,
  });
  await untilWhole(moved);
  await second.stop();

  expect(moved.refetches).toBe(0);
});
