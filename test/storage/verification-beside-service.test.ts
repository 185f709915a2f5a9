/** What verification tells beside a service that works: of sound shapes nothing, however often it takes what lies in packs elsewhere. */
import { expect, test } from 'vitest';
import type { Disk } from '../../src/storage/disk/disk.ts';
import { verifyStorage } from '../../src/storage/inspection/verification.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { appendLines, snapshotOf } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

const SHAPES = 200;
/** Checkpoints before the verification begins. */
const BEFORE = 12;
/** Of a tail, and of a snapshot in a pack. */
const FEW_BYTES = 1_000;

async function openWithShapes(disk: MemoryDisk): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  const packing = { fewBytesMax: FEW_BYTES, packBytesMax: 8_000 };
  const storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount(), processes, packing });
  for (let number = 1; number <= SHAPES; number += 1) {
    const rows = number === 1 ? [`"${'r'.repeat(2 * FEW_BYTES)}"`] : []; // The first one's have a file of their own.
    await snapshotOf(storage.shapes.create(handleOf(number), shapeOf({})), rows);
  }
  return storage;
}

/** A checkpoint each time that it is called, with a line of each third shape. */
function working({ shapes }: Storage): () => Promise<void> {
  let commit = 0;
  return async () => {
    commit += 1;
    for (let number = 1; number <= SHAPES; number += 1) {
      if (number === 1 || (number + commit) % 3 === 0) appendLines(shapes.get(handleOf(number))!, commit, [`"${'x'.repeat(60)}"`]);
    }
    await shapes.checkpoint();
  };
}

/** Has a turn before each tenth pack or file of lines that is opened. */
function besides(disk: Disk, turn: () => Promise<void>): Disk {
  let opened = 0;
  return {
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    removeFile: (path) => disk.removeFile(path),
    open: async (path, mode) => {
      if (/\.(pack|lines)$/.test(path) && ++opened % 10 === 0) await turn();
      return await disk.open(path, mode);
    },
  };
}

test.each(['sound', 'damaged'])('beside a service that works only what is damaged is told of: a shape that is %s', async (state) => {
  const disk = new MemoryDisk();
  const storage = await openWithShapes(disk);
  const work = working(storage);
  for (let count = 0; count < BEFORE; count += 1) await work();
  const path = disk.files.find((name) => name.endsWith(`/${handleOf(1)}.snapshot`))!;
  const rows = Buffer.from(disk.content(path));
  rows[5] = (rows[5] ?? 0) ^ (state === 'damaged' ? 1 : 0);
  disk.damage(path, rows);
  const { damages } = await verifyStorage(besides(disk.mount(), work), '/data', () => {});
  await storage.close();

  expect(damages.map(({ handle }) => handle)).toEqual(state === 'damaged' ? [handleOf(1)] : []);
});
