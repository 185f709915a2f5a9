/** A snapshot begins at once, and its file is made meanwhile. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
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
  await setImmediate(); // By now a rejection that nobody has heard of would have ended the process.

  await expect(writer.write([bytes('"row"')])).rejects.toThrow('EIO');
  await expect(writer.complete()).rejects.toThrow('EIO');
  disk.heal();
  await storage.close();
});
