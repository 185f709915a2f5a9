import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CHANGE_KINDS } from '../../../src/model/change.ts';
import { type Lsn, LSN_ZERO, lsnFromPostgres, lsnOf } from '../../../src/model/lsn.ts';
import type { StreamSource } from '../../../src/model/stream-source.ts';
import { connect, processOf } from '../../../src/postgres/connection/connection.ts';
import { HeldLock } from '../../../src/postgres/connection/held-lock.ts';
import { PgoutputError } from '../../../src/postgres/replication/pgoutput-parser.ts';
import { replicationPort, type ReplicationPortOptions } from '../../../src/postgres/replication/replication-port.ts';
import { NOTHING_STORED, type StoredStream } from '../../../src/postgres/replication/slot-standing.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';
import { HAS_TRANSACTION_TIMEOUT } from '../../support/postgres/transaction-timeout.ts';

let database: TestDatabase;
let sink: RecordingSink;
let port: RunningPort | undefined;
/** Whose stream the sink's log has, and how far. */
let stored: StoredStream;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  sink = new RecordingSink();
  stored = NOTHING_STORED;
});
afterEach(async () => {
  await port?.close();
  port = undefined;
  await database.query(`
    DO $$ BEGIN
      FOR attempt IN 1..200 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND active);
        PERFORM pg_sleep(0.02);
      END LOOP;
      PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${database.name}';
    END $$;
    DROP PUBLICATION IF EXISTS armature_test;
    DROP SCHEMA public CASCADE; CREATE SCHEMA public`);
});

async function open(options: Partial<ReplicationPortOptions> = {}): Promise<RunningPort> {
  return await openPort(
    replicationPort({
      target: targetOf(database.url), slot: database.name, publication: 'armature_test', owner: '@owner', sink, transactionBytesMax: 1e9,
      stored: () => stored,
      lastCommitLsn: () => sink.commits.at(-1)?.lsn ?? LSN_ZERO,
      ...options,
    }),
  );
}

/** As the replication client does it when there is no slot. */
async function begin(running: RunningPort): Promise<void> {
  await running.ask({ type: 'connect' });
  const { lsn, source } = await running.ask({ type: 'createSlot' });
  stored = { source: source as StreamSource, heldLsn: lsn as Lsn };
}

/** The sink has all that it was told, durably. */
function hold(running: RunningPort, heldLsn = sink.passedLsn): void {
  stored = { ...stored, heldLsn };
  running.tell({ type: 'acknowledge' });
}

/** A table `items`, published, and a stream that runs. */
async function startStream(columns = 'id int PRIMARY KEY, text text', options: Partial<ReplicationPortOptions> = {}): Promise<RunningPort> {
  await database.query(`CREATE TABLE items (${columns}); ALTER TABLE items REPLICA IDENTITY FULL`);
  port = await open(options);
  await begin(port);
  await database.query('ALTER PUBLICATION armature_test ADD TABLE items');
  await port.ask({ type: 'startStreaming' });
  return port;
}

async function confirmed(): Promise<Lsn> {
  const [slot] = await database.query<{ lsn: string }>(
    `SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = '${database.name}'`,
  );
  return lsnFromPostgres(slot?.lsn ?? '');
}

