/** The ports around the transaction log: what they promise is durable, whoever died or failed before. */
import { getEventListeners } from 'node:events';
import { beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { LOG_START, type LogPosition, type LogRange } from '../../../src/model/log-position.ts';
import type { Pid, PortSpec } from '../../../src/otp/process.ts';
import { DiskError, LogCorruptError } from '../../../src/storage/errors.ts';
import { DiskStanding } from '../../../src/storage/disk/disk-standing.ts';
import { openDiskLog } from '../../../src/storage/log/disk-log.ts';
import type { BlockSizes, TransactionLog } from '../../../src/storage/log/transaction-log.ts';
import { LogBlocks } from '../../../src/storage/log/log-blocks.ts';
import { LogIntake } from '../../../src/storage/log/log-intake.ts';
import { logReaderPort } from '../../../src/storage/log/log-reader-port.ts';
import { logWriterPort } from '../../../src/storage/log/log-writer-port.ts';
import type { ShapeRecord } from '../../../src/storage/log/shape-record.ts';
import { surveyTransaction } from '../../../src/storage/log/transaction-survey.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort, working } from '../../support/postgres/port-harness.ts';
import { handleOf } from '../../support/shapes.ts';
import { anotherSource, bytes, lsn, xid } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';
import { placedTransaction } from '../../support/actors/changes.ts';

const MIB = 1024 * 1024;

let disk: MemoryDisk;
let log: TransactionLog;
let intake: LogIntake;
let clock: ManualClock;

beforeEach(async () => {
  disk = new MemoryDisk();
  log = await opened();
  intake = new LogIntake(log);
  clock = new ManualClock();
});

function opened(): Promise<TransactionLog> {
  const limits = { segmentBytesMax: 600, tailBytesMax: 400 };
  const standing = new DiskStanding(new ManualClock());
  return openDiskLog({ disk: disk.mount(), standing, directory: '/log', ...limits, from: LOG_START, durable: LOG_START });
}

const writer = (): PortSpec => logWriterPort(intake, { replication: '@replication', collector: '@collector' }, clock);

function take(commit: number): void {
  intake.changes(xid(commit), bytes('x'));
  intake.commit(xid(commit), lsn(commit), lsn(commit + 1), new Set());
}

/** Lets what is under way come to rest: on a disk in memory that takes a few promises. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
}

test('the end of the log is told with an LSN that can be read there', async () => {
  take(10);
  await intake.sync();
  take(11);
  const reader = await openPort(logReaderPort(log, new LogBlocks(log), new LogBlocks(log)));

  expect(await reader.ask({ type: 'logEnd' })).toEqual({ type: 'log.end', through: log.durableEnd, lsn: '10' });
});

test('what was recorded outlives a power cut once it is told to be durable, and the stream is told of nothing', async () => {
  const port = await openPort(writer());
  await turns();
  const sent = [...port.sent];
  const record = { type: 'shape.requested', handle: handleOf(1) } as const;
  log.appendRecord(record);
  const told = await port.ask({ type: 'syncSplice' });
  disk.crash(seededRandom(1));
  const kept: ShapeRecord[] = [];
  for await (const { record: each } of (await opened()).records(LOG_START)) kept.push(each);

  expect({ told, kept, sent: port.sent }).toEqual({ told: { type: 'splice.isDurable' }, kept: [record], sent });
});

/** Rows of the layouts, each of so many bytes and some more. */
function takeRows(commit: number, layoutIds: readonly number[], bytesEach: number): void {
  for (const layoutId of layoutIds) {
    const row = { kind: 'insert', new: ['1', 'x'.repeat(bytesEach), null], layoutId, position: 0 } as const;
    for (const fragment of placedTransaction({ xid: commit, lsn: String(commit) }, [row]).fragments) intake.changes(xid(commit), fragment);
  }
  intake.commit(xid(commit), lsn(commit), lsn(commit + 1), new Set(layoutIds));
}

/** Four rows of two layouts, which together are more than goes whole. */
async function takeLarge(): Promise<void> {
  takeRows(11, [3, 4, 3, 3], 3 * MIB);
  await intake.sync();
}

test.each(['the memory', 'the disk'])('a block from %s ends at 1 MiB, and a transaction of up to 2 MiB goes whole', async (from) => {
  if (from === 'the memory') intake = new LogIntake((log = memoryStorage().log));
  for (const commit of [1, 2, 3, 4, 5, 6]) takeRows(commit, [3], 0.3 * MIB);
  takeRows(7, [3, 3], 0.99 * MIB);
  takeRows(8, [3, 3], 1.01 * MIB);
  await intake.sync();
  const blocks = new LogBlocks(log);
  const slot = blocks.slot('collector');
  const reader = await openPort(logReaderPort(log, blocks, blocks));
  const told: unknown[] = [];
  for (let after = LOG_START; after < log.durableEnd; ) {
    const answer = await reader.ask({ type: 'nextBlock', owner: 'collector', after, through: log.durableEnd });
    const through = answer['through'] as LogPosition;
    told.push(answer.type === 'block.loaded' ? slot.take({ after, through }).transactions.map(({ xid: id }) => id) : answer.type);
    after = through;
  }

  const behind: number[] = []; // No transaction: the log says how far it holds the stream.
  expect(told).toEqual([[1, 2, 3, 4], [5, 6, 7], 'transaction.isLarge', behind]);
});

test('of a large transaction only its end and its layouts are told to whom it would hold up', async () => {
  await takeLarge();
  take(12);
  await intake.sync();
  const blocks = new LogBlocks(log);
  for (const owner of ['collector', 'shape']) blocks.slot(owner);
  const reader = await openPort(logReaderPort(log, blocks, blocks));
  const range = { after: 0, through: log.durableEnd };
  const told = await reader.ask({ type: 'nextBlock', owner: 'collector', ...range });
  const held = blocks.count;
  const next = await reader.ask({ type: 'nextBlock', owner: 'collector', after: told['through'], through: log.durableEnd });
  const own = await reader.ask({ type: 'loadBlock', owner: 'shape', ...range });

  expect({ told, held, next, isPart: Number(own['through']) < Number(told['through']) }).toMatchObject({
    told: { type: 'transaction.isLarge', layouts: [3, 4] },
    held: 0,
    next: { type: 'block.loaded', after: told['through'], through: log.durableEnd },
    isPart: true,
  });
});

/** Asks of `from` as the collector does. */
async function asking(from: TransactionLog, blocks = new LogBlocks(from)) {
  blocks.slot('collector');
  const reader = await openPort(logReaderPort(from, blocks, blocks));
  return (after: unknown) => reader.ask({ type: 'nextBlock', owner: 'collector', after, through: from.durableEnd });
}

test('a large transaction that was appended in this life of the log is told without a read', async () => {
  take(10);
  await intake.sync();
  await takeLarge();
  take(12);
  await intake.sync();
  const next = await asking(log);
  const before = await next(LOG_START);
  disk.fail('read', 'EIO');
  const large = await next(before['through']);
  const behind = await next(large['through']);

  expect([before, large, behind]).toMatchObject([
    { type: 'block.loaded' },
    { type: 'transaction.isLarge', layouts: [3, 4] },
    { type: 'block.loaded', through: log.durableEnd },
  ]);
  await expect(next(LOG_START)).rejects.toThrow('EIO');
});

test('after a restart a large transaction is looked through once, however often it is asked for, and nothing of it is held', async () => {
  await takeLarge();
  await log.close();
  const restarted = await opened();
  const blocks = new LogBlocks(restarted);
  const next = await asking(restarted, blocks);
  const found = await next(LOG_START);
  disk.fail('read', 'EIO');

  const large = { type: 'transaction.isLarge', layouts: [3, 4] };
  expect([found, await next(LOG_START), blocks.count]).toMatchObject([large, large, 0]);
});

/** A log of which nothing is in memory. */
function unkept(read: TransactionLog['read']): Pick<TransactionLog, 'read' | 'readKept'> {
  return { read, readKept: () => undefined };
}

test('damage that a shape meets on its own way through the log is told to it, and nobody else ends', async () => {
  take(10);
  await intake.sync();
  const reader = await openPort(
    logReaderPort(log, new LogBlocks(unkept(() => Promise.reject(new LogCorruptError(LOG_START, 'damaged')))), new LogBlocks(log)),
  );

  expect(await reader.ask({ type: 'loadBlock', owner: 'shape', after: 0, through: log.durableEnd })).toEqual({
    type: 'block.corrupt',
    why: 'the transaction log is corrupt at 0: damaged',
  });
});

test('a disk that fails is no damage of the log: the reader of a shape fails with it', async () => {
  const failed = new DiskError('read', '/log', new Error('EIO'));
  const reader = await openPort(logReaderPort(log, new LogBlocks(unkept(() => Promise.reject(failed))), new LogBlocks(log)));

  await expect(reader.ask({ type: 'loadBlock', owner: 'shape', after: 0, through: 0 })).rejects.toBe(failed);
});

test('a large transaction is looked through no further than somebody waits for it', async () => {
  await takeLarge();
  await intake.sync();
  const caller = new AbortController();
  const reads: LogRange[] = [];
  const abandoned = {
    read(range: LogRange, sizes: BlockSizes) {
      reads.push(range);
      caller.abort();
      return log.read(range, sizes);
    },
  };
  const surveyed = await surveyTransaction(abandoned, { after: LOG_START, through: log.durableEnd }, caller.signal).catch(
    (error: Error) => error.name,
  );

  expect({ surveyed, reads: reads.length }).toEqual({ surveyed: 'AbortError', reads: 1 });
});

test('a writer that starts after one was killed during a sync tells what that sync made durable', async () => {
  const killed = await openPort(writer());
  disk.holdSyncs();
  take(10);
  await turns();
  const closing = killed.close();
  disk.letSync();
  await closing;
  const started = await openPort(writer());
  await started.awaitSent('log.extended');

  expect(started.sent).toEqual([
    { to: '@collector', message: { type: 'log.extended', through: log.durableEnd, lsn: '10' } },
    { to: '@replication', message: { type: 'acknowledge' } },
  ]);
});

test('a log that has failed ends each writer at once, without waiting for a commit', async () => {
  const first = await openPort(writer());
  disk.fail('sync', 'EIO');
  take(10);
  const failure = await first.exited;
  const second = await openPort(writer());

  expect({ failure, again: await second.exited }).toMatchObject({ failure: { name: 'DiskError' }, again: { name: 'DiskError' } });
});

test('a transaction that becomes durable says how far the stream is held, in the same sync', async () => {
  const before = disk.syncCount;
  take(10);
  await intake.sync();

  expect({ held: log.heldLsn, syncs: disk.syncCount - before }).toEqual({ held: '11', syncs: 1 });
});

test('WAL of others is held with a sync in a second, however often Postgres tells of it, and told only then', async () => {
  const running = await openPort(writer());
  await turns();
  const before = disk.syncCount;
  for (let told = 1; told <= 1_000; told += 1) {
    intake.progress(lsn(told), false);
    await turns();
  }
  const early = { held: log.heldLsn, syncs: disk.syncCount - before };
  clock.advance(1_000);
  await turns();
  clock.advance(10_000);
  await turns();

  await running.close();

  expect({ early, held: log.heldLsn, syncs: disk.syncCount - before, timers: clock.pendingTimers }).toEqual({
    early: { held: '0', syncs: 0 },
    held: '1000',
    syncs: 1,
    timers: 0,
  });
});

test('Postgres is not kept waiting when it asks how far the stream is held', async () => {
  const running = await openPort(writer());
  await turns();
  intake.progress(lsn(70), true);
  await turns();

  expect({ held: log.heldLsn, last: running.sent.at(-1)?.message.type }).toEqual({ held: '70', last: 'acknowledge' });
  await running.close();
});

test('a sync that began before the stream was restarted tells nothing of the new one', async () => {
  disk.holdSyncs();
  take(1_000);
  const syncing = intake.sync();
  const restarting = intake.restart(anotherSource, lsn(5));
  disk.letSync();
  await restarting;
  intake.hold();
  await intake.sync();

  expect({ told: (await syncing).lsn, held: log.heldLsn }).toEqual({ told: '0', held: '5' });
});

test('a writer that waits for work goes when it is told to', async () => {
  const port = await openPort(writer());
  await port.awaitSent('log.extended');

  await expect(port.close()).resolves.toBe(undefined);
});

test('what is held already needs no sync', async () => {
  take(10);
  await intake.sync();
  let isDue = false;
  intake.hold();
  void intake.awaitWork().then(() => (isDue = true));
  await turns();

  expect(isDue).toBe(false);
});

test('a writer listens once for its stop, however often it syncs', async () => {
  const stop = new AbortController();
  const told: string[] = [];
  const context = { self: 'test/writer#1' as Pid, signal: stop.signal, exit: () => undefined };
  const handle = working(await writer().open({ ...context, send: (_, { type }) => void told.push(type) }));
  for (const commit of [10, 11, 12]) {
    take(commit);
    await turns();
  }
  const syncs = told.filter((type) => type === 'log.extended').length;
  const listeners = getEventListeners(stop.signal, 'abort').length;
  stop.abort();
  await handle.close?.();

  expect({ syncs, listeners }).toEqual({ syncs: 4, listeners: 1 });
});

test('a stream that outruns the disk is held back until it is synced, also inside a transaction', async () => {
  const fast = new LogIntake(memoryStorage().log);
  fast.changes(xid(10), new Uint8Array(64 * 1024 * 1024));
  const held = fast.congestion;
  await fast.awaitWork();
  await fast.sync();
  await held;
  fast.changes(xid(10), bytes('x'));

  expect([held, fast.congestion]).toEqual([expect.any(Promise), undefined]);
});

test('who waits until the log has passed an LSN has Postgres asked, until what came is durable', async () => {
  disk.holdSyncs();
  const port = await openPort(writer());
  let answer: unknown;
  void port.ask({ type: 'awaitPassed', lsn: '20' }).then((told) => (answer = told));
  await turns();
  const asked = new Set(port.sent.filter(({ message }) => message.type === 'askProgress').map(({ to }) => to));
  take(15);
  intake.progress(lsn(20), false);
  await turns();
  const early = answer;
  disk.letSync();
  await port.awaitSent('log.extended');
  await turns();

  expect({ asked, early, answer }).toEqual({
    asked: new Set(['@replication']), early: undefined, answer: { type: 'log.hasPassed', through: log.durableEnd },
  });
  await port.close();
});

test('who waits for an LSN that the log has passed already is answered, and Postgres is not asked', async () => {
  take(15);
  intake.progress(lsn(20), false);
  await intake.sync();
  const port = await openPort(writer());

  expect([await port.ask({ type: 'awaitPassed', lsn: '20' }), port.sent.filter(({ message }) => message.type === 'askProgress')]).toEqual([
    { type: 'log.hasPassed', through: log.durableEnd }, [],
  ]);
  await port.close();
});

test('however many wait for what Postgres has logged, it is asked for all together, and each goes on when its own has come', async () => {
  const port = await openPort(writer());
  const answers: number[] = [];
  const ask = (from: number): void => {
    for (let index = 0; index < 1_000; index += 1) {
      void port.ask({ type: 'awaitPassed', lsn: String(from + index) }).then(() => answers.push(from + index));
    }
  };
  ask(1_000);
  await turns();
  ask(2_000);
  await turns();
  const asked = port.sent.filter(({ message }) => message.type === 'askProgress').length;
  intake.progress(lsn(1_499), true);
  await turns();
  const first = answers.length;
  intake.progress(lsn(2_999), true);
  await turns();

  expect({ isAskedRarely: asked < 10, first, all: answers.length, timers: clock.pendingTimers }).toEqual({
    isAskedRarely: true, first: 500, all: 2_000, timers: 1,
  });
  await port.close();
});

test('who waits for something new has Postgres asked soon, though others have waited long', async () => {
  const port = await openPort(writer());
  const given = new AbortController();
  const first = port.ask({ type: 'awaitPassed', lsn: '20' }, given.signal);
  await turns();
  for (const delayMs of [5, 10, 20, 40, 80]) {
    clock.advance(delayMs);
    await turns();
  }
  const askedSince = (before: number): number => port.sent.filter(({ message }) => message.type === 'askProgress').length - before;
  const before = askedSince(0);
  const second = port.ask({ type: 'awaitPassed', lsn: '30' }, given.signal);
  await turns();
  const soon = askedSince(before);
  given.abort();

  await expect(Promise.allSettled([first, second])).resolves.toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect({ before, soon }).toEqual({ before: 6, soon: 1 });
  await port.close();
});

test('Postgres is asked again while it says nothing', async () => {
  const port = await openPort(writer());
  const given = new AbortController();
  const asking = port.ask({ type: 'awaitPassed', lsn: '20' }, given.signal);
  await turns();
  clock.advance(5);
  await turns();
  clock.advance(10);
  await turns();
  const asked = port.sent.filter(({ message }) => message.type === 'askProgress').length;
  given.abort();

  await expect(asking).rejects.toThrow('aborted');
  expect(asked).toBe(3);
  await port.close();
});

test('when nobody waits any more Postgres is asked no more, and nothing waits for it', async () => {
  const port = await openPort(writer());
  await turns();
  const timers = clock.pendingTimers;
  const given = new AbortController();
  const asking = port.ask({ type: 'awaitPassed', lsn: '20' }, given.signal);
  await turns();
  given.abort();
  await expect(asking).rejects.toThrow('aborted');
  await turns();

  expect(clock.pendingTimers - timers).toBe(0);
  await port.close();
});

test('how often Postgres is asked has a bound, and who has its answer waits for nothing more', async () => {
  const port = await openPort(writer());
  await turns();
  const timers = clock.pendingTimers;
  const answered = port.ask({ type: 'awaitPassed', lsn: '20' });
  const questions = () => port.sent.filter(({ message }) => message.type === 'askProgress').length;
  for (let again = 0; again < 20; again += 1) {
    await turns();
    clock.advance(200);
  }
  await turns();
  const asked = questions();
  intake.progress(lsn(20), true);

  expect({ asked, answer: (await answered).type, timers: clock.pendingTimers - timers }).toEqual({
    asked: 21, answer: 'log.hasPassed', timers: 0,
  });
  await port.close();
});

test('what passes while a sync is under way has not passed durably with that', async () => {
  disk.holdSyncs();
  take(10);
  const syncing = intake.sync();
  take(11);
  disk.letSync();
  await syncing;
  const early = [11, 12].map((at) => intake.hasPassed(lsn(at)));
  await intake.sync();

  expect({ early, late: intake.hasPassed(lsn(12)) }).toEqual({ early: [true, false], late: true });
});

test('what had passed of a stream says nothing of the one that begins anew, also where a sync was under way', async () => {
  take(1_000);
  await intake.sync();
  const before = intake.hasPassed(lsn(7));
  await intake.restart(anotherSource, lsn(5));
  const restarted = intake.hasPassed(lsn(7));
  take(2_000);
  disk.holdSyncs();
  const syncing = intake.sync();
  const restarting = intake.restart(anotherSource, lsn(5));
  disk.letSync();
  await Promise.all([syncing, restarting]);

  expect([before, restarted, intake.hasPassed(lsn(7))]).toEqual([true, false, false]);
});

test('who waits for a sync waits no longer than it is told to, and is done with it behind the first', async () => {
  const [over, { signal }] = [new AbortController(), new AbortController()];
  over.abort();
  await intake.whenSynced(over.signal);
  let woken = 0;
  const unlisten = signal.removeEventListener.bind(signal);
  signal.removeEventListener = (...listener: Parameters<typeof unlisten>) => {
    woken += 1;
    unlisten(...listener);
  };
  const waiting = intake.whenSynced(signal);
  await intake.sync();
  await waiting;
  await intake.sync();

  expect({ woken, listeners: getEventListeners(signal, 'abort') }).toEqual({ woken: 1, listeners: [] });
});
