/**
 * The stream against a walsender that a test leads, since Postgres decides by itself when it sends a keepalive and how far
 * a transaction has come. What both of them promise is held against both.
 */
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { type Lsn, LSN_ZERO, lsnFromPostgres, lsnOf } from '../../../src/model/lsn.ts';
import { connect } from '../../../src/postgres/connection/connection.ts';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { createSlot, prepareReplication, startCommand } from '../../../src/postgres/replication/replication-setup.ts';
import {
  type ReplicationStream, type ReplicationStreamOptions, startReplicationStream,
} from '../../../src/postgres/replication/replication-stream.ts';
import { NOTHING_STORED } from '../../../src/postgres/replication/slot-standing.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { createDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';
import { refusalBody, WalSender } from '../../support/postgres/wal-sender.ts';

let streams: ReplicationStream[] = [];
let closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  streams = [];
  closing = [];
});
afterEach(async () => {
  for (const stream of streams) stream.close();
  for (const close of closing.reverse()) await close();
});

/** @param options by default nothing is held durably, and the owner answers at once when Postgres asks. */
function begin(client: pg.Client, sink: RecordingSink, options: Partial<ReplicationStreamOptions> = {}): ReplicationStream {
  const lastCommitLsn = sink.transactions.at(-1)?.lsn ?? LSN_ZERO;
  const stream = startReplicationStream({
    client, sink, startCommand: 'START_REPLICATION', lastCommitLsn, heldLsn: () => LSN_ZERO, confirmedLsn: LSN_ZERO,
    serverTimeoutMs: 60_000, transactionBytesMax: 1e9, linksOf: () => [], clock: systemClock, ...options,
  });
  sink.onAsked = () => stream.acknowledge();
  streams.push(stream);
  return stream;
}

const texts = ({ rows }: RecordingSink): unknown[] => rows.map((row) => row.new?.[0]);
const lsnAt = ({ transactions }: RecordingSink, index: number): Lsn => transactions.at(index)?.lsn ?? LSN_ZERO;

/** Where a stream comes from: one table, and a slot that is there. */
interface Source {
  readonly command: string;
  connect(): Promise<pg.Client>;
  insert(text: string): Promise<unknown>;
  /** The WAL grows by something that is not for us, and the stream says so. */
  grow(): Promise<unknown>;
  confirmedLsn(): Promise<bigint>;
}

async function openPostgres(): Promise<Source> {
  const database = await createDatabase();
  closing.push(() => database.drop());
  const names = { slot: database.name, publication: 'streamed' };
  await database.query('CREATE TABLE items (text text)');
  const open = async (): Promise<pg.Client> => connect(targetOf(database.url), { applicationName: 'test', replication: 'database' });
  const first = await open();
  await createSlot(first, names, await prepareReplication(first, names, NOTHING_STORED));
  await first.end();
  await database.query('ALTER PUBLICATION streamed ADD TABLE items');
  return {
    command: startCommand(names),
    async connect() {
      await database.until(`SELECT FROM pg_replication_slots WHERE slot_name = '${database.name}' AND NOT active`);
      return open();
    },
    insert: (text) => database.query('INSERT INTO items VALUES ($1)', [text]),
    grow: () => database.query("SELECT pg_logical_emit_message(false, 'nobody', 'asked')"),
    async confirmedLsn() {
      const [slot] = await database.query<{ lsn: string }>(
        `SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = '${database.name}'`,
      );
      return BigInt(lsnFromPostgres(slot?.lsn ?? ''));
    },
  };
}

async function openWalSender(): Promise<Source> {
  const sender = await WalSender.listen();
  closing.push(() => sender.close());
  return {
    command: 'START_REPLICATION',
    connect: () => sender.connect(),
    insert: async (text) => sender.commit([text]),
    async grow() {
      sender.grow();
      sender.keepalive();
    },
    confirmedLsn: async () => sender.confirmedLsn,
  };
}

