/** A snapshot begins at once, and its file is made meanwhile. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import type { StoredShape } from '../../../src/storage/shapes/stored-shape.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, pgSnapshot } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

test('one whose file cannot be made fails whoever writes its rows or ends it, and nobody before', async () => {
  const disk = new MemoryDisk();
  const storage = await openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), packing: { fewBytesMax: 0 } });
  disk.fail('open', 'EIO', /\.snapshot$/);
  const writer = storage.shapes.create(handleOf(1), shapeOf({})).beginSnapshot(pgSnapshot);
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 0)); // By now a rejection that nobody hears would have ended us.

  await expect(writer.write([bytes('"row"')])).rejects.toThrow('EIO');
  await expect(writer.complete()).rejects.toThrow('EIO');
  disk.heal();
  await storage.close();
});

/** A shape whose snapshot has written a row, of a storage whose log is refused what it has. */
async function withFullLog() {
  const disk = new MemoryDisk();
  const storage = await openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), packing: { fewBytesMax: 0 } });
  storage.disk.keep();
  const shape = storage.shapes.create(handleOf(1), shapeOf({}));
  const writer = shape.beginSnapshot(pgSnapshot);
  await writer.write([bytes('"row"')]);
  disk.fail('write', 'ENOSPC', /\.log$/);
  const syncing = storage.log.sync();
  await expect.poll(() => storage.disk.pause !== undefined).toBe(true);
  const snapshots = () => disk.files.filter((path) => path.endsWith('.snapshot')).length;
  const recover = async (): Promise<void> => {
    disk.heal();
    expect(await storage.disk.tryAgain(new AbortController().signal)).toBeUndefined();
    await syncing;
  };
  return { storage, shape, writer, snapshots, recover };
}

test('one that is given up gives its room back while the log waits for room', async () => {
  const { storage, shape, snapshots, recover } = await withFullLog();
  const before = snapshots();
  storage.shapes.delete(shape.handle, 'the disk is full');

  await expect.poll(snapshots).toBe(0);
  await recover();
  expect(before).toBe(1);
  await storage.close();
});

test('one that is whole keeps its files until its end is durable: a stop before that brings the shape back', async () => {
  const { storage, shape, writer, snapshots, recover } = await withFullLog();
  const completing = writer.complete();
  await expect.poll(() => (shape as StoredShape).comesBack).toBe(true);
  storage.shapes.delete(shape.handle, 'not wanted any more');
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 0));
  const meanwhile = snapshots();
  await recover();
  await completing;

  await expect.poll(snapshots).toBe(0);
  expect(meanwhile).toBe(1);
  await storage.close();
});