const WALSENDER = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'walsender'`;

const { insert, update, delete: remove, truncate, gap } = CHANGE_KINDS;

test('tells every row operation of a transaction, in order, with old and new rows', async () => {
  await startStream();

  await database.query(`BEGIN; INSERT INTO items VALUES (1, 'one'), (2, NULL); UPDATE items SET text = 'ONE' WHERE id = 1;
    UPDATE items SET id = 3 WHERE id = 2; DELETE FROM items WHERE id = 1; COMMIT`);
  await database.query('TRUNCATE items');
  await sink.until(({ transactions }) => transactions.length === 2);

  expect(sink.transactions.map(({ changes }) => changes)).toEqual([
    [
      { kind: insert, table: 'items', position: 0, new: ['1', 'one'] },
      { kind: insert, table: 'items', position: 2, new: ['2', null] },
      { kind: update, table: 'items', position: 4, old: ['1', 'one'], new: ['1', 'ONE'] },
      { kind: update, table: 'items', position: 6, old: ['2', null], new: ['3', null] },
      { kind: remove, table: 'items', position: 8, old: ['1', 'ONE'] },
    ],
    [{ kind: truncate, table: 'items', position: 0 }],
  ]);
});

test('keeps a rolled-back transaction and a rolled-back savepoint to itself', async () => {
  await startStream();

  await database.query(`BEGIN; INSERT INTO items VALUES (1, 'gone'); ROLLBACK`);
  await database.query(`
    BEGIN; INSERT INTO items VALUES (2, 'kept'); SAVEPOINT s; INSERT INTO items VALUES (3, 'gone'); ROLLBACK TO s; COMMIT`);
  await sink.until(({ transactions }) => transactions.length === 1);

  expect(sink.rows).toEqual([{ kind: insert, table: 'items', position: 0, new: ['2', 'kept'] }]);
});

test('fills an unchanged TOAST value from the old row', async () => {
  await startStream('id int PRIMARY KEY, large text, n int');
  const [{ large = '' } = {}] = await database.query<{ large: string }>(
    `SELECT string_agg(md5(i::text), '') AS large FROM generate_series(1, 2000) i`,
  );

  await database.query('INSERT INTO items VALUES (1, $1, 0)', [large]);
  await database.query('UPDATE items SET n = 1');
  await sink.until(({ transactions }) => transactions.length === 2);

  expect(sink.rows[1]?.new).toEqual(['1', large, '1']);
});

test('gives each truncated table a position of its own', async () => {
  const running = await startStream();
  await database.query('CREATE TABLE others (id int); ALTER PUBLICATION armature_test ADD TABLE others');

  await database.query('TRUNCATE items, others');
  await sink.until(({ transactions }) => transactions.length > 0);

  const positions = sink.rows.map(({ kind, position }) => ({ kind, position }));
  expect({ positions, ended: running.sent }).toEqual({
    positions: [{ kind: truncate, position: 0 }, { kind: truncate, position: 2 }],
    ended: [],
  });
});

test('confirms nothing beyond what was acknowledged, and all of it then', async () => {
  const running = await startStream();
  await database.query(`INSERT INTO items VALUES (1, 'a')`);
  await database.query(`INSERT INTO items VALUES (2, 'b')`);
  await sink.until(({ transactions }) => transactions.length === 2);
  const [first, second] = sink.transactions.map(({ lsn }) => BigInt(lsn)) as [bigint, bigint];

  hold(running, lsnOf(first + 1n));
  const before = await confirmedAbove(first);
  hold(running);
  const after = await confirmedAbove(second);

  expect({ heldBack: before <= second, released: after > second }).toEqual({ heldBack: true, released: true });
});

test('confirms WAL of others only when it is held as well', async () => {
  const running = await startStream();
  await database.query('CREATE TABLE others (id int); INSERT INTO others VALUES (1)');
  await sink.until(({ lastProgress }) => lastProgress !== undefined && BigInt(lastProgress) > BigInt(stored.heldLsn));
  running.tell({ type: 'acknowledge' });
  await database.until(`SELECT FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid
    WHERE s.slot_name = '${database.name}' AND r.write_lsn > r.flush_lsn`);
  const [begun, before, passed] = [stored.heldLsn, await confirmed(), BigInt(sink.passedLsn)];
  hold(running);

  expect({ before, isReleased: (await confirmedAbove(passed - 1n)) >= passed }).toEqual({ before: begun, isReleased: true });
});

test('says farewell with what is held when it is told to disconnect', async () => {
  const running = await startStream();
  await database.query(`INSERT INTO items VALUES (1, 'a')`);
  await sink.until(({ transactions }) => transactions.length === 1);
  const lsn = BigInt(sink.transactions[0]?.lsn ?? LSN_ZERO);

  hold(running);
  running.tell({ type: 'disconnect' });
  await slotIsFree();

  expect(BigInt(await confirmed()) > lsn).toBe(true);
});

test('goes on behind the last commit it has, also when Postgres sends more', async () => {
  const running = await startStream();
  await database.query(`INSERT INTO items VALUES (1, 'a')`);
  await sink.until(({ transactions }) => transactions.length === 1);
  running.tell({ type: 'disconnect' });

  await database.query(`INSERT INTO items VALUES (2, 'b')`);
  await slotIsFree();
  const answer = await running.ask({ type: 'connect' });
  await running.ask({ type: 'startStreaming' });
  await sink.until(({ transactions }) => transactions.length === 2);

  const rows = sink.rows.map((row) => row.new);
  expect({ standing: answer['standing'], rows }).toEqual({ standing: 'continued', rows: [['1', 'a'], ['2', 'b']] });
});

test('a stream that is given up says nothing of its end, and disturbs no later attempt', async () => {
  const running = await startStream();
  running.tell({ type: 'disconnect' });

  const { type } = await running.ask({ type: 'connect' });

  expect({ type, sent: running.sent }).toEqual({ type: 'replication.connected', sent: [] });
});

test('a stream of ours that another instance has left at the slot is ended, so that the next can begin', async () => {
  const left = await startStream();
  const next = await open();
  const { standing } = await next.ask({ type: 'connect' });

  const { error } = await left.awaitSent('replication.ended');
  const { type } = await next.ask({ type: 'startStreaming' });
  await left.close();
  await next.close();

  expect({ standing, error, type }).toEqual({
    standing: 'continued', error: { code: 'database_unreachable', message: expect.any(String) }, type: 'replication.streaming',
  });
});

test.each([
  ['has lost the lock', (session: Session) => session.end()],
  ['has never had the lock', (session: Session) => (session.held.process = undefined)],
  ['has the lock of another slot', (session: Session) => session.exchange('another')],
  ['waits for the lock', (session: Session) => session.waitBehind()],
])('who %s does not end the stream of who has it', async (_, change) => {
  await startStream();
  const session = await lockedSession();
  await change(session);
  const other = await open({ lock: session.held });

  const answer = await other.ask({ type: 'connect' });

  await Promise.all([other.close(), session.end()]);
  await database.query('INSERT INTO items VALUES (1)');
  await sink.until(({ transactions }) => transactions.length === 1);
  expect(answer).toMatchObject({ type: 'replication.refused', error: { code: 'lock_lost' }, fatal: false });
});

test('who has the lock ends the stream, and drops a slot that does not go on: not when it was lost in between', async () => {
  await startStream();
  const before = await confirmed();
  stored = NOTHING_STORED;
  const lock = await lockedSession();
  const other = await open({ lock: lock.held });

  const { type, standing } = await other.ask({ type: 'connect' });
  await lock.end();
  const answer = await other.ask({ type: 'createSlot' });

  await other.close();
  expect([type, standing, answer, await confirmed()]).toEqual([
    'replication.connected', 'lost',
    { type: 'replication.refused', error: { code: 'lock_lost', message: expect.any(String) }, fatal: false },
    before,
  ]);
});

interface Session {
  readonly held: HeldLock;
  /** It has the lock of that slot, and no other. */
  exchange(slot: string): Promise<void>;
  /** Somebody else has the lock, and it stands behind that one. */
  waitBehind(): Promise<void>;
  end(): Promise<void>;
}

const LOCK = 'SELECT pg_advisory_lock(hashtext($1))';

/** Has the lock of the slot until it ends. */
async function lockedSession(): Promise<Session> {
  const session = () => connect(targetOf(database.url), { applicationName: 'armature lock' });
  const [client, other] = [await session(), await session()];
  const pid = processOf(client);
  await client.query(LOCK, [database.name]);
  const held = new HeldLock();
  held.process = pid;
  return {
    held,
    async exchange(slot) {
      await client.query('SELECT pg_advisory_unlock_all()');
      await client.query(LOCK, [slot]);
    },
    async waitBehind() {
      await client.query('SELECT pg_advisory_unlock_all()');
      await other.query(LOCK, [database.name]);
      client.query(LOCK, [database.name]).catch(() => {}); // It is ended meanwhile.
      await database.until(`SELECT FROM pg_stat_activity WHERE pid = ${pid} AND wait_event = 'advisory'`);
    },
    async end() {
      await Promise.all([client.end(), other.end()]);
      await database.until(`SELECT WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = ${pid})`);
    },
  };
}

test('a slot is judged as it is when its stream has been ended', async () => {
  const left = await startStream();
  await database.query('COMMENT ON PUBLICATION armature_test IS NULL');
  stored = NOTHING_STORED;
  const next = await open();

  const { error } = await next.ask({ type: 'connect' });

  await left.awaitSent('replication.ended');
  await next.close();
  expect(error).toEqual({ code: 'slot_not_ours', message: expect.not.stringContaining('streams from it now') });
});

test('who hastens a slot leaves no session behind', async () => {
  const writer = await database.session();
  await database.query('CREATE TABLE items (id int)');
  await writer.query('BEGIN; INSERT INTO items VALUES (1)');
  port = await open();
  await port.ask({ type: 'connect' });
  const made = port.ask({ type: 'createSlot' });
  await database.until(`${WALSENDER} AND wait_event_type = 'Lock'`);

  port.tell({ type: 'hastenSlot' });
  const { transactions } = await port.awaitSent('slot.awaited');
  await database.until(`SELECT WHERE NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE application_name = 'armature slot' AND datname = current_database())`);

  await writer.query('COMMIT');
  expect([transactions, (await made).type]).toEqual([[expect.stringContaining('process')], 'replication.slotCreated']);
});

test('a stream that a role has left is ended, also where the role takes another one as it comes', async () => {
  const running = await startStream();
  running.tell({ type: 'disconnect' });
  await slotIsFree();
  const [role, taken] = [`role_${database.name}`, `taken_${database.name}`];
  await database.query(`
    CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'word'; CREATE ROLE ${taken} REPLICATION;
    GRANT ${taken} TO ${role}; ALTER ROLE ${role} SET role = ${taken}`);
  const target = { ...targetOf(database.url), user: role, password: 'word' };
  const [left, next] = [await open({ target }), await open({ target })];
  await left.ask({ type: 'connect' });
  await left.ask({ type: 'startStreaming' });

  const { type } = await next.ask({ type: 'connect' });
  const answer = await next.ask({ type: 'startStreaming' });

  const { error } = await left.awaitSent('replication.ended');
  await Promise.all([left.close(), next.close()]);
  await database.query(`DROP ROLE ${role}; DROP ROLE ${taken}`);
  expect([type, answer, error]).toEqual([
    'replication.connected', { type: 'replication.streaming' }, { code: 'database_unreachable', message: expect.any(String) },
  ]);
});

test.each([
  ['program', 'a copy', false],
  ['role', 'armature replication', true],
])('a stream of another %s is left alone', async (_, applicationName, isAnotherRole) => {
  const running = await startStream();
  running.tell({ type: 'disconnect' });
  await slotIsFree();
  const role = `role_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'word'`);
  const credentials = isAnotherRole ? { user: role, password: 'word' } : {};
  const other = await connect({ ...targetOf(database.url), ...credentials }, { applicationName, replication: 'database' });
  const copying = other.query(`START_REPLICATION SLOT ${database.name} LOGICAL 0/0 (proto_version '1', publication_names 'armature_test')`);
  const ended = copying.catch(() => {});
  await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND active`);

  await running.ask({ type: 'connect' });
  const answer = await running.ask({ type: 'startStreaming' });
  const isStill = await database.query(`SELECT active FROM pg_replication_slots WHERE slot_name = '${database.name}'`);
  other.connection.stream.destroy();
  await ended;
  await database.query(`DROP ROLE ${role}`);

  expect([answer, isStill]).toMatchObject([{ type: 'replication.refused', error: { code: '55006' } }, [{ active: true }]]);
});