describe.each([['Postgres', openPostgres], ['the double', openWalSender]])('%s', (_, open) => {
  test('sends a transaction again until it is confirmed, and not afterwards', async () => {
    const source = await open();
    const [sink, later] = [new RecordingSink(), new RecordingSink()];
    const heldLsn = (): Lsn => lsnOf(BigInt(lsnAt(sink, 0)) + 1n);
    const stream = begin(await source.connect(), sink, { startCommand: source.command, heldLsn });
    for (const text of ['first', 'second', 'third']) await source.insert(text);
    await sink.until(({ rows }) => rows.length === 3);

    stream.close();
    begin(await source.connect(), later, { startCommand: source.command });
    await later.until(({ rows }) => rows.length === 2);

    expect([texts(sink), texts(later)]).toEqual([['first', 'second', 'third'], ['second', 'third']]);
  });

  test('passes over what the sink has, though it comes again', async () => {
    const source = await open();
    const sink = new RecordingSink();
    const stream = begin(await source.connect(), sink, { startCommand: source.command });
    await source.insert('first');
    await sink.until(({ rows }) => rows.length === 1);
    stream.close();
    begin(await source.connect(), sink, { startCommand: source.command });
    await source.insert('second');
    await sink.until(({ rows }) => rows.length === 2);

    expect(texts(sink)).toEqual(['first', 'second']);
  });

  test('confirms a stretch that held nothing for us, when it is held', async () => {
    const source = await open();
    const sink = new RecordingSink();
    const stream = begin(await source.connect(), sink, { startCommand: source.command, heldLsn: () => sink.passedLsn });
    await source.insert('first');
    await sink.until(({ rows }) => rows.length === 1);
    const before = sink.lastProgress;
    await source.grow();
    await sink.until(({ lastProgress }) => lastProgress !== before);

    stream.acknowledge();

    await expect.poll(() => source.confirmedLsn()).toBeGreaterThanOrEqual(BigInt(sink.lastProgress ?? 0));
  });
});

