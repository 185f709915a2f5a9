/** Rows of a large table, by a thread and a session of its own: what it reads, and what its end means. The thread runs what was built. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import type { Message } from '../../../src/otp/process.ts';
import { packageRoot } from '../../../src/observer/package-root.ts';
import { DatabaseRefusedError } from '../../../src/postgres/connection/database-error.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { readingOf } from '../../../src/postgres/snapshot/reading-transaction.ts';
import { RowsThreads } from '../../../src/postgres/snapshot/rows-thread.ts';
import { snapshotPort } from '../../../src/postgres/snapshot/snapshot-port.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingTarget } from '../../support/postgres/snapshot-target.ts';
import { arrayTemplate } from '../../support/shapes/array-template.ts';

const ROWS = 40_000;
const PROGRAM = new URL('dist/postgres/snapshot/rows-worker.js', packageRoot());
const IN_THREAD = `SELECT pid FROM pg_stat_activity WHERE application_name = 'in a thread' AND datname = current_database()`;
const COPIES = `${IN_THREAD} AND query LIKE 'COPY%'`;

let database: TestDatabase;
let pool: DatabasePool;
let port: RunningPort | undefined;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'snapshots', max: 2, queueMsMax: 500 });
  await pool.open();
  const large = `(id int, text text, flag boolean)`;
  await database.query(`
    CREATE TABLE large ${large};
    INSERT INTO large SELECT i, repeat('x', 500), i % 2 = 0 FROM generate_series(1, ${ROWS}) i;
    CREATE TABLE parts ${large} PARTITION BY RANGE (id);
    CREATE TABLE lower PARTITION OF parts FOR VALUES FROM (0) TO (${ROWS / 2});
    CREATE TABLE upper PARTITION OF parts DEFAULT;
    INSERT INTO parts SELECT * FROM large;
    CREATE TABLE small (id int, text text, flag boolean);
    INSERT INTO small VALUES (1, 'one', true), (2, NULL, NULL)`);
});
afterEach(async () => {
  await port?.close();
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

function threadsOf({ program = PROGRAM, max = 1, clock = systemClock }: { program?: URL; max?: number; clock?: Clock } = {}): RowsThreads {
  return new RowsThreads({ program, target: targetOf(database.url), applicationName: 'in a thread', max, clock });
}

/** The program itself, until it is told for the `count`-th time that a fragment was taken. */
function diesBehind(count: number): URL {
  return programOf(`
    import { parentPort } from 'node:worker_threads';
    await import('${PROGRAM.href}');
    let count = 0;
    parentPort.on('message', (word) => void (word === 'taken' && (count += 1) === ${count} && process.exit(7)));`);
}

