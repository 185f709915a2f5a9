/** What a storage has opened it closes: a process that works for years has as many files open as on its first day. */
import { expect, test } from 'vitest';
import { BEFORE_ALL } from '../../src/model/log-offset.ts';
import { CHECKPOINT_FRAMES, encodeCheckpointFrame } from '../../src/storage/checkpoint/checkpoint-frame.ts';
import type { ShapeRecord } from '../../src/storage/log/shape-record.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Processes } from '../../src/storage/disk/processes.ts';
import { verifyStorage } from '../../src/storage/inspection/verification.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { appendLines, bodyOf, grow, offset, snapshotOf } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

const processes: Processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => true };

function opened(disk: MemoryDisk): Promise<Storage> {
  return openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount(), segmentBytesMax: 600, processes });
}

/** Shapes with saved lines, read from their files; one of them is deleted. */
async function work(storage: Storage): Promise<void> {
  for (const index of [1, 2]) {
    const shape = storage.shapes.create(handleOf(index), shapeOf({}));
    await snapshotOf(shape, ['"row"']);
    appendLines(shape, 10, ['"line"']);
  }
  for (let commit = 10; commit < 20; commit += 1) await grow(storage, commit);
  await storage.shapes.checkpoint();
  for (const shape of storage.shapes.all()) for (const from of [BEFORE_ALL, offset('0_inf')]) await bodyOf(shape.read(from));
  storage.shapes.delete(handleOf(2), 'a test');
}

test('a storage that was worked with, and is opened again, has no file open when it is closed', async () => {
  const disk = new MemoryDisk();
  const first = await opened(disk);
  await work(first);
  await first.close();
  const afterFirst = disk.openFiles;
  const second = await opened(disk);
  await bodyOf(second.shapes.get(handleOf(1))?.read(BEFORE_ALL) ?? { outcome: 'beyond' });
  await second.close();

  expect([afterFirst, disk.openFiles]).toEqual([0, 0]);
});

const checkpoint = '/data/checkpoint/0000000000000001.checkpoint';
const head = encodeCheckpointFrame(1, 0, CHECKPOINT_FRAMES.head, JSON.stringify({ format: 99 }));

test.each([
  ['is in use', '/data/lock.7', Buffer.from(JSON.stringify({ host: 'here', pid: 9, start: '' })), 'StorageLockedError'],
  ['is of another format', '/data/format', Buffer.from('99\n'), 'StorageVersionError'],
  ['has a checkpoint of another format', checkpoint, head, 'UnknownContentError'],
])('a directory that %s has no file open when it was refused, and is locked by nobody', async (_, path, content, name) => {
  const disk = new MemoryDisk();
  const first = await opened(disk);
  await work(first);
  await first.close();
  await (await disk.mount().open(path, 'write')).close();
  disk.damage(path, content);
  const refused = await opened(disk).catch((error: Error) => error.name);

  const left = disk.files.filter((each) => each.startsWith('/data/lock') && each !== path);
  expect([refused, disk.openFiles, left]).toEqual([name, 0, []]);
});

test('a directory whose log tells what this version does not know has no file open when it was refused', async () => {
  const disk = new MemoryDisk();
  const first = await opened(disk);
  await work(first);
  first.log.appendRecord({ type: 'shape.renamed', handle: handleOf(1) } as unknown as ShapeRecord);
  await first.close();
  const refused = await opened(disk).catch((error: Error) => error.name);

  expect([refused, disk.openFiles]).toEqual(['UnknownContentError', 0]);
});

test('a storage whose log was damaged, and begun anew, has no file open when it is closed', async () => {
  const disk = new MemoryDisk();
  const first = await opened(disk);
  await work(first);
  await first.close();
  const path = disk.files.filter((each) => each.endsWith('.log')).at(-1) ?? '';
  disk.damage(path, disk.content(path).subarray(0, -3));
  const second = await opened(disk);
  await second.close();

  expect([second.notes.length, disk.openFiles]).toEqual([1, 0]);
});

test('a storage that was verified has no file open behind it', async () => {
  const disk = new MemoryDisk();
  const storage = await opened(disk);
  await work(storage);
  await storage.close();
  const { damages } = await verifyStorage(disk.mount(), '/data', () => {});

  expect([damages, disk.openFiles]).toEqual([[], 0]);
});