test('abandons the open transaction and tells its owner when the connection breaks', async () => {
  const running = await startStream();
  await database.query(`INSERT INTO items SELECT i, repeat('x', 1000) FROM generate_series(1, 1000) i`);
  await sink.until(({ transactions }) => transactions.length === 1);

  await database.query(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${database.name}'`);

  const { error, fatal } = await running.awaitSent('replication.ended');
  expect({ error, fatal }).toEqual({ error: { code: 'database_unreachable', message: expect.any(String) }, fatal: false });
});

/** A sink that cannot take what comes. */
function failingWith(error: Error): RecordingSink {
  return new (class extends RecordingSink {
    override changes(): void {
      throw error;
    }
  })();
}

test('ends itself with a bug of the sink, and tells nobody that the stream has ended', async () => {
  const bug = new TypeError('no such thing');
  const running = await startStream(undefined, { sink: failingWith(bug) });

  await database.query(`INSERT INTO items VALUES (1, 'a')`);

  expect({ exited: await running.exited, sent: running.sent }).toEqual({ exited: bug, sent: [] });
});

test('ends for good at what is not the protocol', async () => {
  const running = await startStream(undefined, { sink: failingWith(new PgoutputError('unknown message type "b"')) });

  await database.query(`INSERT INTO items VALUES (1, 'a')`);

  expect(await running.awaitSent('replication.ended')).toEqual({
    type: 'replication.ended', error: { code: 'malformed_stream', message: 'unknown message type "b"' }, fatal: true,
  });
});

test('tells a gap where old rows are missing, and goes on with the tables that have them, in the same transaction too', async () => {
  await startStream();
  await database.query('CREATE TABLE others (id int PRIMARY KEY, text text, large text); ALTER PUBLICATION armature_test ADD TABLE others');
  await database.query(`
    INSERT INTO others SELECT i, 'a', string_agg(md5(n::text), '') FROM generate_series(1, 3) i, generate_series(1, 500) n GROUP BY i`);

  await database.query(`
    BEGIN; UPDATE others SET text = 'b'; DELETE FROM others WHERE id = 2; INSERT INTO items VALUES (1, 'kept'); COMMIT`);
  await database.query(`UPDATE items SET text = 'kept too'`);
  await sink.until(({ rows }) => rows.some(({ kind }) => kind === update));

  expect(sink.transactions.slice(1).map(({ changes }) => changes)).toEqual([
    [
      { kind: insert, table: 'items', position: 8, new: ['1', 'kept'] },
      { kind: gap, table: 'others', position: 0, cause: 'replicaIdentity' },
    ],
    [{ kind: update, table: 'items', position: 0, old: ['1', 'kept'], new: ['1', 'kept too'] }],
  ]);
});

test('keeps nothing of a transaction over the limit but its tables, and goes on', async () => {
  await startStream(undefined, { transactionBytesMax: 1_000_000 });
  await database.query('CREATE TABLE others (id int); ALTER PUBLICATION armature_test ADD TABLE others');

  await database.query(`
    BEGIN; INSERT INTO others VALUES (1); INSERT INTO items SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) i; COMMIT`);
  await database.query(`UPDATE items SET text = 'kept' WHERE id = 1`);
  await sink.until(({ transactions }) => transactions.length === 2);

  expect({ transactions: sink.transactions.map(({ changes }) => changes), bytesMax: sink.openBytesMax < 1_100_000 }).toEqual({
    transactions: [
      ['others', 'items'].map((table) => ({ kind: gap, table, position: 0, cause: 'transactionTooLarge' })),
      [expect.objectContaining({ kind: update, new: ['1', 'kept'] })],
    ],
    bytesMax: true,
  });
});

test('passes a large transaction on in fragments, while it still arrives', async () => {
  await startStream();

  await database.query(`INSERT INTO items SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 5000) i`);
  await sink.until(({ transactions }) => transactions.length === 1);

  const [{ changes, fragmentCount } = { changes: [], fragmentCount: 0 }] = sink.transactions;
  expect({ rows: changes.length, last: changes.at(-1)?.position, several: fragmentCount > 3 }).toEqual({
    rows: 5000, last: 9998, several: true,
  });
});

test('a row of several mebibytes arrives whole', async () => {
  await startStream();

  await database.query(`INSERT INTO items VALUES (1, repeat('é"', 1500000))`);
  await sink.until(({ transactions }) => transactions.length === 1);

  expect(sink.rows[0]?.new?.[1] === 'é"'.repeat(1_500_000)).toBe(true);
});

test('reads nothing while the sink is congested, and everything afterwards', async () => {
  await startStream();
  const gate = { open: (): void => {} };
  await database.query(`INSERT INTO items VALUES (0, 'first')`);
  await sink.until(({ transactions }) => transactions.length === 1);
  sink.congestion = new Promise((done) => (gate.open = done));

  await database.query(`INSERT INTO items SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i`);
  await database.until(`${WALSENDER} AND wait_event = 'WalSenderWriteData'`); // The way to us is full.
  const meanwhile = sink.transactions.length;
  sink.congestion = undefined;
  gate.open();
  await sink.until(({ transactions }) => transactions.length === 2);

  expect({ meanwhile, rows: sink.rows.length }).toEqual({ meanwhile: 1, rows: 20_001 });
});

test('keeps the connection alive while the sink is congested', async () => {
  await database.query(`ALTER DATABASE ${database.name} SET wal_sender_timeout = '3s'`);
  await startStream();
  const gate = { open: (): void => {} };
  await database.query(`INSERT INTO items VALUES (1, 'first')`);
  await sink.until(({ transactions }) => transactions.length === 1);
  sink.congestion = new Promise((done) => (gate.open = done));
  await database.query(`INSERT INTO items VALUES (2, 'second')`);

  await database.until(`SELECT FROM pg_stat_replication
    WHERE application_name = 'armature replication' AND reply_time > backend_start + interval '5 s'
    AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`);
  sink.congestion = undefined;
  gate.open();
  await sink.until(({ transactions }) => transactions.length === 2);

  await database.query(`ALTER DATABASE ${database.name} RESET wal_sender_timeout`);
  expect(sink.rows.map((row) => row.new?.[1])).toEqual(['first', 'second']);
});

const PUBLICATION_VERSION = expect.stringMatching(/^\d+\.\d+$/) as string;
const SLOTS = 'SELECT slot_name AS name, temporary FROM pg_replication_slots WHERE database = current_database()';

test('makes the publication when it connects, and the slot only when it is asked to', async () => {
  port = await open();
  const first = await port.ask({ type: 'connect' });
  const [before, early] = [await database.query(SLOTS), await port.ask({ type: 'startStreaming' })];
  await begin(port);
  const again = await port.ask({ type: 'connect' });

  const source = { systemId: expect.stringMatching(/^\d+$/), timeline: '1', database: database.name, slot: database.name };
  const told = { type: 'replication.connected', hasSwitched: false, source };
  expect({ first, before, early: early.type, again, after: await database.query(SLOTS) }).toEqual({
    first: { ...told, standing: 'new', isNoted: false, why: `there is no replication slot "${database.name}" yet` },
    before: [],
    early: 'replication.refused',
    again: { ...told, source: { ...source, publication: PUBLICATION_VERSION }, standing: 'continued', isNoted: true, why: '' },
    after: [{ name: database.name, temporary: false }],
  });
});

test('a slot of ours that does not continue what is stored is streamed from only when it is made anew', async () => {
  port = await open();
  await begin(port);
  stored = NOTHING_STORED;
  const before = await confirmed();

  const { standing } = await port.ask({ type: 'connect' });
  const early = await port.ask({ type: 'startStreaming' });
  await port.ask({ type: 'createSlot' });

  expect({ standing, early: early.type, isNewer: BigInt(await confirmed()) > BigInt(before) }).toEqual({
    standing: 'lost',
    early: 'replication.refused',
    isNewer: true,
  });
});

const COMMENT = "SELECT obj_description(oid) AS comment FROM pg_publication WHERE pubname = 'armature_test'";

test('a slot is marked in the comment of its publication, behind what stands there, before it is made', async () => {
  await database.query(`CREATE PUBLICATION armature_test; COMMENT ON PUBLICATION armature_test IS E'it''s \\\\ ours\nhands off'`);
  port = await open();
  const { source } = await port.ask({ type: 'connect' });
  const early = await database.query(COMMENT);
  await begin(port);

  const mark = `Armature made the replication slot ${database.name} of system ${(source as StreamSource).systemId}.`;
  const marked = [{ comment: `it's \\ ours\nhands off\n${mark}` }];
  expect({ early, later: await database.query(COMMENT) }).toEqual({ early: marked, later: marked });
});

test('a slot whose publication belongs to another role is made without a mark', async () => {
  const role = `role_${database.name}`;
  await database.query(`CREATE PUBLICATION armature_test; CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'word'`);
  port = await open({ target: { ...targetOf(database.url), user: role, password: 'word' } });
  await port.ask({ type: 'connect' });
  const made = await port.ask({ type: 'createSlot' });
  port.tell({ type: 'disconnect' });

  const comment = await database.query(COMMENT);
  await database.query(`DROP ROLE ${role}`);
  expect({ isMarked: made['isMarked'], comment }).toEqual({ isMarked: false, comment: [{ comment: null }] });
});

test('a mark that went is made again while the slot goes on', async () => {
  port = await open();
  await begin(port);
  const [marked] = await database.query(COMMENT);
  await database.query('COMMENT ON PUBLICATION armature_test IS NULL');

  const { standing } = await port.ask({ type: 'connect' });

  expect({ standing, again: await database.query(COMMENT) }).toEqual({ standing: 'continued', again: [marked] });
});

test('a slot that somebody makes while ours is about to be made is left to them', async () => {
  port = await open();
  await port.ask({ type: 'connect' });
  await database.query(`SELECT pg_create_logical_replication_slot('${database.name}', 'pgoutput')`);
  const before = await confirmed();

  const refused = await port.ask({ type: 'createSlot' });

  expect({ refused, after: await confirmed() }).toMatchObject({
    refused: { type: 'replication.refused', error: { code: '42710' }, fatal: false },
    after: before,
  });
});

test('a temporary slot ends with its connection, and is missing at the next', async () => {
  port = await open({ isSlotTemporary: true });
  await begin(port);
  const [slots, streaming] = [await database.query(SLOTS), await port.ask({ type: 'startStreaming' })];
  port.tell({ type: 'disconnect' });
  await database.until(`SELECT WHERE NOT EXISTS (${SLOTS})`);

  const { standing } = await port.ask({ type: 'connect' });

  expect({ slots, streaming: streaming.type, standing }).toEqual({
    slots: [{ name: database.name, temporary: true }],
    streaming: 'replication.streaming',
    standing: 'lost',
  });
});

test('a slot that is older than the publication is gone before the publication is made', async () => {
  port = await open();
  await begin(port);
  await database.query('DROP PUBLICATION armature_test');

  const { standing } = await port.ask({ type: 'connect' });

  expect({ standing, slots: await database.query(SLOTS) }).toEqual({ standing: 'lost', slots: [] });
});

test('a connection that is given up while it is made answers that, and leaves none behind', async () => {
  port = await open();
  const first = port.ask({ type: 'connect' });
  port.tell({ type: 'disconnect' });
  const second = await port.ask({ type: 'connect' });
  const [{ count } = { count: 0 }] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM (${WALSENDER}) senders`);

  expect({ first: (await first).type, second: second.type, count }).toEqual({
    first: 'replication.refused', second: 'replication.connected', count: 1,
  });
});

const COMPLETE = 'SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AS "isComplete" FROM pg_publication WHERE pubname = $1';

test('lets a publication that leaves out an operation pass on all of them, once the log has let go of the stream', async () => {
  await database.query(`CREATE PUBLICATION armature_test WITH (publish = 'insert, update')`);
  port = await open();

  await port.ask({ type: 'connect' });
  const [before] = await database.query(COMPLETE, ['armature_test']);
  const { type } = await port.ask({ type: 'createSlot' });

  const [after] = await database.query(COMPLETE, ['armature_test']);
  expect({ before, type, after }).toEqual({ before: { isComplete: false }, type: 'replication.slotCreated', after: { isComplete: true } });
});

test('refuses a publication that leaves out an operation where that is an operator\'s business', async () => {
  await database.query(`CREATE PUBLICATION armature_test WITH (publish = 'insert, update')`);
  port = await open({ isManual: true });
  await port.ask({ type: 'connect' });

  const answer = await port.ask({ type: 'createSlot' });

  expect({ answer, slots: await database.query(SLOTS) }).toEqual({
    answer: {
      type: 'replication.refused',
      error: {
        code: 'publication_incomplete',
        message: 'Publication "armature_test" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE',
      },
      fatal: true,
    },
    slots: [],
  });
});

test('leaves the slot where it is when its publication is refused', async () => {
  port = await open({ isManual: true });
  await begin(port);
  await database.query("ALTER PUBLICATION armature_test SET (publish = 'insert')");
  await port.ask({ type: 'connect' });

  const { type } = await port.ask({ type: 'createSlot' });

  expect({ type, slots: await database.query(SLOTS) }).toEqual({
    type: 'replication.refused', slots: [{ name: database.name, temporary: false }],
  });
});

test('makes no publication where an operator is about to make it anew', async () => {
  port = await open({ isManual: true });
  const first = await port.ask({ type: 'connect' });
  await begin(port);
  await database.query('DROP PUBLICATION armature_test');

  const { type, error } = await port.ask({ type: 'connect' });

  expect({ first: first.type, type, error, made: await database.query(COMPLETE, ['armature_test']) }).toMatchObject({
    first: 'replication.connected', type: 'replication.refused', error: { code: 'publication_missing' }, made: [],
  });
});

test('tells whether a publication is another one: by what was altered of it, and not by the tables in it', async () => {
  await database.query('CREATE TABLE items (id int); CREATE PUBLICATION armature_test');
  port = await open();
  await begin(port);
  const connected = async (sql: string) => {
    await database.query(sql);
    return (await port?.ask({ type: 'connect' }))?.['standing'];
  };

  expect([
    await connected('ALTER PUBLICATION armature_test ADD TABLE items'),
    await connected("ALTER PUBLICATION armature_test DROP TABLE items; COMMENT ON PUBLICATION armature_test IS 'ours'"),
    await connected('ALTER PUBLICATION armature_test SET (publish_via_partition_root = true)'),
  ]).toEqual(['continued', 'continued', 'lost']);
});

test('a stream of which nobody noted the publication is continued, and tells it', async () => {
  port = await open();
  await begin(port);
  const { publication: _, ...source } = stored.source as StreamSource;
  stored = { ...stored, source };

  expect(await port.ask({ type: 'connect' })).toMatchObject({
    standing: 'continued', isNoted: false, source: { ...source, publication: PUBLICATION_VERSION },
  });
});

test('refuses a slot of another plugin or database', async () => {
  await database.query(`CREATE PUBLICATION armature_test`);
  await database.query(`SELECT pg_create_physical_replication_slot('${database.name}')`);
  port = await open();

  const answer = await port.ask({ type: 'connect' });

  expect(answer).toMatchObject({ type: 'replication.refused', error: { code: 'slot_of_another_kind' }, fatal: true });
});

test('a wait for open transactions ends when the caller gives up', async () => {
  const writer = await database.session();
  await database.query('CREATE TABLE items (id int)');
  await writer.query('BEGIN; INSERT INTO items VALUES (1)');
  port = await open();
  await port.ask({ type: 'connect' });
  const abort = new AbortController();
  const answer = port.ask({ type: 'createSlot' }, abort.signal);
  await database.until(`${WALSENDER} AND wait_event_type = 'Lock'`);

  abort.abort();

  const { type } = await answer;
  await writer.query('ROLLBACK');
  expect(type).toBe('replication.refused');
});

test('one who gives up while somebody alters the publication leaves no walsender behind', async () => {
  await database.query('CREATE PUBLICATION armature_test');
  const writer = await database.session();
  await writer.query("BEGIN; COMMENT ON PUBLICATION armature_test IS 'mine'");
  port = await open();
  const abort = new AbortController();
  const answer = port.ask({ type: 'connect' }, abort.signal);
  await database.until(`${WALSENDER} AND wait_event_type = 'Lock'`);

  abort.abort();

  const { type } = await answer;
  await database.until(`SELECT WHERE NOT EXISTS (${WALSENDER})`);
  await writer.query('ROLLBACK');
  expect(type).toBe('replication.refused');
});

test('a wait for open transactions outlasts the lock_timeout of the database', async () => {
  const writer = await database.session();
  await database.query('CREATE TABLE items (id int)');
  await writer.query('BEGIN; INSERT INTO items VALUES (1)');
  await database.query(`ALTER DATABASE ${database.name} SET lock_timeout = '1s'`);
  port = await open();
  await port.ask({ type: 'connect' });
  await database.query(`ALTER DATABASE ${database.name} RESET lock_timeout`);
  const answer = port.ask({ type: 'createSlot' });
  const isOver = database.until(`${WALSENDER} AND wait_event_type = 'Lock' AND query_start < now() - interval '1.5 s'`);
  await Promise.race([isOver, answer]);

  await writer.query('COMMIT');

  const { type } = await answer;
  expect(type).toBe('replication.slotCreated');
});

test.runIf(HAS_TRANSACTION_TIMEOUT)('a transaction is streamed for longer than the database allows one to last', async () => {
  await database.query(`ALTER DATABASE ${database.name} SET transaction_timeout = '1s'`);
  const running = await startStream();
  await database.query(`ALTER DATABASE ${database.name} RESET transaction_timeout`);
  let readOn = (): void => {};
  sink.congestion = new Promise((done) => (readOn = done));
  await database.query("INSERT INTO items SELECT n, repeat('more than sockets hold', 1000) FROM generate_series(1, 2000) AS n");
  const end = running.awaitSent('replication.ended');
  await database.until(`${WALSENDER} AND wait_event = 'WalSenderWriteData'`);
  await Promise.race([database.query('SELECT pg_sleep(1.5)'), end]);

  sink.congestion = undefined;
  readOn();

  await Promise.race([sink.until(({ transactions }) => transactions.length > 0), end]);
  expect(sink.transactions.map(({ changes }) => changes.length)).toEqual([2000]);
});

async function confirmedAbove(lsn: bigint): Promise<bigint> {
  await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND confirmed_flush_lsn - '0/0' > ${lsn}`);
  return BigInt(await confirmed());
}

async function slotIsFree(): Promise<void> {
  await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND NOT active`);
}
