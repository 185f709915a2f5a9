import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { pause } from '../../../src/base/pause.ts';
import { DatabaseRefusedError, DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import type { DatabaseTarget } from '../../../src/settings/database-url.ts';
import { createPool, type DatabasePool, SessionNotLentError } from '../../../src/postgres/connection/pool.ts';
import { poolPort } from '../../../src/postgres/connection/pool-port.ts';
import { startCuttableNetwork } from '../../support/operations/cuttable-network.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { startSilentPostgres } from '../../support/postgres/silent-postgres.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

function makePool(target: DatabaseTarget = targetOf(database.url), max = 2): DatabasePool {
  return createPool({ target, applicationName: 'pool test', max });
}

test('a probe opens the pools and says that they are up', async () => {
  const pool = makePool();
  const port = await openPort(poolPort({ pools: [pool] }));

  const before = pool.isUp;
  const answer = await port.ask({ type: 'probe' });
  const after = pool.isUp;
  await port.close();

  expect({ before, answer, after, closed: pool.isUp }).toEqual({ before: false, answer: { type: 'pools.up' }, after: true, closed: false });
});

test('a probe of an unreachable database is answered, not thrown', async () => {
  const port = await openPort(poolPort({ pools: [makePool(), makePool({ ...targetOf(database.url), port: 1 })] }));

  const answer = await port.ask({ type: 'probe' });

  await port.close();
  const error = { code: 'database_unreachable', message: expect.stringContaining('ECONNREFUSED') as string };
  expect(answer).toEqual({ type: 'pools.down', error, fatal: false });
});

test.each([
  ['3D000', { database: 'nowhere' }],
  ['28P01', { password: 'wrong' }],
])('a refusal with %s lasts until somebody has mended it', async (code, change) => {
  const port = await openPort(poolPort({ pools: [makePool({ ...targetOf(database.url), ...change })] }));

  const answer = await port.ask({ type: 'probe' });

  await port.close();
  expect(answer).toMatchObject({ type: 'pools.down', error: { code }, fatal: true });
});

test('a session that Postgres refuses is no refusal of what would have been asked', async () => {
  const role = `role_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'before'`);
  const pool = makePool({ ...targetOf(database.url), user: role, password: 'before' });
  await pool.open();
  await database.query(`ALTER ROLE ${role} PASSWORD 'after'`);

  const asked = await pool.use(() => pool.query('SELECT 1').catch((error: unknown) => error)); // The open one is lent meanwhile.
  await pool.close();
  await database.query(`DROP ROLE ${role}`);

  expect(asked).toBeInstanceOf(DatabaseUnreachableError);
  expect(asked).toMatchObject({ code: '28P01', message: expect.stringContaining('password authentication failed') as string });
});

test('tells a refusal from a lost connection, and a bug from both', async () => {
  const pool = makePool();
  await pool.open();

  const [refused, lost, bug] = await Promise.allSettled([
    pool.query('SELECT 1 / 0'),
    pool.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    pool.use(() => Promise.reject(new TypeError('our bug'))),
  ]);
  const [row] = await pool.query('SELECT 1 AS one');
  await pool.close();

  const kinds = [refused, lost, bug].map((result) => (result.status === 'rejected' ? result.reason?.constructor : undefined));
  expect({ kinds, row }).toEqual({ kinds: [DatabaseRefusedError, DatabaseUnreachableError, TypeError], row: { one: 1 } });
});

test('a session that a bug has left in the middle of something is lent to nobody', async () => {
  const pool = makePool(undefined, 1);
  await pool.open();

  const bug = pool.use(async (client) => {
    await client.query('BEGIN');
    throw new TypeError('our bug');
  });
  await bug.catch(() => {});
  const [row] = await pool.query('SELECT now() = statement_timestamp() AS "isOutside"');

  await pool.close();
  expect(row).toEqual({ isOutside: true });
});

test('a connection that breaks while it is lent, and idle, is an error of whoever uses it next and of nobody else', async () => {
  const pool = makePool();
  await pool.open();

  const lent = pool.use(async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const ended = new Promise<void>((done) => void client.once('end', done));
    await database.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await ended;
    await client.query('SELECT 1');
  });

  const outcome = await lent.catch((error: unknown) => error);
  const rows = await pool.query('SELECT 1 AS one');
  await pool.close();
  expect({ outcome, rows }).toEqual({ outcome: expect.any(DatabaseUnreachableError), rows: [{ one: 1 }] });
});

test('a pool that was closed may be opened again', async () => {
  const pool = makePool();
  await pool.open();
  await pool.close();
  const closed = await Promise.allSettled([pool.query('SELECT 1')]);

  await pool.open();

  const rows = await pool.query('SELECT 1 AS one');
  await pool.close();
  expect({ closed: closed[0]?.status, rows }).toEqual({ closed: 'rejected', rows: [{ one: 1 }] });
});

