/** What every store of a shape's bytes promises of the rows that a splice brings. */
import { describe, expect, test } from 'vitest';
import { LOG_START } from '../../../src/model/log-position.ts';
import { DiskStanding } from '../../../src/storage/disk/disk-standing.ts';
import { SupersededError } from '../../../src/storage/errors.ts';
import { FileCache } from '../../../src/storage/shapes/file-cache.ts';
import { MemoryShapeStore } from '../../../src/storage/shapes/memory-shape-store.ts';
import { OwnFaults } from '../../../src/storage/shapes/own-faults.ts';
import { pieceAt, type ChunkSums } from '../../../src/storage/shapes/piece.ts';
import { ShapeFiles } from '../../../src/storage/shapes/shape-files.ts';
import { NO_LINES } from '../../../src/storage/shapes/shape-lines.ts';
import { ShapePaths } from '../../../src/storage/shapes/shape-paths.ts';
import type { ShapeStore } from '../../../src/storage/shapes/shape-store.ts';
import { newShape } from '../../../src/storage/shapes/shape-table.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, text } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const handle = handleOf(1);
const shape = newShape(handle, { definition: shapeOf({}), chunkBytesMax: 100, position: LOG_START });

const stores: readonly (readonly [string, () => ShapeStore])[] = [
  ['memory', () => new MemoryShapeStore(handle)],
  ['files', () => filesOnMemoryDisk()],
];

function filesOnMemoryDisk(memoryDisk = new MemoryDisk()): ShapeFiles {
  const disk = memoryDisk.mount();
  const faults = new OwnFaults(new DiskStanding(new ManualClock()), new ManualClock());
  return new ShapeFiles({ disk, files: new FileCache(disk, { idle: 2, uses: 2 }), paths: new ShapePaths(disk, '/shapes'), faults }, shape);
}

/** Nobody else writes the rows. */
const always = (): void => {};

async function bring(store: ShapeStore, number: number, ...rows: readonly string[]): Promise<ChunkSums | null> {
  const writer = store.beginMoved(number, always);
  for (const row of rows) await writer.write(bytes(row));
  return await writer.complete();
}

async function rowsOf(store: ShapeStore, number: number, sums: ChunkSums | null): Promise<string | undefined> {
  return sums === null ? undefined : text(await store.readMoved(number, pieceAt(sums, 0)));
}

describe.each(stores)('in %s', (_, open) => {
  test('rows are read back as they were written, each splice its own', async () => {
    const store = open();
    const [first, none, third] = [await bring(store, 1, 'a\n', 'b\n'), await bring(store, 2), await bring(store, 3, 'c\n')];

    expect([await rowsOf(store, 1, first), none, await rowsOf(store, 3, third)]).toEqual(['a\nb\n', null, 'c\n']);
  });

  test('rows that are missing are told as such, and so are those that were let go', async () => {
    const store = open();
    const sums = await bring(store, 1, 'a\n');
    await store.forgetMoved(1);

    await expect(rowsOf(store, 1, sums)).rejects.toThrow('missing');
    await expect(rowsOf(store, 2, sums)).rejects.toThrow('missing');
  });

  test('rows that are fewer, or others, than was recorded are refused', async () => {
    const store = open();
    const sums = await bring(store, 1, 'a\n');

    await expect(rowsOf(store, 1, { bytes: 3, sums: sums?.sums ?? [] })).rejects.toThrow('corrupt');
    await expect(rowsOf(store, 1, { bytes: 2, sums: [7] })).rejects.toThrow('does not hold');
  });

  test('of two that write the rows of one splice only who still may leaves any, however late the other is', async () => {
    const store = open();
    let isLate = false;
    const first = store.beginMoved(1, () => {
      if (isLate) throw new SupersededError(handle);
    });
    await first.write(bytes('old\n'));
    isLate = true;
    const sums = await bring(store, 1, 'a\n');
    const late = await Promise.allSettled([first.write(bytes('older\n')), first.complete()]);

    expect({ late: late.map(({ status }) => status), rows: await rowsOf(store, 1, sums) }).toEqual({
      late: ['rejected', 'rejected'], rows: 'a\n',
    });
  });

  test('what is written is as it was when it was given', async () => {
    const store = open();
    const writer = store.beginMoved(1, always);
    const row = bytes('a\n');
    await writer.write(row);
    row.fill(0);

    expect(await rowsOf(store, 1, await writer.complete())).toBe('a\n');
  });
});

test('a file of a shape that is removed is whole before it is discarded, also when lines were written meanwhile', async () => {
  const disk = new MemoryDisk();
  const store = filesOnMemoryDisk(disk);
  const writer = store.beginMoved(1, always);
  await writer.write(bytes('a\n'));
  disk.holdSyncs();
  const ends: string[] = [];
  const completed = writer.complete().then(() => ends.push('rows'));
  await store.append(NO_LINES, [], false);
  const removed = store.remove().then(() => ends.push('shape'));
  for (let turn = 0; turn < 32; turn += 1) await Promise.resolve(); // More than the removal takes where it waits for nobody.
  disk.letSync();
  await Promise.all([completed, removed]);

  expect(ends).toEqual(['rows', 'shape']);
});
