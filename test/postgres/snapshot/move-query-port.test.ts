import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { Change } from '../../../src/model/change.ts';
import { compareLsn, lsnFromPostgres, type Lsn } from '../../../src/model/lsn.ts';
import { isVisible, type PgSnapshot, type Xid } from '../../../src/model/pg-snapshot.ts';
import type { Message } from '../../../src/otp/process.ts';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { KnownTables } from '../../../src/postgres/snapshot/known-tables.ts';
import type { MoveQueryTarget } from '../../../src/postgres/snapshot/move-queries.ts';
import { moveQueryPort } from '../../../src/postgres/snapshot/move-query-port.ts';
import { DiskError } from '../../../src/storage/errors.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { texts } from '../../support/postgres/recording-sink.ts';

let database: TestDatabase;
let pool: DatabasePool;
let port: RunningPort | undefined;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'moves', max: 2, queueMsMax: 1_000 });
  await pool.open();
  await database.query(`
    CREATE TABLE children (id int PRIMARY KEY, parent int);
    INSERT INTO children SELECT i, i % 10 FROM generate_series(1, 100) i`);
});
afterEach(async () => {
  await port?.close();
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

/** The children of parent 3, kept as texts. */
class Children implements MoveQueryTarget<number> {
  relation = { schema: 'public', name: 'children' };
  columns = ['id', 'parent'];
  where: MoveQueryTarget<number>['where'] = { sql: '"parent" = ANY($1::int4[])', params: ['{3}'] };
  readonly read: (string | null)[][] = [];

  constructor(readonly isNewEnough: (pgSnapshot: PgSnapshot) => boolean = () => true) {}

  accepts(): boolean {
    return true;
  }

  async rows(fragment: Uint8Array): Promise<void> {
    for (let at = 0; at < fragment.length; ) {
      const change = new Change(fragment, at);
      if (change.new !== undefined) this.read.push(texts(change.new));
      at = change.end;
    }
  }

  async complete(): Promise<number> {
    return this.read.length;
  }
}

/** Whoever asks next has the same session. */
async function poolOfOne(): Promise<DatabasePool> {
  const one = createPool({ target: targetOf(database.url), applicationName: 'one', max: 1, queueMsMax: 1_000 });
  await one.open();
  return one;
}

interface Asking {
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly from?: DatabasePool;
}

/** Who asks alone about a table that was looked at before asks all at once. */
describe.each([
  ['step by step', false],
  ['in one write', true],
])('%s', (_way, isKnown) => {
  let tables: KnownTables;

  beforeEach(async () => {
    tables = new KnownTables();
    await know();
  });

  async function know(target: Partial<Children> = {}): Promise<void> {
    if (isKnown) await askOnce(Object.assign(new Children(), target));
  }

  async function ask(target: Children | undefined, { clock = systemClock, signal, from = pool }: Asking = {}): Promise<Message> {
    port = await openPort(moveQueryPort({ pool: from, clock, tables, target: () => target }));
    return await port.ask({ type: 'queryMoves', handle: '1-1', views: [] }, signal);
  }

  async function askOnce(target: Children): Promise<Message> {
    const answer = await ask(target);
    await port?.close();
    port = undefined;
    return answer;
  }

  test('brings the rows of one query, with what its snapshot sees', async () => {
    const target = new Children();

    const { pgSnapshot, ...answer } = await ask(target);

    const ids = target.read.map(([id]) => Number(id)).sort((left, right) => left - right);
    expect({ answer, ids, isSnapshot: typeof pgSnapshot }).toEqual({
      answer: { type: 'moves.queried', rows: 10 },
      ids: [3, 13, 23, 33, 43, 53, 63, 73, 83, 93],
      isSnapshot: 'object',
    });
  });

  test('takes newer snapshots until one is new enough', async () => {
    const opened = await database.session();
    await opened.query('BEGIN');
    const { rows } = await opened.query<{ xid: number }>('SELECT pg_current_xact_id()::text::int AS xid');
    const xid = Number(rows[0]?.xid) as Xid;
    let asked = 0;
    const target = new Children((pgSnapshot) => {
      asked += 1;
      if (asked === 2) void opened.query('COMMIT');
      return isVisible(xid, pgSnapshot);
    });

    const answer = await ask(target);

    expect({ type: answer.type, isRepeated: asked > 2 }).toEqual({ type: 'moves.queried', isRepeated: true });
  });

  test.each<[string, (abort: AbortController) => unknown]>([
    ['its caller goes', (abort) => abort.abort()],
    ['it is closed', () => port?.close()],
  ])('looks for no newer snapshot any more when %s', async (_, end) => {
    const [clock, abort] = [new ManualClock(), new AbortController()];
    let asked = 0;
    const target = new Children(() => {
      asked += 1;
      return false;
    });
    void ask(target, { clock, signal: abort.signal }); // Nobody is answered who does not wait any more.
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await end(abort);

    expect({ asked, timers: clock.pendingTimers }).toEqual({ asked: 1, timers: 0 });
  });

  test.each<[string, (target: Children) => void, string]>([
    ['brought rows', () => {}, 'moves.queried'],
    ['was refused', (target) => (target.where = { sql: '1 / ("id" - $1::int4) = 0', params: ['50'] }), 'moves.failed'],
  ])('a query that %s leaves its connection as others expect it, with an eye on us', async (_, alter, type) => {
    const target = new Children();
    alter(target);
    const one = await poolOfOne();
    const answer = await ask(target, { from: one });
    const [found] = await one.query(`
      SELECT current_setting('transaction_isolation') AS isolation, current_setting('client_connection_check_interval') AS watch`);
    await one.close();

    expect({ type: answer.type, ...found }).toEqual({ type, isolation: 'read committed', watch: '1s' });
  });

  test('values are written as the stream writes them, whatever the session says', async () => {
    await database.query(`
      DROP TABLE IF EXISTS times; CREATE TABLE times (at timestamptz); INSERT INTO times VALUES ('2020-01-01 00:00+00')`);
    const one = await poolOfOne();
    await one.query("SET TimeZone = 'Asia/Tokyo'");
    const all = { relation: { schema: 'public', name: 'times' }, columns: ['at'], where: undefined };
    await know(all);
    const target = Object.assign(new Children(), all);

    await ask(target, { from: one });
    await one.close();

    expect(target.read).toEqual([['2020-01-01 00:00:00+00']]);
  });

  test('what the snapshot saw is flushed when it answers', async () => {
    const writer = await database.session();
    await writer.query('SET synchronous_commit = off; UPDATE children SET parent = parent');

    const answer = await ask(new Children());
    const { insertLsn } = answer['pgSnapshot'] as { insertLsn: Lsn };
    const [row] = await database.query<{ flushed: string }>('SELECT pg_current_wal_flush_lsn()::text AS flushed');

    expect(compareLsn(lsnFromPostgres(row?.flushed ?? '0/0'), insertLsn)).toBeGreaterThanOrEqual(0);
  });

  test('who finds every connection at work waits on', async () => {
    let leave = (): void => {};
    const gate = new Promise<void>((resolve) => (leave = resolve));
    const busy = [1, 2].map(() => pool.use(() => gate));
    const asked = ask(new Children());
    // Longer than anybody waits in vain: the second one queues behind the first attempt of ours.
    for (const inVain of [1, 2]) await expect(pool.query(`SELECT ${inVain}`)).rejects.toThrow('no connection became free');
    leave();
    const answer = await asked;
    await Promise.all(busy);

    expect(answer.type).toBe('moves.queried');
  });

  /** Counts how often a connection is lent. */
  class CountedPool implements DatabasePool {
    lent = 0;
    readonly max = pool.max;
    readonly isLent = false;
    readonly isUp = true;
    readonly isWithheld = false;
    readonly counts = pool.counts;
    readonly open = (): Promise<void> => pool.open();
    readonly query: DatabasePool['query'] = (sql, params) => pool.query(sql, params);
    readonly begin: DatabasePool['begin'] = (client, sql) => pool.begin(client, sql);
    readonly probe = (): Promise<void> => pool.probe();
    readonly close = (): Promise<void> => pool.close();

    use<Result>(work: Parameters<typeof pool.use<Result>>[0]): Promise<Result> {
      this.lent += 1;
      return pool.use(work);
    }
  }

  test('shapes that ask while every connection is at work share the next snapshots, and each has its own rows', async () => {
    const counted = new CountedPool();
    let leave = (): void => {};
    const gate = new Promise<void>((resolve) => (leave = resolve));
    const busy = [1, 2].map(() => pool.use(() => gate));
    const targets = Array.from({ length: 40 }, (_, parent) => {
      const target = new Children();
      return Object.assign(target, { where: { ...target.where, params: [`{${parent % 10}}`] } });
    });
    const running = (port = await openPort(moveQueryPort({ pool: counted, target: (handle) => targets[Number(handle)] })));
    const asked = targets.map((_, index) => running.ask({ type: 'queryMoves', handle: String(index), views: [] }));
    leave();
    const answers = await Promise.all(asked);
    await Promise.all(busy);

    const read = targets.map(({ read: rows }) => rows.every(([, parent]) => parent === rows[0]?.[1]) && rows.length);
    expect({ types: new Set(answers.map(({ type }) => type)), read: new Set(read), lent: counted.lent < 20 }).toEqual({
      types: new Set(['moves.queried']), read: new Set([10]), lent: true,
    });
  });

  test('of shapes that share a snapshot one that is refused, or meets a bug of ours, is told so alone', async () => {
    const [good, refused, broken] = [new Children(), new Children(), new Children()];
    Object.assign(refused, { where: { sql: '"parent" / 0 = 1', params: [] } });
    broken.rows = () => Promise.reject(new InvariantError('what can never be'));
    const targets = [good, refused, new Children(), broken, new Children()];
    let leave = (): void => {};
    const gate = new Promise<void>((resolve) => (leave = resolve));
    const busy = [1, 2].map(() => pool.use(() => gate));
    const running = (port = await openPort(moveQueryPort({ pool, tables, target: (handle) => targets[Number(handle)] })));
    const asked = targets.map((_, index) => running.ask({ type: 'queryMoves', handle: String(index), views: [] }));
    leave();
    const answers = await Promise.all(asked);
    await Promise.all(busy);

    expect(answers.map(({ type }) => type)).toEqual([
      'moves.queried', 'moves.failed', 'moves.queried', 'moves.crashed', 'moves.queried',
    ]);
  });

  test('a table that has another shape now is told as such', async () => {
    const target = new Children();
    target.accepts = () => false;

    expect(await ask(target)).toMatchObject({ type: 'moves.failed', error: { code: 'schema_changed', status: 409 } });
  });

  test.each(['ENOSPC', 'EIO', 'EROFS'])('a disk that refuses the rows with %s is not told as a database that is away', async (code) => {
    const refusal = new DiskError('write', '/moved', Object.assign(new Error(code), { code }));
    const [full, unsynced] = [new Children(), new Children()];
    full.rows = () => Promise.reject(refusal);
    unsynced.complete = () => Promise.reject(refusal);

    const [written, synced] = [await askOnce(full), await askOnce(unsynced)];

    const error = { code: 'snapshot_failed', status: 500, message: expect.stringContaining(refusal.message) };
    const failed = { type: 'moves.failed', error };
    expect({ written, synced, isUp: pool.isUp }).toMatchObject({ written: failed, synced: failed, isUp: true });
  });

  const CALLED = ['rows', 'complete', 'isNewEnough', 'accepts'] as const;

  test.each(CALLED)('a bug of ours is told as such, and no attempt is made again (%s)', async (where) => {
    const target = new Children();
    let count = 0;
    const claim = (): never => {
      count += 1;
      throw new InvariantError('what can never be');
    };
    Object.assign(target, { [where]: claim });

    const answer = await ask(target);
    const next = await ask(new Children());

    const error = { name: 'InvariantError', message: 'what can never be', stack: expect.stringContaining('claim') };
    expect({ answer, next: next.type, count }).toMatchObject({
      answer: { type: 'moves.crashed', error },
      next: 'moves.queried',
      count: 1,
    });
  });

  test.each([
    { others: 'work', error: { code: 'session_ended', status: 503 } },
    { others: 'do not either', error: { code: 'connection_not_available', status: 503 } },
  ])('a session that is lost is told as such where others $others', async ({ others, error }) => {
    const away = () => Promise.reject(new DatabaseUnreachableError('Postgres is away'));
    const from = others === 'work' ? pool : (Object.create(pool, { probe: { value: away } }) as DatabasePool);
    const locking = await database.session();
    await locking.query('BEGIN; LOCK TABLE children');
    const answer = ask(new Children(), { from });
    const waiting = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    await database.until(`SELECT ${waiting}`);
    await database.query(`SELECT pg_terminate_backend(pid) ${waiting}`);
    const lost = await answer;
    await locking.query('COMMIT');

    expect(lost).toMatchObject({ type: 'moves.failed', error });
  });

  test('a table that is another one since it was asked is asked as what it is', async () => {
    const all = { relation: { schema: 'public', name: 'made_anew' } };
    const made = 'DROP TABLE IF EXISTS made_anew; CREATE TABLE made_anew (id int, parent int)';
    await database.query(made);
    await know(all);
    await database.query(`${made} PARTITION BY RANGE (id); CREATE TABLE made_part PARTITION OF made_anew DEFAULT;
      INSERT INTO made_anew VALUES (1, 3)`);
    const targets = [Object.assign(new Children(), all), Object.assign(new Children(), all)] as const;

    const answers = [await ask(targets[0]), await ask(targets[1])];

    const queried = { type: 'moves.queried', rows: 1 };
    expect(answers).toMatchObject([queried, queried]);
  });

  test('a session that has forgotten what it prepared is closed, and the next one is asked', async () => {
    const one = await poolOfOne();
    for (let times = 0; times < 2; times += 1) await ask(new Children(), { from: one });
    await one.query('DEALLOCATE ALL');

    const answers = [await ask(new Children(), { from: one }), await ask(new Children(), { from: one })];

    await one.close();
    expect(answers).toMatchObject([{ type: 'moves.failed', error: { status: 503 } }, { type: 'moves.queried', rows: 10 }]);
  });

  test('where sessions are lent, nothing is prepared', async () => {
    const lent = createPool({ target: targetOf(database.url), applicationName: 'lent', max: 1, isLent: true });
    await lent.open();

    const answers = [await ask(new Children(), { from: lent }), await ask(new Children(), { from: lent })];
    const prepared = await lent.query('SELECT name FROM pg_prepared_statements');

    await lent.close();
    const queried = { type: 'moves.queried', rows: 10 };
    expect({ answers, prepared }).toMatchObject({ answers: [queried, queried], prepared: [] });
  });

  test('nothing is asked when nobody keeps the values', async () => {
    expect(await ask(undefined)).toMatchObject({ type: 'moves.failed', error: { status: 503 } });
  });

  test('a table that is written anew while its rows are waited for is asked by a newer snapshot: its shapes go on', async () => {
    await database.query('DROP TABLE IF EXISTS anew; CREATE TABLE anew AS SELECT * FROM children');
    await know({ relation: { schema: 'public', name: 'anew' } });
    const altering = await database.session();
    await altering.query('BEGIN; ALTER TABLE anew ADD COLUMN at timestamptz DEFAULT clock_timestamp()');
    const [targets, one] = [[0, 1, 2].map(() => new Children()), await poolOfOne()];
    for (const target of targets) target.relation = { schema: 'public', name: 'anew' };
    const opened = (port = await openPort(moveQueryPort({ pool: one, tables, target: (handle) => targets[Number(handle)] })));
    const queryMoves = (handle: string): Promise<Message> => opened.ask({ type: 'queryMoves', handle, views: [] });

    const asked = ['0', '1'].map(queryMoves);
    await database.until(`
      SELECT FROM pg_stat_activity WHERE application_name = 'one' AND wait_event_type = 'Lock' AND datname = current_database()`);
    await altering.query('COMMIT');
    const answers = await Promise.all(asked);
    const later = await queryMoves('2');
    await one.close();

    const queried = { type: 'moves.queried', rows: 10 };
    expect([...answers, later]).toMatchObject([queried, queried, queried]);
  });
});
