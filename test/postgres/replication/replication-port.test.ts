import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { CHANGE_KINDS } from '../../../src/model/change.ts';
import { type Lsn, LSN_ZERO, lsnFromPostgres } from '../../../src/model/lsn.ts';
import { replicationPort, type ReplicationPortOptions } from '../../../src/postgres/replication/replication-port.ts';
import { openPort, type RunningPort } from '../../support/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres.ts';
import { targetOf } from '../../support/postgres-target.ts';
import { RecordingSink } from '../../support/recording-sink.ts';

let database: TestDatabase;
let sink: RecordingSink;
let port: RunningPort | undefined;
/** What the sink's log says of whose stream it has. */
let source = '';

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  sink = new RecordingSink();
  source = '';
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
      target: targetOf(database.url), slot: database.name, publication: 'armature_test', owner: '@owner', sink,
      source: () => source,
      lastCommitLsn: () => sink.transactions.at(-1)?.lsn ?? LSN_ZERO,
      durableLsn: () => sink.transactions.at(-1)?.lsn ?? LSN_ZERO,
      ...options,
    }),
  );
}

/** As the replication client does it when there is no slot. */
async function begin(running: RunningPort): Promise<void> {
  const { systemId } = await running.ask({ type: 'connect' });
  await running.ask({ type: 'createSlot' });
  source = String(systemId);
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
  const [slot] = await database.query<{ lsn: string }>(`SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = '${database.name}'`);
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
  await database.query(`BEGIN; INSERT INTO items VALUES (2, 'kept'); SAVEPOINT s; INSERT INTO items VALUES (3, 'gone'); ROLLBACK TO s; COMMIT`);
  await sink.until(({ transactions }) => transactions.length === 1);

  expect(sink.rows).toEqual([{ kind: insert, table: 'items', position: 0, new: ['2', 'kept'] }]);
});

test('fills an unchanged TOAST value from the old row', async () => {
  await startStream('id int PRIMARY KEY, large text, n int');
  const [{ large = '' } = {}] = await database.query<{ large: string }>(`SELECT string_agg(md5(i::text), '') AS large FROM generate_series(1, 2000) i`);

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
  expect({ positions, ended: running.sent }).toEqual({ positions: [{ kind: truncate, position: 0 }, { kind: truncate, position: 2 }], ended: [] });
});

test('confirms nothing beyond what was acknowledged, and all of it then', async () => {
  const running = await startStream();
  await database.query(`INSERT INTO items VALUES (1, 'a')`);
  await database.query(`INSERT INTO items VALUES (2, 'b')`);
  await sink.until(({ transactions }) => transactions.length === 2);
  const [first, second] = sink.transactions.map(({ lsn }) => BigInt(lsn)) as [bigint, bigint];

  running.tell({ type: 'acknowledge', lsn: String(first) });
  const before = await confirmedAbove(first);
  running.tell({ type: 'acknowledge', lsn: String(second) });
  const after = await confirmedAbove(second);

  expect({ heldBack: before <= second, released: after > second }).toEqual({ heldBack: true, released: true });
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

  expect({ slotMissing: answer['slotMissing'], rows: sink.rows.map((row) => row.new) }).toEqual({ slotMissing: false, rows: [['1', 'a'], ['2', 'b']] });
});

