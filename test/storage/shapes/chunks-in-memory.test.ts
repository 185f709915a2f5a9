/** A chunk of a snapshot that lies in memory is given at once, as soon as nothing can be added to it, and the same as by any other way. */
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { BEFORE_ALL, type LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { DiskStanding } from '../../../src/storage/disk/disk-standing.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { FileCache } from '../../../src/storage/shapes/file-cache.ts';
import { MemoryShapeStore } from '../../../src/storage/shapes/memory-shape-store.ts';
import { OwnFaults } from '../../../src/storage/shapes/own-faults.ts';
import { PIECE_BYTES, type ChunkSums } from '../../../src/storage/shapes/piece.ts';
import { ShapeFiles } from '../../../src/storage/shapes/shape-files.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { newShape } from '../../../src/storage/shapes/shape-table.ts';
import { ShapePaths } from '../../../src/storage/shapes/shape-paths.ts';
import { SnapshotChunks } from '../../../src/storage/shapes/snapshot-chunks.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bodyOf, bytes, offset, pgSnapshot, snapshotEnd } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const handle = handleOf(1);

function isAtOnce(shape: ShapeLog, after: LogOffset): boolean {
  const read = shape.read(after);
  return read.outcome === 'entries' && Array.isArray(read.runs);
}

async function opened(chunkBytesMax: number) {
  const disk = new MemoryDisk();
  const storage = await openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), chunkBytesMax });
  const shape = storage.shapes.create(handle, shapeOf({}));
  return { disk, storage, shape, writer: shape.beginSnapshot(pgSnapshot) };
}

test('one that grows is followed; with its last row it is there at once, before its record is durable', async () => {
  const { disk, storage, shape, writer } = await opened(1_000);
  await writer.write([bytes('"a"'), bytes('"b"')]);
  const whileItGrows = isAtOnce(shape, BEFORE_ALL);
  const follower = bodyOf(shape.read(BEFORE_ALL));
  storage.disk.keep();
  disk.fail('write', 'ENOSPC', /\.log$/);
  const completed = writer.complete();
  const followed = await follower; // By then its last row has come.
  const early = { isAtOnce: isAtOnce(shape, BEFORE_ALL), state: shape.snapshot.state, body: await bodyOf(shape.read(BEFORE_ALL)) };
  disk.heal();
  await storage.disk.tryAgain(new AbortController().signal);
  await completed;
  const late = { isAtOnce: isAtOnce(shape, BEFORE_ALL), state: shape.snapshot.state, body: await bodyOf(shape.read(BEFORE_ALL)) };
  await storage.close();

  const whole = { body: `"a","b",${snapshotEnd}`, end: '0_0', upToDate: false };
  expect({ whileItGrows, followed, early, late }).toEqual({
    whileItGrows: false,
    followed: whole,
    early: { isAtOnce: true, state: 'writing', body: whole },
    late: { isAtOnce: true, state: 'complete', body: whole },
  });
});

test('of several each is itself, also the last, which has the end', async () => {
  const { storage, shape, writer } = await opened(4);
  await writer.write([bytes('"a"'), bytes('"b"')]);
  const closed = ['-1', '0_0', '0_1'].map((after) => isAtOnce(shape, offset(after)));
  await writer.complete();

  const read = async (after: LogOffset) => [isAtOnce(shape, after), await bodyOf(shape.read(after))];
  const [first, second, third] = [await read(BEFORE_ALL), await read(offset('0_0')), await read(offset('0_1'))];
  await storage.close();
  expect({ closed, first, second, third }).toEqual({
    closed: [true, true, false],
    first: [true, { body: '"a"', end: '0_0', upToDate: false }],
    second: [true, { body: '"b"', end: '0_1', upToDate: false }],
    third: [true, { body: snapshotEnd, end: '0_2', upToDate: false }],
  });
});

test('one that has gone to a pack is read from there, and is the same', async () => {
  const { storage, shape, writer } = await opened(1_000);
  await writer.write([bytes('"a"')]);
  await writer.complete();
  const before = await bodyOf(shape.read(BEFORE_ALL));
  await storage.shapes.checkpoint();
  const [isThere, body] = [isAtOnce(shape, BEFORE_ALL), await bodyOf(shape.read(BEFORE_ALL))];
  await storage.close();

  expect({ before, isThere }).toEqual({ before: body, isThere: false });
});

test('one whose snapshot was given up is not there at once', async () => {
  const { storage, shape, writer } = await opened(4);
  await writer.write([bytes('"a"')]);
  writer.abort(new Error('given up'));
  const given = isAtOnce(shape, BEFORE_ALL);
  await storage.close();

  expect(given).toBe(false);
});

function chunksOf(rows: Uint8Array, { sums }: Pick<ChunkSums, 'sums'>): SnapshotChunks {
  const disk = new MemoryDisk().mount();
  const faults = new OwnFaults(new DiskStanding(new ManualClock()), new ManualClock());
  const ground = { disk, files: new FileCache(disk, { idle: 2, uses: 2 }), paths: new ShapePaths(disk, '/shapes'), faults };
  const chunks = [{ bytes: rows.length, sums }];
  const shape = newShape(handle, { definition: shapeOf({}), chunkBytesMax: 100, position: LOG_START });
  const snapshot = { state: 'complete', pgSnapshot, chunks, fewRows: Buffer.from(rows).toString('base64') } as const;
  return new SnapshotChunks(handle, new ShapeFiles(ground, { ...shape, snapshot }), new ManualClock(), 100, { pgSnapshot, chunks });
}

test('bytes that do not hold are given to nobody, and told of as damage', async () => {
  const rows = bytes(`"a",${snapshotEnd},`);
  const [sound, damaged] = [chunksOf(rows, { sums: [crc32(rows)] }), chunksOf(rows, { sums: [crc32(rows) ^ 1] })];

  expect({ sound: sound.readNow(0)?.length, damaged: damaged.readNow(0) }).toEqual({ sound: 2, damaged: undefined });
  await expect(damaged.read(0).next()).rejects.toThrow('the checksum of bytes');
});

test('a large one goes piece by piece, wherever it lies', async () => {
  const chunks = new SnapshotChunks(handle, new MemoryShapeStore(handle), new ManualClock(), 2 * PIECE_BYTES, undefined);
  await chunks.begin();
  await chunks.write({ bytes: new Uint8Array(PIECE_BYTES + 1), ends: Uint32Array.of(PIECE_BYTES + 1) });
  await chunks.end(pgSnapshot);

  expect(chunks.readNow(0)).toBeUndefined();
});
