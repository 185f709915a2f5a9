import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DatabaseTarget } from '../../../src/settings/database-url.ts';
import { connect } from '../../../src/postgres/connection/connection.ts';
import { HeldLock } from '../../../src/postgres/connection/held-lock.ts';
import { holderOf, type LockHolder } from '../../../src/postgres/connection/lock-holder.ts';
import { leaseLock, LockLease } from '../../../src/postgres/connection/lock-lease.ts';
import { lockPort, type LockPortOptions } from '../../../src/postgres/connection/lock-port.ts';
import { prepareLongSession } from '../../../src/postgres/connection/long-session.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startCuttableNetwork } from '../../support/operations/cuttable-network.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { HAS_TRANSACTION_TIMEOUT } from '../../support/postgres/transaction-timeout.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

/** Other tests hold locks of their own on the same server. */
const OURS = 'database = (SELECT oid FROM pg_database WHERE datname = current_database())';

const holder = async () => {
  const [row] = await database.query<{ pid: number }>(`SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND ${OURS}`);
  return row === undefined ? 'nobody' as const : holderOf({ pid: row.pid, application: 'armature lock', address: null, since: null });
};

function open(target?: DatabaseTarget, answerMsMax?: number): Promise<RunningPort> {
  return openWith({ ...(target === undefined ? {} : { target }), ...(answerMsMax === undefined ? {} : { answerMsMax }) });
}

function openWith(options: Partial<LockPortOptions>): Promise<RunningPort> {
  return openPort(lockPort({ target: targetOf(database.url), slot: 'some_slot', owner: '@owner', holder, ...options }));
}

const WAITING = `
  SELECT FROM pg_stat_activity WHERE application_name = 'armature lock' AND wait_event = 'advisory' AND datname = current_database()`;

test('only one holds the lock; the next one gets it when the first lets go', async () => {
  const [first, second] = [await open(), await open()];
  const one = await first.ask({ type: 'acquire' });
  const two = second.ask({ type: 'acquire' });
  await database.until(WAITING);

  await first.close();

  expect([one, await two]).toEqual([{ type: 'lock.acquired' }, { type: 'lock.acquired' }]);
  await second.close();
});

test('holds the lock under the key that the reference service uses', async () => {
  const port = await open();
  await port.ask({ type: 'acquire' });

  const held = await database.query(`
    SELECT objid::int8 = (hashtext('some_slot')::int8 & 4294967295) AS same FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND ${OURS}`);

  await port.close();
  expect(held).toEqual([{ same: true }]);
});

test('says which session has the lock, for as long as it has it', async () => {
  const held = new HeldLock();
  const port = await openWith({ held });
  const before = held.process;
  await port.ask({ type: 'acquire' });
  const [known, asked] = [held.process, await holder()];

  await port.close();

  const wasOurs = [known ?? 0, 0].map((process) => held.wasOurs(process));
  expect([before, { pid: known }, held.process, wasOurs]).toEqual(
    [undefined, asked === 'nobody' ? asked : { pid: asked.pid }, undefined, [true, false]],
  );
});

