/**
 * What an operator may do to the role, the database and the limits of the server while a service follows: whatever Postgres says is told
 * by health, tried again, and over when it is taken back; the shapes go on, with what was written meanwhile.
 */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createRole, type RestrictedRole } from '../support/operations/restricted-role.ts';
import { type OwnCluster, startOwnCluster } from '../support/operations/own-cluster.ts';
import { TRANSACTION_TIMEOUT } from '../support/postgres/transaction-timeout.ts';
import { QuickClock } from '../support/service/quick-clock.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

/** Ten seconds take one: so does the wait behind a refusal that lasts until somebody mends it. */
const QUICKLY = 10;
/** One of each for the service, and one for somebody else. */
const SETTINGS = { max_wal_senders: '2', max_replication_slots: '2' };

let cluster: OwnCluster;
let role: RestrictedRole;
let service: ServiceInProcess;
let follower: ShapeFollower;
let rows = 0;
/** Of the database `postgres`: what is done to ours does not end it. */
let operator: pg.Client;

beforeAll(async () => {
  cluster = await startOwnCluster('CREATE TABLE items (id int PRIMARY KEY); CREATE TABLE secret (id int PRIMARY KEY)', SETTINGS);
  role = await createRole(cluster.database, 'REPLICATION');
  await cluster.database.query(`
    GRANT CREATE ON DATABASE ${cluster.database.name} TO ${role.name};
    ALTER TABLE items OWNER TO ${role.name}; ALTER TABLE secret OWNER TO ${role.name}`);
  const url = new URL(cluster.database.url);
  url.pathname = '/postgres';
  operator = new pg.Client({ connectionString: url.href });
  await operator.connect();
  const clock = new QuickClock(QUICKLY);
  const flags = { 'long-poll-timeout': '500', 'database-timeout': '30s' };
  service = await startServiceInProcess({ databaseUrl: role.url, flags, world: { clock } });
  clock.hurry();
  follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
});
afterAll(async () => {
  await service.remove();
  await operator.end();
  await role.drop();
  await cluster.remove();
});
beforeEach(async () => {
  await service.runtime.call('@status-monitor', { type: 'awaitActive' });
});

async function health(): Promise<{ status?: string; cause?: string }> {
  return (await (await fetch(`${service.url}/v1/health`)).json()) as { status?: string; cause?: string };
}

const WITHIN = { timeout: 20_000 };
const GOES_ON = { refetches: 0, health: { status: 'active' } };

async function goesOn(): Promise<unknown> {
  rows += 1;
  await cluster.database.query(`INSERT INTO items VALUES (${rows})`);
  await expect.poll(async () => (await follower.catchUp()).rows.size, WITHIN).toBe(rows);
  await service.runtime.call('@status-monitor', { type: 'awaitActive' }); // The stream may be back before the pools are.
  return { refetches: follower.refetches, health: await health() };
}

/** All sessions of the role, its stream too: those that come back find what has changed. */
async function endSessions(): Promise<void> {
  await operator.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role.name]);
}

interface Names {
  readonly user: string;
  readonly database: string;
}

interface Case {
  readonly what: string;
  readonly change: (names: Names) => string;
  readonly back: (names: Names) => string;
  readonly cause: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: 'may not replicate any more', cause: /^the replication stream is broken since .* to start WAL ?sender/i,
    change: ({ user }) => `ALTER ROLE ${user} NOREPLICATION`, back: ({ user }) => `ALTER ROLE ${user} REPLICATION`,
  },
  {
    what: 'has another password', cause: /password authentication failed/,
    change: ({ user }) => `ALTER ROLE ${user} PASSWORD 'other'`, back: ({ user }) => `ALTER ROLE ${user} PASSWORD 'secret-word'`,
  },
  {
    what: 'may not log in', cause: /is not permitted to log in/,
    change: ({ user }) => `ALTER ROLE ${user} NOLOGIN`, back: ({ user }) => `ALTER ROLE ${user} LOGIN`,
  },
  {
    what: 'may have no connection', cause: /too many connections for role/,
    change: ({ user }) => `ALTER ROLE ${user} CONNECTION LIMIT 0`, back: ({ user }) => `ALTER ROLE ${user} CONNECTION LIMIT -1`,
  },
  {
    what: 'may not connect', cause: /permission denied for database/,
    change: ({ database }) => `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`,
    back: ({ database }) => `GRANT CONNECT ON DATABASE ${database} TO PUBLIC`,
  },
  {
    what: 'is let in by no database', cause: /is not currently accepting connections/,
    change: ({ database }) => `ALTER DATABASE ${database} ALLOW_CONNECTIONS false`,
    back: ({ database }) => `ALTER DATABASE ${database} ALLOW_CONNECTIONS true`,
  },
];