function programOf(text: string): URL {
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

function tableOf(name: string): RecordingTarget {
  return new RecordingTarget({ name, columns: ['id', 'text', 'flag'], template: arrayTemplate(3) });
}

async function ask(target: RecordingTarget, threads: RowsThreads | undefined, signal?: AbortSignal): Promise<Message> {
  port = await openPort(snapshotPort({ pool, threads, target: () => target }));
  return await port.ask({ type: 'takeSnapshot', handle: '1-1', progressTo: '@asking' }, signal);
}

async function pidsIn(query: string): Promise<readonly unknown[]> {
  return (await database.query(query)).map(({ pid }) => pid);
}

const untilGone = (): Promise<unknown> => database.until(`SELECT WHERE NOT EXISTS (${IN_THREAD})`);

test.each(['large', 'parts'])('the rows of %s are the same by a thread as without one, and its session ends', async (name) => {
  const [apart, here] = [tableOf(name), tableOf(name)];
  const seen: unknown[] = [];
  apart.gate = async () => void seen.push(...(await pidsIn(IN_THREAD)));

  const answers = [await ask(apart, threadsOf()), await ask(here, undefined)];
  await untilGone();

  const sorted = ({ lines }: RecordingTarget): string => lines.split('],[').sort().join();
  expect({
    answers: answers.map(({ type }) => type), calls: apart.calls, sent: port?.sent.map(({ message }) => message.type),
    isSame: sorted(apart) === sorted(here), rows: apart.lines.split('],').length - 1, sessions: new Set(seen).size,
  }).toEqual({
    answers: ['snapshot.completed', 'snapshot.completed'], calls: ['begin', 'complete'], sent: ['snapshot.known', 'snapshot.started'],
    isSame: true, rows: ROWS, sessions: 1,
  });
});

test('a thread sees what the snapshot sees, not what was committed since', async () => {
  const target = tableOf('large');
  const { begin } = target;
  let late: Promise<unknown> = Promise.resolve();
  target.begin = (pgSnapshot) => {
    begin.call(target, pgSnapshot);
    late = database.query(`INSERT INTO large VALUES (-1, 'late', true)`);
  };

  const answer = await ask(target, threadsOf());
  await late;
  await database.query('DELETE FROM large WHERE id = -1');

  expect({ type: answer.type, isLateThere: target.lines.includes('"late"') }).toEqual({ type: 'snapshot.completed', isLateThere: false });
});

test.each<readonly [string, string, () => RowsThreads]>([
  ['a small table', 'small', () => threadsOf()],
  ['a table for which no thread is free', 'large', () => threadsOf({ max: 0 })],
  ['a table whose thread cannot be started', 'large', () => threadsOf({ program: new URL('missing.js', PROGRAM) })],
  ['a table whose thread ends before it asks anything', 'large', () => threadsOf({ program: programOf('process.exit()') })],
])('%s is read without one', async (_, name, threads) => {
  const target = tableOf(name);
  const seen: unknown[] = [];
  target.gate = async () => void seen.push(...(await pidsIn(COPIES)));

  const answer = await ask(target, threads());

  expect({ type: answer.type, seen, rows: target.lines.split('],').length - 1 }).toEqual({
    type: 'snapshot.completed', seen: [], rows: name === 'small' ? 2 : ROWS,
  });
});

test('a thread stays for the next table without a session, and no longer than for a while', async () => {
  const clock = new ManualClock();
  const threads = threadsOf({ clock });
  const [first, second] = [tableOf('large'), tableOf('parts')];

  const answers = [await ask(first, threads), await ask(second, threads)];
  await untilGone();
  const kept = clock.pendingTimers;
  clock.advance(30_000);

  const rows = [first, second].map(({ lines }) => lines.split('],').length - 1);
  expect({ answers: answers.map(({ type }) => type), rows, kept, timers: clock.pendingTimers }).toEqual({
    answers: ['snapshot.completed', 'snapshot.completed'], rows: [ROWS, ROWS], kept: 1, timers: 0,
  });
});

test('a port that is closed keeps none', async () => {
  const clock = new ManualClock();

  await ask(tableOf('large'), threadsOf({ clock }));
  const kept = clock.pendingTimers;
  await port?.close();

  expect({ kept, timers: clock.pendingTimers }).toEqual({ kept: 1, timers: 0 });
});

test('a thread that ends in the midst of the rows is the failure of that snapshot alone', async () => {
  const threads = threadsOf({ program: diesBehind(2) });
  const target = tableOf('large');

  const answer = await ask(target, threads);
  await untilGone();
  const [row] = await pool.query('SELECT 1 AS one');

  expect({ answer, last: target.calls.at(-1), hasRoom: threads.hasRoom, row }).toEqual({
    answer: {
      type: 'snapshot.failed', handle: '1-1',
      error: {
        name: 'snapshot_thread_ended', code: 'snapshot_thread_ended', status: 503, message: 'The thread that read the rows has ended',
      },
    },
    last: 'abort', hasRoom: true, row: { one: 1 },
  });
});

test.each<readonly [string, (target: RecordingTarget, abort: AbortController) => void, object]>([
  ['its session is ended', (target) => {
    target.gate = async () => void (await database.query(`SELECT pg_terminate_backend(pid) FROM (${IN_THREAD}) of_thread`));
  }, { code: 'connection_not_available', status: 503 }],
  ['the rows have no place', (target) => {
    target.gate = () => Promise.reject(new Error('the disk is full'));
  }, { status: 500, message: 'Unexpected error while creating snapshot: the disk is full' }],
  ['nobody waits any more', (target, abort) => {
    target.gate = () => Promise.resolve(abort.abort());
  }, { code: 'connection_not_available', status: 503 }],
  ['the session that exported the snapshot is lost', (target) => {
    target.gate = async () => {
      await database.query(`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'snapshots' AND datname = current_database()`);
      await new Promise<void>(() => {}); // It is not found out by what is asked later.
    };
  }, { code: 'connection_not_available', status: 503 }],
])('where %s the thread and its session end', async (_, happens, error) => {
  const [threads, target, abort] = [threadsOf(), tableOf('large'), new AbortController()];
  happens(target, abort);

  const answer = await ask(target, threads, abort.signal);
  await untilGone();

  expect({ answer, last: target.calls.at(-1), hasRoom: threads.hasRoom }).toMatchObject({
    answer: { type: 'snapshot.failed', error }, last: 'abort', hasRoom: true,
  });
});

test('what Postgres refuses in a thread is that refusal', async () => {
  const session = await database.session();
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const { rows: [exported] } = await session.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot');
  const begin = readingOf(exported?.snapshot ?? '', "SET LOCAL lock_timeout = '5s'");
  const calls: string[] = [];
  const note = (call: string) => () => Promise.resolve(void calls.push(call));
  const reader = { onFirst: () => {}, rows: note('rows'), confirm: note('confirm'), signal: new AbortController().signal };
  const task = { begin, template: arrayTemplate(1), isBoolean: [false] };

  const sql = 'SELECT 1 / (i - 70000) FROM generate_series(1, 80000) i';
  const refused = await threadsOf().read({ ...task, sql }, reader).catch((error: unknown) => error);

  expect({ isTyped: refused instanceof DatabaseRefusedError, refused, isConfirmed: calls.includes('confirm') }).toMatchObject({
    isTyped: true, refused: { code: '22012', message: 'division by zero' }, isConfirmed: false,
  });
});

test('a thread is held back while its rows are not taken', async () => {
  const gate = { open: (): void => {} };
  const opened = new Promise<void>((done) => (gate.open = done));
  const target = tableOf('large');
  target.gate = () => opened;

  const answer = ask(target, threadsOf());
  await database.until(`${COPIES} AND wait_event = 'ClientWrite'`);
  const meanwhile = target.lines.split('],').length - 1;
  gate.open();
  await answer;

  expect({ few: meanwhile < ROWS / 10, all: target.lines.split('],').length - 1 }).toEqual({ few: true, all: ROWS });
});

test('a table that somebody keeps locked is refused in words', async () => {
  const locking = await database.session();
  await locking.query("SET application_name = 'a migration'; BEGIN; LOCK TABLE large");

  const { type, error } = await ask(tableOf('large'), threadsOf());
  await locking.query('ROLLBACK');

  expect({ type, error }).toMatchObject({
    type: 'snapshot.failed', error: { code: 'lock_timeout', status: 503, holders: [expect.stringContaining('a migration')] },
  });
});

test('a table that is written anew while it is waited for is asked for anew', async () => {
  await database.query(`CREATE TABLE rewritten AS TABLE large`);
  const altering = await database.session();
  await altering.query(`BEGIN; ALTER TABLE rewritten ADD COLUMN at timestamptz DEFAULT clock_timestamp()`);

  const answer = ask(tableOf('rewritten'), threadsOf());
  await database.until(`
    SELECT FROM pg_stat_activity WHERE application_name = 'snapshots' AND wait_event_type = 'Lock' AND datname = current_database()`);
  await altering.query('COMMIT');

  expect(await answer).toMatchObject({ type: 'snapshot.failed', error: { code: 'schema_changed', status: 409 } });
});