test('abandons the open transaction and tells its owner when the connection breaks', async () => {
  const running = await startStream();
  await database.query(`INSERT INTO items SELECT i, repeat('x', 1000) FROM generate_series(1, 1000) i`);
  await sink.until(({ transactions }) => transactions.length === 1);

  await database.query(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${database.name}'`);

  const { error, fatal } = await running.awaitSent('replication.ended');
  expect({ error, fatal }).toEqual({ error: { code: 'database_unreachable', message: expect.any(String) }, fatal: false });
});

test('tells a gap where old rows are missing, and goes on with the tables that have them, in the same transaction too', async () => {
  await startStream();
  await database.query('CREATE TABLE others (id int PRIMARY KEY, text text, large text); ALTER PUBLICATION armature_test ADD TABLE others');
  await database.query(`INSERT INTO others SELECT i, 'a', string_agg(md5(n::text), '') FROM generate_series(1, 3) i, generate_series(1, 500) n GROUP BY i`);

  await database.query(`BEGIN; UPDATE others SET text = 'b'; DELETE FROM others WHERE id = 2; INSERT INTO items VALUES (1, 'kept'); COMMIT`);
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

  await database.query(`BEGIN; INSERT INTO others VALUES (1); INSERT INTO items SELECT i, repeat('x', 1000) FROM generate_series(1, 5000) i; COMMIT`);
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

test('passes a large transaction on in fragments of at most a mebibyte', async () => {
  await startStream();

  await database.query(`INSERT INTO items SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 5000) i`);
  await sink.until(({ transactions }) => transactions.length === 1);

  const [{ changes, fragmentCount } = { changes: [], fragmentCount: 0 }] = sink.transactions;
  expect({ rows: changes.length, last: changes.at(-1)?.position, several: fragmentCount > 3 }).toEqual({ rows: 5000, last: 9998, several: true });
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

  await database.until(`SELECT FROM pg_stat_replication WHERE application_name = 'armature replication' AND reply_time > backend_start + interval '5 s'
    AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())`);
  sink.congestion = undefined;
  gate.open();
  await sink.until(({ transactions }) => transactions.length === 2);

  await database.query(`ALTER DATABASE ${database.name} RESET wal_sender_timeout`);
  expect(sink.rows.map((row) => row.new?.[1])).toEqual(['first', 'second']);
});

const SLOTS = 'SELECT slot_name AS name, temporary FROM pg_replication_slots WHERE database = current_database()';

test('makes the publication when it connects, and the slot only when it is asked to', async () => {
  port = await open();
  const first = await port.ask({ type: 'connect' });
  const [before, early] = [await database.query(SLOTS), await port.ask({ type: 'startStreaming' })];
  await begin(port);
  const again = await port.ask({ type: 'connect' });

  const told = { type: 'replication.connected', slotMissing: true, systemId: expect.stringMatching(/^\d+$/), timeline: '1' };
  expect({ first, before, early: early.type, again, after: await database.query(SLOTS) }).toEqual({
    first: told,
    before: [],
    early: 'replication.refused',
    again: { ...told, slotMissing: false },
    after: [{ name: database.name, temporary: false }],
  });
});

test('a slot that is there but does not continue what is stored counts as missing, and is made anew', async () => {
  port = await open();
  await begin(port);
  source = 'another system';
  const before = await confirmed();

  const { slotMissing } = await port.ask({ type: 'connect' });
  await port.ask({ type: 'createSlot' });

  expect({ slotMissing, isNewer: BigInt(await confirmed()) > BigInt(before) }).toEqual({ slotMissing: true, isNewer: true });
});

test('a temporary slot ends with its connection, and is missing at the next', async () => {
  port = await open({ isSlotTemporary: true });
  await begin(port);
  const [slots, streaming] = [await database.query(SLOTS), await port.ask({ type: 'startStreaming' })];
  port.tell({ type: 'disconnect' });
  await database.until(`SELECT WHERE NOT EXISTS (${SLOTS})`);

  const { slotMissing } = await port.ask({ type: 'connect' });

  expect({ slots, streaming: streaming.type, slotMissing }).toEqual({
    slots: [{ name: database.name, temporary: true }],
    streaming: 'replication.streaming',
    slotMissing: true,
  });
});

test('a slot that is older than the publication is gone before the publication is made', async () => {
  port = await open();
  await begin(port);
  await database.query('DROP PUBLICATION armature_test');

  const { slotMissing } = await port.ask({ type: 'connect' });

  expect({ slotMissing, slots: await database.query(SLOTS) }).toEqual({ slotMissing: true, slots: [] });
});

test('a connection that is given up while it is made answers that, and leaves none behind', async () => {
  port = await open();
  const first = port.ask({ type: 'connect' });
  port.tell({ type: 'disconnect' });
  const second = await port.ask({ type: 'connect' });
  const [{ count } = { count: 0 }] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM (${WALSENDER}) senders`);

  expect({ first: (await first).type, second: second.type, count }).toEqual({ first: 'replication.refused', second: 'replication.connected', count: 1 });
});

test('refuses a publication that leaves out an operation', async () => {
  await database.query(`CREATE PUBLICATION armature_test WITH (publish = 'insert, update')`);
  port = await open();

  const answer = await port.ask({ type: 'connect' });

  expect(answer).toEqual({
    type: 'replication.refused',
    error: {
      code: 'publication_incomplete',
      message: 'Publication "armature_test" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE',
    },
    fatal: true,
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

async function confirmedAbove(lsn: bigint): Promise<bigint> {
  await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND confirmed_flush_lsn - '0/0' > ${lsn}`);
  return BigInt(await confirmed());
}

async function slotIsFree(): Promise<void> {
  await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND NOT active`);
}
