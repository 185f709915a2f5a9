/** Files that stay open between two reads: few, closed in the end, and never one that is no longer there. */
import { expect, test } from 'vitest';
import { FileCache } from '../../../src/storage/shapes/file-cache.ts';
import { bytes, text } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const FEW = { idle: 3, uses: 10 };

async function write(disk: MemoryDisk, path: string): Promise<void> {
  const file = await disk.mount().open(path, 'write');
  await file.append(bytes(path));
  await file.close();
}

async function diskWith(count: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  for (let number = 0; number < count; number += 1) await write(disk, `/${number}`);
  return disk;
}

test('of many files that are read few stay open, those that were read last', async () => {
  const disk = await diskWith(10);
  const files = new FileCache(disk.mount(), FEW);
  const read = (path: string) => files.use(path, async (file) => text(await file.read(0, 10)));
  const found = [];
  for (let number = 0; number < 10; number += 1) found.push(await read(`/${number}`));
  const { looks } = disk.asked;
  for (const path of ['/7', '/8', '/9']) await read(path);
  const opened = disk.asked.looks - looks - 3; // Each is read.

  expect({ found: found.length, openFiles: disk.openFiles, opened }).toEqual({ found: 10, openFiles: 3, opened: 0 });
});

test('files in use are as many as their users need, and go when these are done', async () => {
  const disk = await diskWith(10);
  const files = new FileCache(disk.mount(), FEW);
  let done = (): void => {};
  const isOver = new Promise<void>((resolve) => (done = resolve));
  const uses = Array.from({ length: 10 }, (_, number) => files.use(`/${number}`, () => isOver));
  await expect.poll(() => disk.openFiles).toBe(10);
  done();
  await Promise.all(uses);

  expect(disk.openFiles).toBeLessThanOrEqual(3);
});

test('a file that is forgotten while somebody reads it is closed behind that, and opened anew for the next one', async () => {
  const disk = await diskWith(1);
  const files = new FileCache(disk.mount(), FEW);
  const read = await files.use('/0', async (file) => {
    await files.forget('/0');
    return [disk.openFiles, text(await file.read(0, 10))];
  });
  const behind = disk.openFiles;
  await files.use('/0', () => Promise.resolve());

  expect({ read, behind, again: disk.openFiles }).toEqual({ read: [1, '/0'], behind: 0, again: 1 });
});

test('a file that could not be opened, or read, is asked for again', async () => {
  const disk = new MemoryDisk();
  const files = new FileCache(disk.mount(), FEW);
  const read = (): Promise<string> => files.use('/0', async (file) => text(await file.read(0, 10)));
  const missing = await read().catch((error: Error) => error.message);
  await write(disk, '/0');
  disk.fail('read', 'EIO');
  const broken = await read().catch((error: Error) => error.message);
  const openFiles = disk.openFiles;
  disk.heal();

  expect([missing, broken, openFiles, await read()]).toEqual(['cannot open /0: ENOENT', 'cannot read /0: EIO', 0, '/0']);
});

test('of more uses than there may be at a time each waits for one that is done, in the order in which they came', async () => {
  const disk = await diskWith(6);
  const files = new FileCache(disk.mount(), { idle: 0, uses: 2 });
  const done: (() => void)[] = [];
  const begun: number[] = [];
  const use = (number: number): Promise<void> =>
    files.use(`/${number}`, () => {
      begun.push(number);
      return new Promise((resolve) => done.push(resolve));
    });
  const refused = files.use('/none', () => Promise.resolve()).catch((error: Error) => error.message);
  const uses = [0, 1, 2, 3, 4, 5].map(use);
  await expect.poll(() => begun).toEqual([0, 1]); // The one that was refused has given over its place.
  const openFiles = [disk.openFiles];
  for (let number = 0; number < 6; number += 1) {
    await expect.poll(() => done.length).toBeGreaterThan(number);
    openFiles.push(disk.openFiles);
    done[number]?.();
  }
  await Promise.all(uses);

  expect({ begun, most: Math.max(...openFiles), refused: await refused, left: disk.openFiles }).toEqual({
    begun: [0, 1, 2, 3, 4, 5], most: 2, refused: 'cannot open /none: ENOENT', left: 0,
  });
});

test('who waits for a place while the cache is closed leaves no file open behind him', async () => {
  const disk = await diskWith(2);
  const files = new FileCache(disk.mount(), { idle: 2, uses: 1 });
  let leave = (): void => {};
  const first = files.use('/0', () => new Promise<void>((resolve) => (leave = resolve)));
  const second = files.use('/1', async (file) => text(await file.read(0, 10)));
  await expect.poll(() => disk.openFiles).toBe(1);
  await files.close();
  leave();
  await first;

  expect([await second, disk.openFiles]).toEqual(['/1', 0]);
});
