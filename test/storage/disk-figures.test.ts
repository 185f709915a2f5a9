/** What a storage knows of its bytes, without a walk, against what lies on the disk. */
import { expect, test } from 'vitest';
import { diskFigures } from '../../src/storage/disk-figures.ts';
import { storedBytes } from '../../src/storage/inspection/stored-bytes.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { appendLines, grow, snapshotOf } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

test('the bytes of each kind are those that lie there, once all was saved', async () => {
  const disk = new MemoryDisk();
  const storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount(), segmentBytesMax: 600 });
  for (const index of [1, 2, 3]) {
    const shape = storage.shapes.create(handleOf(index), shapeOf({}));
    await snapshotOf(shape, ['"a row"', JSON.stringify('r'.repeat(index * 10_000))]);
    appendLines(shape, 10, ['"a line"', JSON.stringify('l'.repeat(20_000))]); // More than a pack takes.
  }
  for (let commit = 11; commit < 20; commit += 1) await grow(storage, commit);
  await storage.shapes.checkpoint();
  const figures = diskFigures(storage);
  const { log, checkpoints, snapshots, packs, lines, indexes } = await storedBytes(disk.mount(), '/data');
  const witnessBytes = disk.content('/data/log/durable').length;
  await storage.close();

  expect(figures).toEqual({
    log: log.bytes - witnessBytes,
    checkpoints: checkpoints.bytes,
    snapshots: snapshots.bytes + packs.bytes,
    lines: lines.bytes + indexes.bytes,
  });
});
