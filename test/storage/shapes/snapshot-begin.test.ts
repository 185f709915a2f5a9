/** A snapshot begins at once, and its file is made meanwhile. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, pgSnapshot } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

test('one whose file cannot be made fails whoever writes its rows or ends it, and nobody before', async () => {
  const disk = new MemoryDisk();
  const storage = await openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount() });
  disk.fail('open', 'EIO', /\.snapshot$/);
  const writer = storage.shapes.create(handleOf(1), shapeOf({})).beginSnapshot(pgSnapshot);
  await new Promise<void>((resolve) => systemClock.setTimer(resolve, 0)); // By now a rejection that nobody hears would have ended us.

  await expect(writer.write([bytes('"row"')])).rejects.toThrow('EIO');
  await expect(writer.complete()).rejects.toThrow('EIO');
  disk.heal();
  await storage.close();
});
