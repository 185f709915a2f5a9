import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { Change } from '../../../src/model/change.ts';
import { compareLsn, lsnFromPostgres } from '../../../src/model/lsn.ts';
import { isVisible, type PgSnapshot, type Xid } from '../../../src/model/pg-snapshot.ts';
import type { Message } from '../../../src/otp/process.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { subsetQueryPort, type SubsetQueryTarget } from '../../../src/postgres/snapshot/subset-query-port.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { texts } from '../../support/postgres/recording-sink.ts';

let database: TestDatabase;
let pool: DatabasePool;
let adminPool: DatabasePool;
let port: RunningPort | undefined;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'subsets', max: 1, queueMsMax: 500 });
  adminPool = createPool({ target: targetOf(database.url), applicationName: 'admin', max: 1 });
  await Promise.all([pool.open(), adminPool.open()]);
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, size int);
    INSERT INTO items SELECT i, i % 10 FROM generate_series(1, 100) i`);
});

afterEach(async () => {
  await port?.close();
  port = undefined;
});

afterAll(async () => {
  await Promise.all([pool.close(), adminPool.close()]);
  await database.drop();
});

/** Items of size 3, kept as texts. */
class Items implements SubsetQueryTarget {
  relation = { schema: 'public', name: 'items' };
  columns = ['id', 'size'];
  where: SubsetQueryTarget['where'] = { sql: '"size" = $1::int4', params: ['3'] };
  order: string | undefined;
  limit: number | undefined;
  offset: number | undefined;
  readonly leaving = new AbortController();
  readonly signal = this.leaving.signal;
  /** In the order in which it was told. */
  readonly told: string[] = [];
  seen: { readonly pgSnapshot: PgSnapshot; readonly flush: () => Promise<void> } | undefined;

  constructor(readonly isNewEnough: (pgSnapshot: PgSnapshot) => boolean = () => true) {}

  accepts(): boolean {
    return true;
  }

  begin(pgSnapshot: PgSnapshot, flush: () => Promise<void>): void {
    this.told.push('begin');
    this.seen = { pgSnapshot, flush };
  }

  async rows(fragment: Uint8Array): Promise<void> {
    for (let at = 0; at < fragment.length; ) {
      const change = new Change(fragment, at);
      if (change.new !== undefined) this.told.push(texts(change.new).join(':'));
      at = change.end;
    }
  }
}

async function ask(target: Items | undefined, clock: Clock = systemClock): Promise<Message> {
  port = await openPort(subsetQueryPort({ pool, adminPool, clock, target: () => target }));
  return await port.ask({ type: 'querySubset', id: 1 });
}

test('brings the rows of a page, behind what they show', async () => {
  const target = Object.assign(new Items(), { order: '"id" DESC', limit: 3, offset: 2 });
  expect([await ask(target), target.told]).toEqual([{ type: 'subset.queried' }, ['begin', '73:3', '63:3', '53:3']]);
});

test('without a filter or a page all rows come', async () => {
  const target = Object.assign(new Items(), { where: undefined });
  expect([await ask(target), target.told.length]).toEqual([{ type: 'subset.queried' }, 101]);
});

test('takes newer snapshots until one is new enough', async () => {
  const opened = await database.session();
  await opened.query('BEGIN');
  const { rows } = await opened.query<{ xid: number }>('SELECT pg_current_xact_id()::text::int AS xid');
  const xid = Number(rows[0]?.xid) as Xid;
  let asked = 0;
  const target = new Items((pgSnapshot) => {
    asked += 1;
    if (asked === 2) void opened.query('COMMIT');
    return isVisible(xid, pgSnapshot);
  });

  expect([await ask(target), asked > 2, target.told.length]).toEqual([{ type: 'subset.queried' }, true, 11]);
});

test('gives up when none is new enough in time, and nothing was read', async () => {
  const clock = new ManualClock();
  const target = new Items(() => {
    clock.advance(5_000);
    return false;
  });

  const failed = { type: 'subset.failed', error: { code: 'shape_ahead', status: 503 } };
  expect([await ask(target, clock), target.told]).toMatchObject([failed, []]);
});

/** What waits for a lock is at work, as long as somebody wants. */
async function whileLocked(work: () => Promise<void>): Promise<void> {
  const locking = await database.session();
  await locking.query('BEGIN; LOCK TABLE items');
  await work();
  await locking.query('ROLLBACK');
}
const waiting = "FROM pg_stat_activity WHERE application_name = 'subsets' AND datname = current_database() AND wait_event_type = 'Lock'";

test('who leaves takes the query along, and the next one is answered', async () => {
  const target = new Items();
  await whileLocked(async () => {
    const answer = ask(target);
    await database.until(`SELECT ${waiting}`);
    target.leaving.abort();
    await answer;
    await database.until(`SELECT WHERE NOT EXISTS (SELECT ${waiting})`);
  });

  expect([target.told, await ask(new Items())]).toEqual([['begin'], { type: 'subset.queried' }]);
});

test('who has left already costs no query', async () => {
  const target = new Items();
  target.leaving.abort();
  await ask(target);
  expect(target.told).toEqual([]);
});

test('a query that takes too long is given up', async () => {
  const clock = new ManualClock();
  const answers: Message[] = [];
  await whileLocked(async () => {
    const answer = ask(new Items(), clock);
    await database.until(`SELECT ${waiting}`);
    clock.advance(60_000);
    answers.push(await answer);
  });

  expect(answers).toMatchObject([{ type: 'subset.failed', error: { code: 'subset_slow', status: 503 } }]);
});

test('who finds every connection at work is told so', async () => {
  let leave = (): void => {};
  let busy = Promise.resolve();
  await new Promise<void>((entered) => {
    busy = pool.use(() => {
      entered();
      return new Promise<void>((resolve) => (leave = resolve));
    });
  });
  const answer = await ask(new Items());
  leave();
  await busy;

  expect(answer).toMatchObject({ type: 'subset.failed', error: { code: 'subset_queries_busy', status: 503 } });
});

test('what the snapshot sees is on the disk when it was flushed', async () => {
  const writer = await database.session();
  await writer.query('SET synchronous_commit = off; UPDATE items SET size = size');
  const target = new Items();
  await ask(target);
  await target.seen?.flush();
  const [row] = await database.query<{ flushed: string }>('SELECT pg_current_wal_flush_lsn()::text AS flushed');

  const insertLsn = target.seen?.pgSnapshot.insertLsn ?? lsnFromPostgres('FFFFFFFF/0');
  expect(compareLsn(lsnFromPostgres(row?.flushed ?? '0/0'), insertLsn)).toBeGreaterThanOrEqual(0);
});

test.each([
  ['an error in a row', { where: { sql: '1 / ("id" - $1::int4) = 0', params: ['50'] } }, { code: '22012', status: 400 }],
  ['a column that has gone', { where: { sql: '"gone" = $1::int4', params: ['1'] } }, { code: '42703', status: 400 }],
  ['another table than before', { accepts: () => false }, { code: 'schema_changed', status: 409 }],
  ['no table', { relation: { schema: 'public', name: 'gone' } }, { code: 'schema_changed', status: 409 }],
])('%s is told, and the connection is as others expect it', async (_, change, error) => {
  const answer = await ask(Object.assign(new Items(), change));
  const [session] = await pool.query(`
    SELECT current_setting('transaction_isolation') AS isolation, current_setting('statement_timeout') AS timeout`);
  expect([answer, session]).toMatchObject([{ type: 'subset.failed', error }, { isolation: 'read committed', timeout: '0' }]);
});

test.each(['rows', 'begin', 'isNewEnough', 'accepts'])('a bug of ours in %s is told, and the next query is answered', async (where) => {
  const claim = (): never => {
    throw new InvariantError('what can never be');
  };
  const answer = await ask(Object.assign(new Items(), { [where]: claim }));

  const crashed = { type: 'subset.crashed', error: { name: 'InvariantError' } };
  expect([answer, await ask(new Items())]).toMatchObject([crashed, { type: 'subset.queried' }]);
});

test('nothing is asked for somebody who is not there any more', async () => {
  expect(await ask(undefined)).toEqual({ type: 'subset.queried' });
});

test('of a table that is written anew while its rows are waited for nothing is told, and the shape goes on', async () => {
  await database.query('CREATE TABLE anew AS SELECT * FROM items');
  const altering = await database.session();
  await altering.query('BEGIN; ALTER TABLE anew ADD COLUMN at timestamptz DEFAULT clock_timestamp()');
  const target = Object.assign(new Items(), { relation: { schema: 'public', name: 'anew' } });

  const answer = ask(target);
  await database.until(`SELECT ${waiting}`);
  await altering.query('COMMIT');

  const error = { code: 'table_rewritten', status: 503 };
  expect([await answer, target.told]).toMatchObject([{ type: 'subset.failed', error }, ['begin']]);
});