describe('led by a test', () => {
  let sender: WalSender;
  let sink: RecordingSink;
  let clock: ManualClock;
  beforeEach(async () => {
    sender = await WalSender.listen();
    closing.push(() => sender.close());
    sink = new RecordingSink();
    clock = new ManualClock();
  });

  const start = async (options: Partial<ReplicationStreamOptions> = {}): Promise<ReplicationStream> => {
    const stream = begin(await sender.connect(), sink, { clock, ...options });
    await stream.started;
    return stream;
  };

  test('a keepalive inside a transaction confirms nothing of it: broken off there, it comes again whole', async () => {
    const stream = await start({ heldLsn: () => sink.passedLsn });
    sender.commit(['first']);
    sender.commit(['second', 'third'], 2);
    await sink.until(({ rows }) => rows.length === 1);
    stream.acknowledge();
    sender.keepalive(true);
    await sender.until(({ statuses }) => statuses.length === 2);
    const progress = sink.lastProgress;
    sender.breakConnection();
    await stream.ended;
    await start();
    await sink.until(({ rows }) => rows.length === 3);

    expect({ progress, texts: texts(sink) }).toEqual({ progress: undefined, texts: ['first', 'second', 'third'] });
  });

  test.each([
    [60_000, 10_000],
    [6_000, 2_000],
    [0, 10_000],
  ])('under a time-out of %d ms it tells the server that it lives every %d ms', async (serverTimeoutMs, everyMs) => {
    await start({ serverTimeoutMs });

    clock.advance(everyMs - 1);
    clock.advance(1);
    clock.advance(everyMs);
    sender.keepalive(true);
    await sender.until(({ statuses }) => statuses.length === 3);

    expect(sender.statuses.map(({ isReplyAsked }) => isReplyAsked)).toEqual([false, false, false]);
  });

  test('hearing nothing it asks for a reply, and gives the server up after a minute; whatever comes is a sign of life', async () => {
    const stream = await start({ serverTimeoutMs: 0 });
    clock.advance(30_000);
    await sender.until(({ statuses }) => statuses.length === 3);
    sender.keepalive();
    await sink.until(({ lastProgress }) => lastProgress !== undefined);

    clock.advance(60_000);
    await sender.until(({ statuses }) => statuses.length === 9);
    clock.advance(10_000);

    expect({ error: await stream.ended, asked: sender.statuses.map(({ isReplyAsked }) => isReplyAsked) }).toEqual({
      error: expect.objectContaining({ code: 'database_unreachable', message: 'Postgres has been silent for too long' }),
      asked: [false, false, true, false, false, true, true, true, true],
    });
  });

  test('a server that does not even answer the start is given up too', async () => {
    sender.isMute = true;
    const stream = begin(await sender.connect(), sink, { clock });
    const started = stream.started.catch((error: unknown) => error);
    clock.advance(70_000);

    expect([await started, await stream.ended]).toMatchObject(Array(2).fill({ message: 'Postgres has been silent for too long' }));
  });

  test('a server with a longer time-out may be silent for longer', async () => {
    const stream = await start({ serverTimeoutMs: 90_000 });
    clock.advance(90_000);
    sender.keepalive(true);
    await sender.until(({ statuses }) => statuses.length === 10);
    stream.close();

    expect(await stream.ended).toMatchObject({ message: 'the stream was closed' });
  });

  test('what is not read for congestion is not taken for silence, nor is the time afterwards counted from before', async () => {
    const relief = { open: (): void => {} };
    const client = await sender.connect();
    const stream = begin(client, sink, { clock });
    await stream.started;
    sink.congestion = new Promise((done) => (relief.open = done));
    sender.commit(['first']);
    await sink.until(({ rows }) => rows.length === 1);
    clock.advance(600_000);
    await sender.until(({ statuses }) => statuses.length === 60);

    sink.congestion = undefined;
    relief.open();
    await expect.poll(() => client.connection.stream.isPaused()).toBe(false);
    clock.advance(30_000);
    await sender.until(({ statuses }) => statuses.length === 63);
    stream.close();

    const asked = sender.statuses.flatMap(({ isReplyAsked }, index) => (isReplyAsked ? [index] : []));
    expect({ asked, error: await stream.ended }).toEqual({
      asked: [62],
      error: expect.objectContaining({ message: 'the stream was closed' }),
    });
  });

  test('held back once more as soon as it goes on, it reads nothing', async () => {
    const gates: (() => void)[] = [];
    const congest = (): void => void (sink.congestion = new Promise((done) => gates.push(done)));
    const client = await sender.connect();
    const stream = begin(client, sink, { clock });
    await stream.started;
    congest();
    sender.commit(['first']);
    await sink.until(({ rows }) => rows.length === 1);
    const [open] = gates;
    congest();
    open?.();
    clock.advance(10_000);
    await sender.until(({ statuses }) => statuses.length === 1);
    const isPaused = client.connection.stream.isPaused();
    sink.congestion = undefined;
    gates[1]?.();
    sender.commit(['second']);
    await sink.until(({ rows }) => rows.length === 2);

    expect({ isPaused, texts: texts(sink) }).toEqual({ isPaused: true, texts: ['first', 'second'] });
  });

  test('a sink that cannot go on ends the stream with its error', async () => {
    const sinkOf = { fail: (_: Error): void => {} };
    const stream = await start();
    sink.congestion = new Promise((_, failed) => (sinkOf.fail = failed));
    sender.commit(['first']);
    await sink.until(({ rows }) => rows.length === 1);
    sinkOf.fail(new RangeError('the disk is full'));

    expect(await stream.ended).toEqual(new RangeError('the disk is full'));
  });

  test('a stream that is over abandons nothing more: the transaction that is open then is of another', async () => {
    const sinkOf = { fail: (_: Error): void => {} };
    const stream = await start();
    sink.congestion = new Promise((_, failed) => (sinkOf.fail = failed));
    sender.commit(['first']);
    await sink.until(({ rows }) => rows.length === 1);
    stream.close();
    sinkOf.fail(new RangeError('the disk is full'));
    await sender.until(({ farewells }) => farewells === 1);

    expect({ error: await stream.ended, abandoned: sink.abandonedCount }).toMatchObject({
      error: { message: 'the stream was closed' },
      abandoned: 1,
    });
  });

  test('who wants to know how far Postgres has come has the next status ask for that at once, and no other one', async () => {
    const stream = await start();
    for (const [index, tell] of (['acknowledge', 'askProgress', 'acknowledge'] as const).entries()) {
      stream[tell]();
      await sender.until(({ statuses }) => statuses.length === index + 1);
    }

    expect(sender.statuses.map(({ isReplyAsked }) => isReplyAsked)).toEqual([false, true, false]);
  });

  test('acknowledgements of one turn are one status, and what was held once is not taken back', async () => {
    const held = ['0', String(sender.walEnd + 200n), '0'];
    const stream = await start({ heldLsn: () => held[Math.min(sender.statuses.length + 1, 2)] as Lsn });
    sender.commit(['first']);
    sender.commit(['second']);
    await sink.until(({ rows }) => rows.length === 2);

    stream.acknowledge();
    stream.acknowledge();
    await sender.until(({ statuses }) => statuses.length === 1);
    sender.keepalive(true);
    await sender.until(({ statuses }) => statuses.length === 2);

    expect(sender.statuses.map(({ flushed, written }) => ({ flushed, written }))).toEqual([
      { flushed: sender.walEnd, written: sender.walEnd },
      { flushed: sender.walEnd, written: sender.walEnd },
    ]);
  });

  test('never falls back behind what the slot had confirmed', async () => {
    await start({ confirmedLsn: '5000' as Lsn });
    sender.commit(['first']);
    sender.keepalive(true);
    await sender.until(({ statuses }) => statuses.length === 1);

    expect(sender.statuses).toEqual([{ written: 5000n, flushed: 5000n, isReplyAsked: false }]);
  });

  test('tells what is held before anything has come', async () => {
    await start({ heldLsn: () => '5101' as Lsn, confirmedLsn: '5000' as Lsn });
    clock.advance(10_000);
    await sender.until(({ statuses }) => statuses.length === 1);

    expect(sender.statuses).toEqual([{ written: 5101n, flushed: 5101n, isReplyAsked: false }]);
  });

  test('says farewell with what is durable, once, and tells nothing more', async () => {
    const client = await sender.connect();
    const errors: unknown[] = [];
    client.connection.stream.on('error', (error) => errors.push(error));
    const stream = begin(client, sink, { clock, heldLsn: () => sink.passedLsn });
    await stream.started;
    const first = sender.commit(['first']);
    await sink.until(({ rows }) => rows.length === 1);

    stream.acknowledge();
    stream.close();
    stream.close();
    sender.commit(['second']);
    stream.acknowledge();
    await expect.poll(() => clock.pendingTimers).toBe(0);

    const { farewells, statuses } = sender;
    const flushed = statuses.map((status) => status.flushed > first);
    expect({ error: await stream.ended, errors, farewells, flushed, texts: texts(sink) }).toEqual({
      error: expect.objectContaining({ message: 'the stream was closed' }),
      errors: [],
      farewells: 1,
      flushed: [true],
      texts: ['first'],
    });
  });

  const unreachable = { code: 'database_unreachable' };
  test.each([
    ['the end of the copy', ['c', ''], unreachable],
    ['the end of a server that is stopped in good order', ['C', 'COPY 0\0'], unreachable],
    ['an error of a server that goes away', ['E', refusalBody('57P01')], unreachable],
    ['an error of a broken connection', ['E', refusalBody('08006')], unreachable],
    ['any other error', ['E', refusalBody('42704', 'no such slot')], { code: '42704', message: 'no such slot', detail: 'the detail' }],
    ['an error that says nothing', ['E', '\0'], { code: '', message: 'an error without a text' }],
    ['a message that has no place here', ['Z', 'I'], { message: 'unexpected message "Z" in the replication stream' }],
    ['a keepalive that is too short', ['d', 'k'.padEnd(17)], { name: 'PgoutputError' }],
    ['a message of the stream without a content', ['d', 'w'.padEnd(25)], { name: 'PgoutputError' }],
    ['an unknown message of the stream', ['d', 'x'.padEnd(30)], { name: 'PgoutputError' }],
  ] as const)('%s ends it with its reason, and abandons the open transaction', async (_, [type, body], reason) => {
    const stream = await start();
    sender.commit(['first', 'second'], 1);
    const keepalive = Buffer.concat([Buffer.from('k'), Buffer.alloc(17)]);
    sender.send([type, Buffer.from(body)], ['d', keepalive]);
    const error = await stream.ended;
    stream.close();

    const { abandonedCount, transactions, lastProgress } = sink;
    expect({ error, abandonedCount, transactions, lastProgress, timers: clock.pendingTimers }).toMatchObject({
      error: reason, abandonedCount: 1, transactions: [], lastProgress: undefined, timers: 0,
    });
  });

  test('notices and settings that change are none of its business', async () => {
    await start();
    sender.send(['N', refusalBody('00000')], ['S', Buffer.from('TimeZone\0UTC\0')]);
    sender.commit(['first']);
    await sink.until(({ rows }) => rows.length === 1);

    expect(texts(sink)).toEqual(['first']);
  });

  test('a start that is refused is told to whoever waits for it, and to whoever waits for the end', async () => {
    sender.refusesStart = '55006';
    const stream = begin(await sender.connect(), sink, { clock });

    const [started, ended] = [await stream.started.catch((error: unknown) => error), await stream.ended];
    expect([started, ended === started]).toMatchObject([{ code: '55006' }, true]);
  });

  /** As many transactions, each in a read of its own, `gapMs` apart. @returns whether reading rests after each. */
  async function readEach(client: pg.Client, count: number, gapMs: number, text = 'x'): Promise<boolean[]> {
    const rests: boolean[] = [];
    for (let index = 0; index < count; index += 1) {
      const wanted = sink.rows.length + 1;
      sender.commit([text]);
      await sink.until(({ rows }) => rows.length === wanted);
      rests.push(client.connection.stream.isPaused());
      clock.advance(gapMs);
    }
    return rests;
  }

  test('small reads that follow each other closely are found together after a millisecond, single ones are not held back', async () => {
    const client = await sender.connect();
    await begin(client, sink, { clock }).started;

    const single = await readEach(client, 8, 2);
    const close = await readEach(client, 5, 0);
    clock.advance(2); // The rest takes one of them.
    const next = await readEach(client, 1, 0);
    clock.advance(3);
    const alone = await readEach(client, 1, 0);

    expect({ single, close, next, alone }).toEqual({
      single: Array<boolean>(8).fill(false),
      close: [false, false, false, false, true],
      next: [true],
      alone: [false],
    });
  });

  test('a stream that ends while it rests leaves no timer behind', async () => {
    const client = await sender.connect();
    const stream = begin(client, sink, { clock });
    await stream.started;
    await readEach(client, 1, 2);
    const rests = await readEach(client, 5, 0);

    stream.close();

    await expect.poll(() => ({ hasRested: rests.at(-1), timers: clock.pendingTimers })).toEqual({ hasRested: true, timers: 0 });
  });

  test('what is left of a large read is waited for at once', async () => {
    const client = await sender.connect();
    await begin(client, sink, { clock }).started;
    await readEach(client, 1, 2, 'x'.repeat(20_000));

    clock.advance(10);
    const [large] = await readEach(client, 1, 0, 'x'.repeat(20_000));
    const [small] = await readEach(client, 1, 0);

    expect({ large, small }).toEqual({ large: false, small: true });
  });

  test('a table is looked up before anything behind its description is read, and what is read then has its links', async () => {
    const links = [{ child: 70_000, parent: 1, since: 7 }];
    const answer = { give: (_: typeof links): void => {}, awaited: (): void => {} };
    const asked = new Promise<void>((done) => (answer.awaited = done));
    const linksOf = (): Promise<typeof links> => {
      answer.awaited();
      return new Promise((done) => (answer.give = done));
    };
    await start({ linksOf });
    sender.commit(['first']);
    sender.commit(['second']);
    sender.keepalive();
    await asked;
    clock.advance(600_000);
    await sender.until(({ statuses }) => statuses.length === 60);
    const before = [...sink.layouts, ...sink.transactions, sink.lastProgress];
    answer.give(links);
    await sink.until(({ lastProgress }) => lastProgress !== undefined);

    expect({ before, links: sink.layouts.map((layout) => layout.links), texts: texts(sink) }).toEqual({
      before: [undefined], links: [links], texts: ['first', 'second'],
    });
  });

  test('a table that cannot be looked up ends the stream, and what it held comes again', async () => {
    const stream = await start({ linksOf: () => Promise.reject(new DatabaseUnreachableError('the catalogue is away')) });
    sender.commit(['first']);
    const error = await stream.ended;
    await start();
    await sink.until(({ rows }) => rows.length === 1);

    expect({ error, texts: texts(sink) }).toEqual({ error: new DatabaseUnreachableError('the catalogue is away'), texts: ['first'] });
  });

  test('an answer that comes when the stream is over is heard by nobody', async () => {
    const answer = { give: (): void => {}, awaited: (): void => {} };
    const asked = new Promise<void>((done) => (answer.awaited = done));
    const linksOf = (): Promise<[]> => {
      answer.awaited();
      return new Promise((done) => (answer.give = () => done([])));
    };
    const stream = await start({ linksOf });
    sender.commit(['first']);
    await asked;
    stream.close();
    answer.give();
    await stream.ended;

    expect(sink.rows).toEqual([]);
  });
});