test.each([['one connection', 1], ['connections to spare', 2]])(
  'where the network was cut, a probe of a pool with %s ends in time, and whoever waits for an answer gets an error',
  async (_, max) => {
    const network = await startCuttableNetwork(database.url);
    const options = { target: targetOf(network.url), applicationName: 'pool test', max, queueMsMax: 1_000, silenceMsMax: 1_000 };
    const pool = createPool(options);
    const port = await openPort(poolPort({ pools: [pool] }));
    const untilUp = () => expect.poll(() => port.ask({ type: 'probe' })).toEqual({ type: 'pools.up' });
    await untilUp();

    const asked = pool.use(async (client) => {
      network.cut();
      await client.query('SELECT 1');
    });
    const outcome = asked.catch((error: unknown) => error);
    const answer = await port.ask({ type: 'probe' });
    const [lost, isUp] = [await outcome, pool.isUp];
    network.mend();
    await untilUp();

    await port.close();
    await network.close();
    expect([answer.type, lost, isUp]).toEqual(['pools.down', expect.any(DatabaseUnreachableError), false]);
  },
);

test.each([[false], [true]])('a pool at work is up, is no word of a pooler (%s), keeps its connections and no other', async (isLent) => {
  const pool = createPool({ target: targetOf(database.url), applicationName: 'pool at work', max: 1, queueMsMax: 500, isLent });
  const withheld: boolean[] = [];
  const port = await openPort(poolPort({ pools: [pool], lending: (isWithheld) => withheld.push(isWithheld) }));
  await pool.open();
  const busy = await database.session();
  await busy.query('SELECT pg_advisory_lock(1)');

  const asked = pool.query("SELECT pg_advisory_xact_lock(1), 'computed' AS what");
  const answer = await port.ask({ type: 'probe' });
  await database.until("SELECT WHERE 1 = (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pool at work')");
  await busy.query('SELECT pg_advisory_unlock(1)');
  const [row] = await asked;

  await port.close();
  expect({ answer, row, withheld }).toMatchObject({ answer: { type: 'pools.up' }, row: { what: 'computed' }, withheld: [false] });
});

test('a pool whose connections are all at work is up where another one is let in, though nothing is answered behind that', async () => {
  const server = await startSilentPostgres();
  const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 1, queueMsMax: 200, silenceMsMax: 1_000 });
  const port = await openPort(poolPort({ pools: [pool] }));
  await pool.open();
  const asked = pool.query('SELECT 1').catch((error: unknown) => error);

  const answer = await port.ask({ type: 'probe' });

  await server.close();
  await asked;
  await port.close();
  expect(answer).toEqual({ type: 'pools.up' });
});

test.each([[true, 'pools.up'], [false, 'pools.down']])(
  'where everybody is let in and nothing is answered in time, a pool that is lent (%s) to us by a pooler is %s',
  async (isLent, type) => {
    const server = await startSilentPostgres();
    const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 3, isLent, silenceMsMax: 300 });
    const withheld: boolean[] = [];
    const port = await openPort(poolPort({ pools: [pool], lending: (isWithheld) => withheld.push(isWithheld) }));
    await pool.open();
    const asked = pool.query('SELECT 1').then(() => 'answered', () => 'broken off');

    const answer = await port.ask({ type: 'probe' });
    const still = await Promise.race([asked, pause(systemClock, 50)]);

    await server.close();
    await port.close();
    expect([answer.type, still, withheld]).toEqual([type, isLent ? undefined : 'broken off', isLent ? [true] : []]);
  },
);

test('a transaction for which a pooler lends no session is given up in time, and the pool says so until that is gone', async () => {
  const server = await startSilentPostgres();
  const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 3, isLent: true, silenceMsMax: 300 });
  await pool.open();

  const refused = await pool.use((client) => pool.begin(client, 'BEGIN')).catch((error: unknown) => error);
  const withheld = { isUp: pool.isUp, isWithheld: pool.isWithheld };
  await server.close();
  await pool.probe().catch(() => {});
  const gone = { isUp: pool.isUp, isWithheld: pool.isWithheld };

  await pool.close();
  expect({ refused, withheld, gone }).toEqual({
    refused: new SessionNotLentError(300), withheld: { isUp: true, isWithheld: true }, gone: { isUp: false, isWithheld: false },
  });
});

