/**
 * Nobody uses the database: all connections to it are closed, and the next request opens them and misses nothing, whatever has become of
 * the lock, the slot and Postgres meanwhile.
 *
 * One service lives through all of it, and falls asleep again before each test.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import pg from 'pg';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { urlWith } from '../support/operations/database-url.ts';
import { clusterDirectory } from '../support/postgres/cluster-directory.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import {
  freePort, healthOf, spawnService, startServiceProcess, untilActive, type ServiceProcess,
} from '../support/service/service-process.ts';
import { readShape, ShapeFollower, type ShapeResponse } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const directory = temporaryDirectory();
const ENVIRONMENT = { ARMATURE_REPLICATION_IDLE_TIMEOUT: '1s', ARMATURE_LONG_POLL_TIMEOUT: '3s' };

/** Of the service, not of the standby. */
const STANDBYS_ASKED_FOR = "SELECT FROM pg_stat_activity WHERE application_name = 'armature admin' AND query LIKE '%NOT granted%' LIMIT 1";

let port: number;
let postgres: EmbeddedPostgres;
let service: ServiceProcess;

const cluster = clusterDirectory();
const startServer = () => startPostgres({ directory: cluster, port, settings: { fsync: 'off' } });
const roleUrl = () => urlWith(postgres.url, { username: 'app', password: 'secret-word' });
const startService = (name: string, more = {}) => {
  const environment = { ...ENVIRONMENT, ...more };
  return startServiceProcess({ databaseUrl: roleUrl(), storageDirectory: `${directory}/${name}`, environment });
};

beforeAll(async () => {
  port = await freePort();
  postgres = await startServer();
  await query(`
    CREATE ROLE app LOGIN REPLICATION PASSWORD 'secret-word'; GRANT CREATE ON DATABASE postgres TO app;
    CREATE TABLE items (val text); INSERT INTO items VALUES ('at first'); ALTER TABLE items OWNER TO app`);
  service = await startService('storage');
});

beforeEach(() => untilAsleep());

afterAll(async () => {
  await service.stop();
  await postgres.stop();
  removeDirectory(directory);
});

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function sessions(): Promise<readonly Record<string, unknown>[]> {
  return await query("SELECT application_name, state FROM pg_stat_activity WHERE usename = 'app'");
}

function insert(val: string): Promise<unknown> {
  return query(`INSERT INTO items VALUES ('${val}')`);
}

async function untilAsleep(): Promise<void> {
  await expect.poll(sessions, { timeout: 20_000 }).toEqual([]);
  const count = (what: string): number => noted(what).length; // Postgres sees the end of a session before the log tells of all.
  const isTold = (): boolean => count('connections.closed') > count('connections.opened') + count('connections.overdue');
  await expect.poll(isTold, { timeout: 20_000 }).toBe(true);
}

