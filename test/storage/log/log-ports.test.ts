/** The ports around the transaction log: what they promise is durable, whoever died or failed before. */
import { beforeEach, expect, test } from 'vitest';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { PortSpec } from '../../../src/otp/process.ts';
import { openDiskLog } from '../../../src/storage/log/disk-log.ts';
import type { TransactionLog } from '../../../src/storage/log/transaction-log.ts';
import { LogBlocks } from '../../../src/storage/log/log-blocks.ts';
import { LogIntake } from '../../../src/storage/log/log-intake.ts';
import { logReaderPort } from '../../../src/storage/log/log-reader-port.ts';
import { logWriterPort } from '../../../src/storage/log/log-writer-port.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { openPort } from '../../support/port-harness.ts';
import { bytes, lsn, xid } from '../../support/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

let disk: MemoryDisk;
let log: TransactionLog;
let intake: LogIntake;

beforeEach(async () => {
  disk = new MemoryDisk();
  log = await openDiskLog({ disk: disk.mount(), directory: '/log', segmentBytesMax: 600, tailBytesMax: 400, from: 0 as LogPosition });
  intake = new LogIntake(log);
});

const writer = (): PortSpec => logWriterPort(intake, { replication: '@replication', collector: '@collector' });

function take(commit: number): void {
  intake.changes(xid(commit), bytes('x'));
  intake.commit(xid(commit), lsn(commit));
}

test('the end of the log is told with an LSN that can be read there', async () => {
  take(10);
  await intake.sync();
  take(11);
  const reader = await openPort(logReaderPort(log, new LogBlocks(log)));

  expect(await reader.ask({ type: 'logEnd' })).toEqual({ type: 'log.end', through: log.durableEnd, lsn: '10' });
});

test('a writer that starts after one was killed during a sync tells what that sync made durable', async () => {
  const killed = await openPort(writer());
  disk.holdSyncs();
  take(10);
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
  const closing = killed.close();
  disk.letSync();
  await closing;
  const started = await openPort(writer());
  await started.awaitSent('log.extended');

  expect(started.sent).toEqual([
    { to: '@replication', message: { type: 'acknowledge', lsn: '10' } },
    { to: '@collector', message: { type: 'log.extended', through: log.durableEnd, lsn: '10' } },
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

test('a sync that began before the stream was restarted acknowledges nothing of the new one', async () => {
  disk.holdSyncs();
  take(1_000);
  const syncing = intake.sync();
  const restarting = intake.restart('another');
  disk.letSync();
  await restarting;

  expect((await syncing).lsn).toBe('0');
});

test('a writer that waits for work goes when it is told to', async () => {
  const port = await openPort(writer());
  await port.awaitSent('log.extended');

  await expect(port.close()).resolves.toBe(undefined);
});

test('a stream that outruns the disk is held back until it is synced, also inside a transaction', async () => {
  const fast = new LogIntake(memoryStorage().log);
  fast.changes(xid(10), new Uint8Array(64 * 1024 * 1024));
  const held = fast.congestion;
  await fast.awaitWork(new AbortController().signal);
  await fast.sync();
  await held;
  fast.changes(xid(10), bytes('x'));

  expect([held, fast.congestion]).toEqual([expect.any(Promise), undefined]);
});