test('tells its owner when the session that held the lock has died', async () => {
  const port = await open();
  await port.ask({ type: 'acquire' });

  await database.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND ${OURS}`);
  const lost = await port.awaitSent('lock.lost');
  const again = await port.ask({ type: 'acquire' });

  await port.close();
  expect([lost['error'], again]).toEqual([{ code: 'database_unreachable', message: expect.any(String) }, { type: 'lock.acquired' }]);
});

test('who gives up does not keep waiting in Postgres', async () => {
  const [holder, waiter] = [await open(), await open()];
  await holder.ask({ type: 'acquire' });
  const abort = new AbortController();
  const answer = waiter.ask({ type: 'acquire' }, abort.signal);
  await database.until(WAITING);

  abort.abort();
  const { type } = await answer;
  await database.until(`SELECT WHERE NOT EXISTS (${WAITING})`);

  await Promise.all([holder.close(), waiter.close()]);
  expect(type).toBe('lock.refused');
});

test.runIf(HAS_TRANSACTION_TIMEOUT)('a wait for the lock outlasts what the database allows a transaction', async () => {
  const holder = await open();
  await holder.ask({ type: 'acquire' });
  await database.query(`ALTER DATABASE ${database.name} SET transaction_timeout = '1s'`);
  const waiter = await open();
  const answer = waiter.ask({ type: 'acquire' });
  await Promise.race([database.until(`${WAITING} AND query_start < now() - interval '1.5 s'`), answer]);

  await holder.close();

  const { type } = await answer;
  await waiter.close();
  await database.query(`ALTER DATABASE ${database.name} RESET transaction_timeout`);
  expect(type).toBe('lock.acquired');
});

test('who asks again for the lock that it has, has it', async () => {
  const port = await open();
  await port.ask({ type: 'acquire' });

  const again = await port.ask({ type: 'acquire' });

  await port.close();
  expect(again).toEqual({ type: 'lock.acquired' });
});

test('who gets the lock while it is looked who has it keeps it, though that is its own session', async () => {
  let tell = (_: LockHolder): void => {};
  const first = await open();
  const next = await openWith({ holder: () => new Promise((done) => (tell = done)) });
  await first.ask({ type: 'acquire' });
  const waiting = next.ask({ type: 'acquire' });
  await database.until(WAITING);
  const seen = next.ask({ type: 'seeHolder' });
  await first.close();
  await waiting;
  const has = await holder();

  tell(has as LockHolder);
  await seen;

  await database.query('SELECT'); // A session that was broken off would have said so by then.
  const after = [await holder(), next.sent];
  await next.close();
  expect(after).toEqual([has, []]);
});

test('an unreachable database is an answer', async () => {
  const port = await open({ ...targetOf(database.url), port: 1 });

  const answer = await port.ask({ type: 'acquire' });

  expect(answer).toMatchObject({ type: 'lock.refused', error: { code: 'database_unreachable' } });
});

test('who waits can be told who has it', async () => {
  const port = await open();
  const before = await port.ask({ type: 'seeHolder' });
  await port.ask({ type: 'acquire' });
  const after = await port.ask({ type: 'seeHolder' });
  await port.close();

  expect([before, after]).toEqual([
    { type: 'lock.holderSeen', holder: null },
    { type: 'lock.holderSeen', holder: { pid: expect.any(Number), application: 'armature lock' } },
  ]);
});

test('of a holder that was cut off, both sides find out: it is told that the lock is lost, and the next has it', async () => {
  const network = await startCuttableNetwork(database.url);
  const [cut, next] = [await open(targetOf(network.url), 2_000), await open()];
  await cut.ask({ type: 'acquire' });
  const waiting = next.ask({ type: 'acquire' });
  await database.until(WAITING);

  network.cut();
  const [lost, got] = [await cut.awaitSent('lock.lost'), await waiting];

  await Promise.all([cut.close(), next.close()]);
  await network.close();
  expect([lost['error'], got]).toEqual([{ code: 'database_unreachable', message: expect.any(String) }, { type: 'lock.acquired' }]);
});

test('who waits by a connection that was cut off waits no longer when the lock is seen to be free', async () => {
  const network = await startCuttableNetwork(database.url);
  const [first, cut] = [await open(), await open(targetOf(network.url), 2_000)];
  await first.ask({ type: 'acquire' });
  const waiting = cut.ask({ type: 'acquire' });
  await database.until(WAITING);

  network.cut();
  const seen = await cut.ask({ type: 'seeHolder' });
  await first.close();
  await database.until(`SELECT WHERE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND ${OURS})`);
  await cut.ask({ type: 'seeHolder' });

  const { type } = await waiting;
  await cut.close();
  await network.close();
  expect([seen['holder'], type]).toEqual([{ pid: expect.any(Number), application: 'armature lock' }, 'lock.refused']);
});

test('who asks over a network that was cut has an answer in time', async () => {
  const network = await startCuttableNetwork(database.url);
  const port = await open(targetOf(network.url), 100);
  network.cut();

  const answer = await port.ask({ type: 'acquire' });

  await port.close();
  await network.close();
  expect(answer).toEqual({
    type: 'lock.refused', error: { code: 'database_unreachable', message: 'Postgres has been silent for 100 ms' }, fatal: false,
  });
});

test('a Postgres that is slow with each answer gives the lock all the same', async () => {
  const network = await startCuttableNetwork(database.url);
  network.slow(300);
  const port = await open(targetOf(network.url), 2_000);

  const { type } = await port.ask({ type: 'acquire' });

  await port.close();
  await network.close();
  expect(type).toBe('lock.acquired');
});

test.each([15_000, 60_000])('the probes of TCP do not free the lock sooner than the lease: two answers of %i ms', async (answerMsMax) => {
  const client = await connect(targetOf(database.url), { applicationName: 'armature lock' });
  await prepareLongSession(client);
  await leaseLock(client, answerMsMax);

  const { rows: [found] } = await client.query<{ heardForS: number; leaseMs: number }>(`
    SELECT idle.setting::int + apart.setting::int * count.setting::int AS "heardForS", lease.setting::int AS "leaseMs"
      FROM pg_settings idle, pg_settings apart, pg_settings count, pg_settings lease
     WHERE idle.name = 'tcp_keepalives_idle' AND apart.name = 'tcp_keepalives_interval' AND count.name = 'tcp_keepalives_count'
       AND lease.name = 'idle_session_timeout'`);

  await client.end();
  expect(found).toEqual({ heardForS: 2 * answerMsMax / 1000, leaseMs: 2 * answerMsMax });
});

test('a lease counts from when the question was asked, and not from when its answer was read', async () => {
  const client = await connect(targetOf(database.url), { applicationName: 'armature lock' });
  const ended = new Promise<string>((done) => void client.once('end', () => done('ended')));
  const clock = new ManualClock();
  const lease = new LockLease(client, clock, 3_000);
  clock.advance(1_000);
  clock.advance(1_900);
  await client.query('SELECT 1'); // Behind the question.

  clock.standStill(4_100);

  const outcome = await Promise.race([ended, client.query('SELECT 1').then(() => 'goes on', () => ended)]);
  lease.end();
  await client.end();
  expect(outcome).toBe('ended');
});

test('who stood still for a lease gives the lock up at once, though nothing says that its session has ended', async () => {
  const client = await connect(targetOf(database.url), { applicationName: 'armature lock' });
  const ended = new Promise<string>((done) => void client.once('end', () => done('ended')));
  const clock = new ManualClock();
  const lease = new LockLease(client, clock, 3_000);

  clock.standStill(6_000);

  const outcome = await Promise.race([ended, client.query('SELECT 1').then(() => 'goes on', () => ended)]);
  lease.end();
  expect(outcome).toBe('ended');
});