/** The lines of the service's log that say so. */
function noted(what: string): readonly Record<string, unknown>[] {
  const lines = service.output().split('\n').filter((line) => line.includes(`"${what}"`));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Of a reader. */
interface Place {
  readonly handle: string;
  readonly offset: string;
}

/** At the end of the log, with all rows that it has by then. */
async function followed(): Promise<Place & { readonly values: readonly unknown[] }> {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  return { handle: follower.handle ?? '', offset: follower.offset, values: [...follower.rows.values()].map(({ val }) => val) };
}

const live = ({ handle, offset }: Place, { shapeUrl }: Pick<ServiceProcess, 'shapeUrl'> = service): Promise<ShapeResponse> => {
  return readShape(shapeUrl, { table: 'items', handle, offset, live: 'true' });
};
const nameOf = (session: Record<string, unknown>) => session['application_name'];
const valuesOf = ({ messages }: ShapeResponse) => messages.flatMap(({ value }) => (value === undefined ? [] : [value['val']]));

test('db-connection-scaledown: a request that hangs ends without what was written meanwhile, and the next one has it', async () => {
  const place = await followed();
  const awake = await sessions();
  const hanging = live(place);
  await untilAsleep();
  const health = await fetch(`${service.url}/v1/health`).then(async (response) => [response.status, await response.json()]);
  await insert('meanwhile');
  const ended = await hanging;

  const next = await live(place);

  const { wakingForMs } = noted('connections.opened').at(-1) ?? {};
  expect({
    awake,
    health,
    ended: [ended.status, ended.offset, ended.upToDate, valuesOf(ended)],
    next: [next.status, next.handle, valuesOf(next), next.messages[0]?.headers],
    wakingForMs,
  }).toEqual({
    awake: expect.arrayContaining([{ application_name: 'armature replication', state: 'active' }]) as unknown,
    health: [200, { status: 'active', cause: expect.stringMatching(/^the connections to Postgres are closed since /) as unknown }],
    ended: [200, '0_inf', true, []],
    next: [200, place.handle, ['meanwhile'], expect.objectContaining({ operation: 'insert', op_position: 0, last: true }) as unknown],
    wakingForMs: expect.any(Number) as unknown,
  });
});

test('db-connection-scaledown: many requests wake it once, and all of them have what was written meanwhile', async () => {
  const [slept, woken] = [noted('connections.closed').length, noted('connections.opened').length];
  await insert('for many');

  const all = await Promise.all(Array.from({ length: 20 }, () => followed()));

  expect({
    have: all.filter(({ values }) => values.includes('for many')).length,
    slept: noted('connections.closed').length - slept,
    woken: noted('connections.opened').length - woken,
  }).toEqual({ have: 20, slept: 0, woken: 1 });
});

test('db-connection-scaledown: with Postgres gone a request is refused, what is stored is served, and behind that it goes on', async () => {
  const before = await followed();
  await untilAsleep();
  await postgres.stop();
  const refused = await readShape(service.shapeUrl, { table: 'items', offset: '-1' });
  const stored = await followed();
  const health = await healthOf(service);
  postgres = await startServer();
  await insert('after the restart');
  await untilActive(service);

  const next = await live(before);

  expect({
    refused: [refused.status, JSON.parse(refused.text)],
    stored,
    health,
    next: [next.status, next.handle, valuesOf(next)],
    overdue: noted('connections.overdue').length,
  }).toEqual({
    refused: [503, { message: 'Database connection not available' }],
    stored: before,
    health: 'starting',
    next: [200, before.handle, ['after the restart']],
    overdue: 1,
  });
}, 30_000);

test('db-connection-scaledown: with another instance in its place it waits, as at a start, and starts over behind it', async () => {
  const { handle, offset } = await followed();
  await untilAsleep();
  const other = await startService('other', { ARMATURE_REPLICATION_IDLE_TIMEOUT: '0' });
  const refused = await readShape(service.shapeUrl, { table: 'items', where: "val = 'new'", offset: '-1' });
  const level = await healthOf(service);
  await insert('told to the other');
  await other.stop();
  await untilActive(service);

  const again = await live({ handle, offset });

  expect({
    refused: [refused.status, JSON.parse(refused.text)], level, again: [again.status, again.handle === handle],
    values: (await followed()).values.includes('told to the other'),
  }).toEqual({
    refused: [503, { message: 'Timeout waiting for Postgres lock acquisition' }], level: 'waiting', again: [409, false], values: true,
  });
}, 30_000);

test('db-connection-scaledown: an instance that stands by says nothing for it, and keeps it awake from the next request on', async () => {
  const place = await followed();
  await untilAsleep();
  const environment = { ...ENVIRONMENT, ARMATURE_LONG_POLL_TIMEOUT: '200ms' };
  const standby = await spawnService({ databaseUrl: roleUrl(), storageDirectory: `${directory}/storage`, environment });
  const polled = () => live(place, standby).then(({ status }) => status);
  await expect.poll(() => healthOf(standby), { timeout: 20_000 }).toBe('waiting');
  await expect.poll(polled, { timeout: 20_000 }).toBe(503);

  const slept = noted('connections.closed').length;
  await followed();
  await expect.poll(polled, { timeout: 20_000 }).toBe(200);
  await expect.poll(() => query(STANDBYS_ASKED_FOR), { timeout: 10_000 }).toHaveLength(1); // So nobody has used it for long.
  const [meanwhile, names] = [noted('connections.closed').length - slept, (await sessions()).map(nameOf)];
  await standby.stop();
  await untilAsleep();

  expect([meanwhile, names, noted('connections.closed').length - slept]).toEqual([
    0, expect.arrayContaining(['armature standby of electric_slot_postgres', 'armature replication']), 1,
  ]);
}, 60_000);

test('db-connection-scaledown: with its slot dropped it makes a new one, and all shapes start over', async () => {
  const place = await followed();
  await untilAsleep();
  await query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots');
  await insert('behind no slot');

  const next = await live(place);

  expect([next.status, (await followed()).values.includes('behind no slot')]).toEqual([409, true]);
});

test('db-connection-scaledown: asleep it ends at once and in good order', async () => {
  expect([await service.stop(), noted('connections.closed').length > 0]).toEqual([0, true]);
});
