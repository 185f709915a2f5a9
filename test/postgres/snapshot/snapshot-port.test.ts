import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Message } from '../../../src/otp/process.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { KnownTables } from '../../../src/postgres/snapshot/known-tables.ts';
import { snapshotPort } from '../../../src/postgres/snapshot/snapshot-port.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingTarget } from '../../support/postgres/snapshot-target.ts';
import { TRANSACTION_TIMEOUT } from '../../support/postgres/transaction-timeout.ts';

let database: TestDatabase;
let pool: DatabasePool;
let port: RunningPort | undefined;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'snapshots', max: 2, queueMsMax: 500 });
  await pool.open();
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, text text, flag boolean);
    INSERT INTO items SELECT i, 'text ' || i, i % 2 = 0 FROM generate_series(1, 20000) i;
    CREATE TABLE empty (id int PRIMARY KEY);
    CREATE DOMAIN yes_no AS boolean;
    CREATE TABLE booleans (flag yes_no, dropped int, flags boolean[]);
    ALTER TABLE booleans DROP COLUMN dropped;
    INSERT INTO booleans VALUES (true, '{t,f}'), (NULL, NULL);
    CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2);
    CREATE TABLE parts (id int) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts VALUES (3)`);
});
afterEach(async () => {
  await port?.close();
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

const WAITS_LONG = `
  SELECT FROM pg_stat_activity
  WHERE application_name = 'limited' AND wait_event_type = 'Lock' AND query_start < now() - interval '300 ms'`;

const SCHEMA_CHANGED = expect.objectContaining({ code: 'schema_changed', status: 409 }) as unknown;
const TABLES = ['items', 'empty', 'booleans', 'parent', 'parts'];

/** Rows of a table that nobody has looked at are asked for step by step, those of any other in one write. */
describe.each([
  ['step by step', false],
  ['in one write', true],
])('%s', (_way, isKnown) => {
  let tables: KnownTables;

  beforeEach(async () => {
    tables = new KnownTables();
    await know(...TABLES);
  });

  async function know(...names: readonly string[]): Promise<void> {
    if (!isKnown) return;
    for (const name of names) {
      const looking = await openPort(snapshotPort({ pool, tables, target: () => new RecordingTarget({ name, columns: [] }) }));
      await looking.ask({ type: 'takeSnapshot', handle: '1-0', progressTo: '@asking' });
      await looking.close();
    }
  }

  async function ask(target: RecordingTarget | undefined, options: { clock?: Clock; signal?: AbortSignal } = {}): Promise<Message> {
    const { clock = systemClock, signal } = options;
    port = await openPort(snapshotPort({ pool, clock, tables, target: () => target }));
    return await port.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' }, signal);
  }

  test('reads every row once, tells when it knows and when it begins, and completes', async () => {
    const target = new RecordingTarget({ name: 'items', columns: ['id', 'text'] });

    const answer = await ask(target);

    expect({ answer, calls: target.calls, sent: port?.sent, count: target.read.length, last: target.read.at(-1) }).toEqual({
      answer: { type: 'snapshot.completed', handle: '1-1' },
      calls: ['begin', 'rows', 'complete'],
      sent: [
        { to: '@asking', message: { type: 'snapshot.known', handle: '1-1', pgSnapshot: target.pgSnapshot } },
        { to: '@asking', message: { type: 'snapshot.started', handle: '1-1' } },
      ],
      count: 20_000,
      last: ['20000', 'text 20000'],
    });
  });

  test('of an answer that comes whole, and is confirmed with it, it tells no sooner than of its last row', async () => {
    const target = new RecordingTarget({ name: 'items', columns: ['id'], where: { sql: '"id" = $1::int4', params: ['4'] } });
    const told = () => port?.sent.map(({ message }) => message.type);
    let early: unknown;
    target.gate = async () => void (early = told());

    await ask(target);

    const whole = ['snapshot.known', 'snapshot.started'];
    expect({ read: target.read, early, late: told() }).toEqual({ read: [['4']], early: isKnown ? ['snapshot.known'] : whole, late: whole });
  });

  test('filters by parameters, in a portal, and spells booleans out', async () => {
    const where = { sql: `"text" = $1 OR "id" = $2::int4`, params: [`text 7`, '4'] };
    const target = new RecordingTarget({ name: 'items', columns: ['id', 'flag'], where });

    await ask(target);

    expect(target.read).toEqual([['4', 'true'], ['7', 'false']]);
  });

  test('a parameter is a value, whatever it looks like', async () => {
    const where = { sql: `"text" = $1`, params: [`'; DROP TABLE items; --`] };
    const target = new RecordingTarget({ name: 'items', columns: ['id'], where });

    const answer = await ask(target);

    expect({ answer: answer.type, rows: target.read }).toEqual({ answer: 'snapshot.completed', rows: [] });
  });

  test('a boolean is written out, one behind a domain or in an array is not', async () => {
    const target = new RecordingTarget({ name: 'booleans', columns: ['flag', 'flags'] });

    await ask(target);

    expect(target.read).toEqual([['t', '{t,f}'], [null, null]]);
  });

  test('a table that is not the one that was meant is not read', async () => {
    const seen: unknown[] = [];
    const accepts = (found: unknown) => seen.push(found) === 0;
    const target = new RecordingTarget({ name: 'booleans', columns: ['flags'], accepts });

    const answer = await ask(target);

    const [table] = await database.query("SELECT 'booleans'::regclass::oid::int AS oid, 'yes_no'::regtype::oid::int AS type");
    const facts = { version: expect.any(Number) as unknown, notNull: false, collation: 0, isMissing: false, defaultOid: null, types: null };
    expect({ answer, calls: target.calls, seen }).toEqual({
      answer: { type: 'snapshot.failed', handle: '1-1', error: SCHEMA_CHANGED },
      calls: ['abort'],
      seen: [{
        oid: table?.['oid'], schema: 'public', name: 'booleans',
        files: expect.stringMatching(/^\d+$/) as unknown,
        columns: [
          { name: 'flag', typeOid: table?.['type'], typeMod: -1, pkIndex: null, facts: { ...facts, number: 1 } },
          { name: 'flags', typeOid: 1000, typeMod: -1, pkIndex: null, facts: { ...facts, number: 3 } },
        ],
      }],
    });
  });

  test('outlasts what the database allows its applications', async () => {
    const limits = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', ...TRANSACTION_TIMEOUT];
    for (const limit of limits) await database.query(`ALTER DATABASE ${database.name} SET ${limit} = '100ms'`);
    const limited = createPool({ target: targetOf(database.url), applicationName: 'limited', max: 1 });
    await limited.open();
    const locking = await database.session();
    for (const limit of limits) await locking.query(`SET ${limit} = 0`);
    await locking.query('BEGIN; LOCK TABLE items');
    const target = new RecordingTarget({ name: 'items', columns: ['id'] });
    port = await openPort(snapshotPort({ pool: limited, tables, target: () => target }));

    const answer = port.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' });
    await Promise.race([database.until(WAITS_LONG), answer]);
    await locking.query('COMMIT');
    const { type } = await answer;
    await limited.close();
    for (const limit of limits) await database.query(`ALTER DATABASE ${database.name} RESET ${limit}`);

    expect({ type, rows: target.read.length }).toEqual({ type: 'snapshot.completed', rows: 20_000 });
  });

  test('a table that somebody keeps locked is refused in words, and its connection is free for others', async () => {
    const locking = await database.session();
    await locking.query("SET application_name = 'a migration'; BEGIN; LOCK TABLE items");

    const { type, error } = await ask(new RecordingTarget({ name: 'items', columns: ['id'] }));

    await locking.query('ROLLBACK');
    const message = 'Snapshot timed out while waiting for a table lock';
    const holders = [expect.stringMatching(/^process \d+ of Postgres, application "a migration", .* since .*Z$/)];
    expect({ type, error }).toEqual({
      type: 'snapshot.failed', error: { name: 'lock_timeout', code: 'lock_timeout', message, status: 503, holders },
    });
  });

  test('an empty table starts and completes', async () => {
    const target = new RecordingTarget({ name: 'empty', columns: ['id'] });

    await ask(target);

    expect({ calls: target.calls, sent: port?.sent.map(({ message }) => message.type) }).toEqual({
      calls: ['begin', 'complete'], sent: ['snapshot.known', 'snapshot.started'],
    });
  });

  const DIGITS = expect.stringMatching(/^\d+$/);

  test('a shape that wants no rows still learns its snapshot', async () => {
    const target = new RecordingTarget({ name: 'items', columns: ['id'], wantsRows: false });

    await ask(target);

    expect({ calls: target.calls, sent: port?.sent.map(({ message }) => message.type), known: target.pgSnapshot }).toEqual({
      calls: ['begin', 'complete'], sent: ['snapshot.known', 'snapshot.started'],
      known: { xmin: DIGITS, xmax: DIGITS, xip: expect.any(Array), insertLsn: DIGITS },
    });
  });

  test.each([
    ['parent', '1'],
    ['parts', '3'],
  ])('of %s reads what its part of the stream will bring', async (name, id) => {
    const target = new RecordingTarget({ name, columns: ['id'] });

    await ask(target);

    expect(target.read).toEqual([[id]]);
  });

  test('sees neither what commits after it began nor what is still open', async () => {
    const writer = await database.session();
    await database.query('DROP TABLE IF EXISTS moving; CREATE TABLE moving (id int); INSERT INTO moving VALUES (1)');
    await know('moving');
    await writer.query('BEGIN; INSERT INTO moving VALUES (2)');
    const { rows: [{ xid } = { xid: '' }] } = await writer.query<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
    await database.query('INSERT INTO moving VALUES (3)'); // Begun later, committed before.
    const target = new RecordingTarget({ name: 'moving', columns: ['id'] });

    await ask(target);
    await writer.query('COMMIT');

    const isRunning = target.pgSnapshot?.xip.includes(xid); // Beside transactions of other databases.
    expect({ rows: target.read, isRunning }).toEqual({ rows: [['1'], ['3']], isRunning: true });
  });

  test('holds a fast query back while the target is busy', async () => {
    await database.query(`
      DROP TABLE IF EXISTS large; CREATE TABLE large AS SELECT i AS id, repeat('x', 1000) AS text FROM generate_series(1, 50000) i`);
    await know('large');
    const gate = { open: (): void => {} };
    const opened = new Promise<void>((done) => (gate.open = done));
    const target = new RecordingTarget({ name: 'large', columns: ['id', 'text'] });
    target.gate = () => opened;

    const answer = ask(target);
    await database.until(`
      SELECT FROM pg_stat_activity WHERE application_name = 'snapshots' AND wait_event = 'ClientWrite' AND datname = current_database()`);
    const meanwhile = target.read.length;
    gate.open();
    await answer;

    expect({ few: meanwhile < 5_000, all: target.read.length }).toEqual({ few: true, all: 50_000 });
  });

  test.each([
    ['a missing table', { name: 'missing', columns: ['id'] }, { code: 'schema_changed', status: 409 }],
    ['a missing column', { name: 'items', columns: ['id', 'gone'] }, { code: 'schema_changed', status: 409 }],
    [
      'a query that fails',
      { name: 'items', columns: ['id'], where: { sql: '1 / ("id" - $1::int4) = 0', params: ['5000'] } },
      { code: '22012', status: 400, message: 'division by zero' },
    ],
    [
      'a query that fails before its first row',
      { name: 'items', columns: ['id'], where: { sql: '1 / ("id" - "id" + $1::int4) = 0', params: ['0'] } },
      { code: '22012', status: 400 },
    ],
  ])('%s is refused with a status, and the pool goes on', async (_, shape, error) => {
    const [target, clock] = [new RecordingTarget(shape), new ManualClock()];

    const answer = await ask(target, { clock });
    const [row] = await pool.query('SELECT 1 AS one');

    expect({ answer, last: target.calls.at(-1), row, timers: clock.pendingTimers }).toMatchObject({
      answer: { type: 'snapshot.failed', error }, last: 'abort', row: { one: 1 }, timers: 0,
    });
  });

  function sleepingFor(seconds: number): RecordingTarget {
    const where = { sql: `pg_sleep(${seconds}) IS NOT NULL AND "id" > $1::int4`, params: ['0'] };
    return new RecordingTarget({ name: 'items', columns: ['id'], where });
  }

  test('gives a query up whose first row takes too long, and its backend ends', async () => {
    const clock: Clock = { ...systemClock, setTimer: (callback) => systemClock.setTimer(callback, 100) };
    const target = sleepingFor(60);

    const answer = await ask(target, { clock });
    await database.until(`
      SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid())`);

    expect(answer).toMatchObject({
      type: 'snapshot.failed',
      error: { status: 503, message: expect.stringMatching(/^Snapshot query took too long to return data \(cancelled after 30000ms\)/) },
    });
  });

  test('a query whose first row came in time may take as long as it needs', async () => {
    const clock = new ManualClock();
    const target = new RecordingTarget({ name: 'items', columns: ['id'] });
    target.gate = async () => clock.advance(60_000);

    const answer = await ask(target, { clock });

    expect({ type: answer.type, count: target.read.length, timers: clock.pendingTimers }).toEqual({
      type: 'snapshot.completed', count: 20_000, timers: 0,
    });
  });

  test('gives a query up when its caller has gone', async () => {
    const target = sleepingFor(50);
    const abort = new AbortController();
    const answer = ask(target, { clock: new ManualClock(), signal: abort.signal }); // It never takes too long.
    await database.until(`SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(50)%' AND wait_event = 'PgSleep'`);

    abort.abort();

    expect({ type: (await answer).type, calls: target.calls }).toEqual({ type: 'snapshot.failed', calls: ['begin', 'abort'] });
  });

  test('one shape that cannot store its rows fails alone', async () => {
    const target = new RecordingTarget({ name: 'items', columns: ['id'] });
    target.gate = () => Promise.reject(new Error('the disk is full'));

    const answer = await ask(target);

    expect(answer).toMatchObject({
      type: 'snapshot.failed', error: { status: 500, message: 'Unexpected error while creating snapshot: the disk is full' },
    });
  });

  test('who waits too long for a connection is told so', async () => {
    const gates: (() => void)[] = [];
    const busy = [1, 2].map(() => pool.use(() => new Promise<void>((done) => gates.push(done))));
    const answer = await ask(new RecordingTarget({ name: 'items', columns: ['id'] }));
    for (const open of gates) open();
    await Promise.all(busy);

    const message = 'Snapshot creation failed because of a connection pool queue timeout';
    expect(answer).toMatchObject({ error: { status: 503, message } });
  });

  const WRITTEN_ANEW = (name: string): string => `ALTER TABLE ${name} ADD COLUMN at timestamptz DEFAULT clock_timestamp()`;

  test.each<readonly [string, string, string, (name: string) => string]>([
    ['a table that is written anew', 'slowly', '', WRITTEN_ANEW],
    ['a partition that is written anew', 'slow_tree', ' PARTITION BY RANGE (id)', WRITTEN_ANEW],
    ['a table whose name another one takes', 'renamed', '', (name) => `
      ALTER TABLE ${name} RENAME TO before; CREATE TABLE ${name} (LIKE before); INSERT INTO ${name} SELECT * FROM before`],
  ])('%s while its rows are waited for is asked for anew', async (_, name, kind, alter) => {
    const part = kind === '' ? '' : `CREATE TABLE ${name}_part PARTITION OF ${name} DEFAULT;`;
    await database.query(`
      DROP TABLE IF EXISTS ${name}, before; CREATE TABLE ${name} (id int)${kind}; ${part} INSERT INTO ${name} VALUES (1), (2)`);
    await know(name);
    const altering = await database.session();
    await altering.query(`BEGIN; ${alter(name)}`);
    const target = new RecordingTarget({ name, columns: ['id'] });

    const answer = ask(target);
    await database.until(`
      SELECT FROM pg_stat_activity WHERE application_name = 'snapshots' AND wait_event_type = 'Lock' AND datname = current_database()`);
    await altering.query('COMMIT');
    const refused = await answer;

    expect({ refused, calls: target.calls }).toEqual({
      refused: { type: 'snapshot.failed', handle: '1-1', error: SCHEMA_CHANGED },
      calls: ['begin', 'abort'],
    });
  });
});