test.each(CASES)('a role that $what: health says so, and the shapes go on when it is over', async ({ change, back, cause }) => {
  const names = { user: role.name, database: cluster.database.name };
  onTestFinished(async () => void (await operator.query(back(names)))); // Also when it fails, for those behind it.
  await operator.query(change(names));
  await endSessions();
  await expect.poll(health, WITHIN).toEqual({ status: 'starting', cause: expect.stringMatching(cause) as string });

  await operator.query(back(names));

  expect(await goesOn()).toEqual(GOES_ON);
});

/** Whoever ends its stream may be slower than the service is to begin another. */
async function takeSenders(): Promise<readonly pg.Client[]> {
  const url = new URL(cluster.database.url);
  url.searchParams.set('replication', 'database');
  const taken: pg.Client[] = [];
  while (taken.length < Number(SETTINGS.max_wal_senders)) {
    await operator.query("SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name LIKE 'armature%'");
    const client = new pg.Client({ connectionString: url.href });
    await client.connect().then(() => taken.push(client), () => client.end());
  }
  return taken;
}

test('a server without a WAL sender to spare: health says so, and the shapes go on when there is one', async () => {
  const others = await takeSenders();
  await expect.poll(health, WITHIN).toEqual({
    status: 'starting', cause: expect.stringMatching(/^the replication stream is broken since .*max_wal_senders/) as string,
  });

  await Promise.all(others.map((other) => other.end()));

  expect(await goesOn()).toEqual(GOES_ON);
});

test('a slot that was dropped, and none to spare: health says so, and the shapes start over when there is one', async () => {
  const [slot] = (await operator.query<{ slot_name: string }>('SELECT slot_name FROM pg_replication_slots')).rows;
  const take = `
    SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active;
    SELECT pg_drop_replication_slot('${slot?.slot_name}');
    SELECT pg_create_physical_replication_slot('one'), pg_create_physical_replication_slot('two')`;
  await expect.poll(() => operator.query(take).then(() => 'taken', (error: unknown) => String(error)), WITHIN).toBe('taken');
  await expect.poll(health, WITHIN).toEqual({
    status: 'starting', cause: expect.stringMatching(/all replication slots are in use/) as string,
  });

  await operator.query("SELECT pg_drop_replication_slot('two')");

  expect(await goesOn()).toEqual({ ...GOES_ON, refetches: 1 });
  await operator.query("SELECT pg_drop_replication_slot('one')");
});

test('limits that a role has for idle sessions end nothing that the service does', async () => {
  const limits = ['idle_session_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout', ...TRANSACTION_TIMEOUT];
  for (const name of limits) await operator.query(`ALTER ROLE ${role.name} SET ${name} = '200ms'`);
  await endSessions();

  const went = await goesOn();
  const { status } = await readShape(service.shapeUrl, { table: 'items', where: 'id > 0', offset: '-1' });

  expect({ went, status }).toEqual({ went: { ...GOES_ON, refetches: 1 }, status: 200 });
  await operator.query(`ALTER ROLE ${role.name} RESET ALL`);
});

test('a role that may not select any more: stored shapes go on, and a new one says why it cannot be', async () => {
  await cluster.database.query(`REVOKE SELECT ON items FROM ${role.name}`);

  const went = await goesOn();
  const refused = await readShape(service.shapeUrl, { table: 'items', where: 'id > 1', offset: '-1' });
  await cluster.database.query(`GRANT SELECT ON items TO ${role.name}`);
  const { status } = await readShape(service.shapeUrl, { table: 'items', where: 'id > 1', offset: '-1' });

  expect({ went, refused: [refused.status, refused.text], status }).toEqual({
    went: { ...GOES_ON, refetches: 1 }, refused: [503, expect.stringContaining('permission denied for table items')], status: 200,
  });
});

test('a role that may only read by default: stored shapes go on, and a new one says why it cannot be', async () => {
  await operator.query(`ALTER ROLE ${role.name} SET default_transaction_read_only = on`);
  await endSessions();

  const went = await goesOn();
  const refused = await readShape(service.shapeUrl, { table: 'secret', offset: '-1' });
  await operator.query(`ALTER ROLE ${role.name} RESET ALL`);
  await endSessions();
  const again = await goesOn();
  const { status } = await readShape(service.shapeUrl, { table: 'secret', offset: '-1' });

  const all = { ...GOES_ON, refetches: 1 };
  expect({ went, refused: [refused.status, refused.text], again, status }).toEqual({
    went: all, refused: [503, expect.stringContaining('default_transaction_read_only is on')], again: all, status: 200,
  });
});