test('a pooler that lends no session for a question withholds them, and one that lets somebody in late does not', async () => {
  const server = await startSilentPostgres();
  const times = { queueMsMax: 200, silenceMsMax: 1_000 };
  const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 1, isLent: true, ...times });
  await pool.open();

  await pool.probe(); // Its question breaks off the connection, which is there no more.
  const asked = pool.isWithheld;
  await pool.close();
  await pool.open();
  const client = await pool.use((each) => Promise.resolve(each));
  await client.end();
  server.letInAfter(400);
  await pool.probe();
  const late = { isUp: pool.isUp, isWithheld: pool.isWithheld };

  await server.close();
  await pool.close();
  expect({ asked, late }).toEqual({ asked: true, late: { isUp: true, isWithheld: false } });
});

test('whether a pooler lends sessions is told behind a probe that got through to it, and behind no other', async () => {
  const server = await startSilentPostgres();
  const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 1, isLent: true, silenceMsMax: 300 });
  const told: boolean[] = [];
  const port = await openPort(poolPort({ pools: [pool], lending: (isWithheld) => told.push(isWithheld) }));
  await pool.open();

  const there = await port.ask({ type: 'probe' });
  await server.close();
  const gone = await port.ask({ type: 'probe' });

  await port.close();
  expect({ types: [there.type, gone.type], told }).toEqual({ types: ['pools.up', 'pools.down'], told: [true] });
});

test('a pool that is closed while it opens stays closed', async () => {
  const server = await startSilentPostgres();
  server.letInAfter(300);
  const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 1 });
  const opening = pool.open().then(() => 'opened', (error: unknown) => error);
  await pool.close();

  const outcome = await opening;

  const standing = { isUp: pool.isUp, open: pool.counts.open };
  await server.close();
  await pool.close();
  expect({ outcome, standing }).toEqual({
    outcome: new DatabaseUnreachableError('the pool was closed meanwhile'), standing: { isUp: false, open: 0 },
  });
});

test.each([
  ['a transaction has begun, while that lasts', async (pool: DatabasePool) => {
    return await pool.use(async (client) => {
      await pool.begin(client, 'BEGIN');
      return pool.isWithheld;
    });
  }],
  ['a query was answered', async (pool: DatabasePool) => {
    await pool.query('SELECT 1');
    return pool.isWithheld;
  }],
])('that a pooler lends no session is over as soon as %s', async (_, lent) => {
  const network = await startCuttableNetwork(database.url);
  const pool = createPool({ target: targetOf(network.url), applicationName: 'pool test', max: 1, isLent: true, silenceMsMax: 500 });
  await pool.open();
  network.cut();
  await pool.use((client) => pool.begin(client, 'BEGIN')).catch(() => {});
  const before = pool.isWithheld;
  network.mend();

  const after = await lent(pool);

  await pool.close();
  await network.close();
  expect({ before, after }).toEqual({ before: true, after: false });
});

test('a transaction that Postgres itself does not begin is given up when a probe tells, and no pooler is blamed for it', async () => {
  const server = await startSilentPostgres();
  const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 2, silenceMsMax: 300 });
  await pool.open();
  const begun = pool.use((client) => pool.begin(client, 'BEGIN')).catch((error: unknown) => error);

  await pool.probe().catch(() => {});

  const refused = await begun;
  await server.close();
  await pool.close();
  expect({ refused, isWithheld: pool.isWithheld }).toEqual({ refused: expect.any(DatabaseUnreachableError), isWithheld: false });
});

test('where the network was cut, a pool closes in time, and whoever waits for an answer gets an error', async () => {
  const network = await startCuttableNetwork(database.url);
  const clock = new ManualClock();
  const pool = createPool({ target: targetOf(network.url), applicationName: 'pool test', max: 2, clock });
  await pool.open();
  let asked = Promise.resolve();
  await new Promise<void>((begun) => {
    asked = pool.use(async (client) => {
      network.cut();
      begun();
      await client.query('SELECT 1');
    });
  });
  const outcome = asked.catch((error: unknown) => error);

  const closing = pool.close();
  clock.advance(1_000);
  await closing;

  const lost = await outcome;
  await network.close();
  expect(lost).toBeInstanceOf(DatabaseUnreachableError);
});

test('a Postgres that lets in later than a query would wait for it is there', async () => {
  const server = await startSilentPostgres();
  const pool = createPool({ target: targetOf(server.url), applicationName: 'pool test', max: 3, queueMsMax: 300, silenceMsMax: 5_000 });
  const withheld: boolean[] = [];
  const port = await openPort(poolPort({ pools: [pool], lending: (isWithheld) => withheld.push(isWithheld) }));
  await pool.open();
  server.letInAfter(600);

  const answer = await pool.use(() => port.ask({ type: 'probe' })); // The one that is open is lent meanwhile.

  await server.close();
  await port.close();
  expect({ answer, withheld }).toEqual({ answer: { type: 'pools.up' }, withheld: [false] });
});
