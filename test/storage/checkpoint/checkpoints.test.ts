/** Generations of checkpoints on a disk that refuses to let go of the ones before. */
import { expect, test } from 'vitest';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { openCheckpoints } from '../../../src/storage/checkpoint/checkpoints.ts';
import { MemoryDisk } from '../memory-disk.ts';

const DIRECTORY = '/checkpoint';
const at = (position: number) => ({ position: position as LogPosition, changed: [], removed: [] });

test('a checkpoint that was refused the removal of one of two generations is made when it is called for again', async () => {
  const disk = new MemoryDisk();
  const first = await openCheckpoints(disk.mount(), DIRECTORY);
  await first.write(at(1));
  disk.fail('remove', 'EIO');
  const second = await openCheckpoints(disk.mount(), DIRECTORY);
  await expect(second.write(at(2))).rejects.toThrow('EIO');
  const found = disk.files.length;
  disk.fail('remove', 'EIO', /2\.checkpoint$/); // The other one goes.
  const third = await openCheckpoints(disk.mount(), DIRECTORY);
  await expect(third.write(at(3))).rejects.toThrow('EIO');
  disk.heal();
  await third.write(at(4));

  const { position } = await openCheckpoints(disk.mount(), DIRECTORY);
  expect({ found, left: disk.files.length, position }).toEqual({ found: 2, left: 1, position: 4 });
});
