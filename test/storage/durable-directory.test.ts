/** A directory whose name lasts: what lies in it durably must not go with it. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { makeDurably, makeDurablyAnywhere } from '../../src/storage/disk/durable-directory.ts';
import { DiskError } from '../../src/storage/errors.ts';
import { ShapePaths } from '../../src/storage/shapes/shape-paths.ts';
import { handleOf } from '../support/shapes.ts';
import { MemoryDisk } from './memory-disk.ts';

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

/** What a power cut leaves at worst. */
function leastNames(disk: MemoryDisk): number {
  return Math.min(...SEEDS.map((seed) => {
    const image = disk.image();
    image.crash(seededRandom(seed));
    return image.names.size;
  }));
}

test('is durable when it was made, with its parents', async () => {
  const disk = new MemoryDisk();
  await makeDurably(disk.mount(), '/a/b/c');

  expect(leastNames(disk)).toBe(disk.names.size);
});

test.each([/^\/data$/, /^\/data\/shapes$/])('is durable also when a sync of its name (%s) was refused at first', async (refused) => {
  const disk = new MemoryDisk();
  await makeDurably(disk.mount(), '/data');
  const paths = new ShapePaths(disk.mount(), '/data');
  disk.fail('sync', 'EIO', refused);
  await expect(paths.prepare(handleOf(1))).rejects.toThrow('EIO');
  disk.heal();
  await paths.prepare(handleOf(1));

  expect(leastNames(disk)).toBe(disk.names.size);
});

test('is durable also when whoever made it was killed before its name was', async () => {
  const disk = new MemoryDisk();
  await disk.mount().makeDirectory('/data');
  disk.kill();
  await makeDurably(disk.mount(), '/data');

  expect(leastNames(disk)).toBe(disk.names.size);
});

test('one that an operator made where we may not even look is taken as it is; one that we made is not', async () => {
  const denied = Object.assign(new Error('a test'), { code: 'EACCES' });
  const syncDirectory = (path: string): Promise<void> => Promise.reject(new DiskError('sync', path, denied));
  const there = { syncDirectory, makeDirectory: () => Promise.resolve(undefined) };
  await makeDurablyAnywhere(there, '/their/data');

  const ours = { syncDirectory, makeDirectory: () => Promise.resolve('/their/data') };
  await expect(makeDurablyAnywhere(ours, '/their/data')).rejects.toThrow('EACCES');
  await expect(makeDurably(there, '/their/data')).rejects.toThrow('EACCES');
});
