/** A directory read by docs/storage-format.md alone has what the service reads from it. */
import { expect, test } from 'vitest';
import { SNAPSHOT_END, snapshotChunkEnd, type LogOffset } from '../../src/model/log-offset.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import type { ShapeLog } from '../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, shapeOf } from '../support/shapes.ts';
import { appendLines, bodyOf, bytes, grow, lsn, pgSnapshot, readAll, snapshotOf } from '../support/storage/stored-samples.ts';
import { CompactingWorld } from './compaction/compacting-world.ts';
import { readDirectory, type Files, type StoredLine } from './format-reader.ts';
import { MemoryDisk } from './memory-disk.ts';

const CHUNK_BYTES = 400_000;
const row = (length: number): string => JSON.stringify('r'.repeat(length));

const start = (disk: MemoryDisk): Promise<Storage> => {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({
    directory: '/data',
    clock: new ManualClock(),
    chunkBytesMax: CHUNK_BYTES,
    segmentBytesMax: 4096,
    disk: disk.mount(),
    processes,
  });
};

function filesOf(disk: MemoryDisk): Files {
  return new Map(disk.files.map((path) => [path.slice('/data/'.length), disk.content(path)]));
}

/** Shapes with chunks, pieces and lines of every size, some of them deleted, some not yet whole, before and behind a checkpoint. */
async function written(disk: MemoryDisk): Promise<void> {
  const storage = await start(disk);
  const wishes = [{ where: { column: 'owner', equals: 'a' } }, { where: { column: 'owner', equals: 'b' } }, {}, { columns: ['id'] }];
  const shapes = wishes.map((wish, index) => storage.shapes.create(handleOf(index + 1), shapeOf(wish)));
  const [large, small, deleted, unfinished] = shapes as [ShapeLog, ShapeLog, ShapeLog, ShapeLog];
  await snapshotOf(large, [row(300_000), row(150_000), row(10), row(600_000), row(5)]);
  await snapshotOf(small, []);
  await snapshotOf(deleted, [row(20)]);
  storage.shapes.advance(await grow(storage, 10));
  appendLines(large, 10, [row(100), row(700_000), row(30), row(262_141), row(262_142), row(1)]);
  appendLines(small, 10, ['"a"', '"b"']);
  await storage.shapes.checkpoint();
  storage.shapes.delete(deleted.handle, 'a test');
  const writer = unfinished.beginSnapshot(pgSnapshot);
  await writer.write([bytes(row(7))]);
  storage.shapes.advance(await grow(storage, 11));
  appendLines(large, 11, [row(200_000), row(100_000)]);
  await storage.shapes.checkpoint();
  await snapshotOf(storage.shapes.create(handleOf(5), shapeOf({})), [row(3)]);
  await grow(storage, 12);
  disk.kill();
}

test.each(['3', '4', '5', '6'])('a directory of format %s is read as it is, and is of this one from then on', async (format) => {
  const disk = new MemoryDisk();
  await written(disk);
  const wrote = filesOf(disk).get('format');
  disk.damage('/data/format', Buffer.from(`${format}\n`));
  const storage = await start(disk);
  const handles = Array.from(storage.shapes.all(), ({ handle }) => handle);
  await storage.close();

  expect({ handles, format: filesOf(disk).get('format') }).toEqual({ handles: [1, 2, 5].map(handleOf), format: wrote });
});

async function asServed(shape: ShapeLog) {
  if (shape.snapshot.state !== 'complete') return undefined;
  const chunks: string[] = [];
  for (let after = '-1' as LogOffset, index = 0; index < shape.snapshot.chunks.length; after = snapshotChunkEnd(index), index += 1) {
    const read = await bodyOf(shape.read(after));
    chunks.push('body' in read ? read.body : read.outcome);
  }
  return { handle: shape.handle, definition: shape.definition, end: shape.end, position: shape.position, chunks };
}

/** Each line by itself, asked for from the one before. */
async function linesServed(shape: ShapeLog, offsets: readonly string[]): Promise<StoredLine[]> {
  const served: StoredLine[] = [];
  let after = SNAPSHOT_END;
  for (const offset of offsets) {
    const read = await bodyOf(shape.read(after));
    served.push({ offset, line: 'body' in read ? (read.body.match(/"[^"]*"/)?.[0] ?? '') : read.outcome });
    after = offset as LogOffset;
  }
  return served;
}

test('rows, offsets, shapes, transactions and the durable end are the same', async () => {
  const disk = new MemoryDisk();
  await written(disk);
  const found = readDirectory(filesOf(disk));
  const storage = await start(disk);
  const shapes = [...storage.shapes.all()];
  const offsets = new Map(found.shapes.map(({ handle, lines }) => [handle, lines.map(({ offset }) => offset)]));

  expect({
    shapes: found.shapes.map(({ chunkEnds: _, lines: _lines, ...shape }) => shape),
    lines: found.shapes.map(({ lines }) => lines),
    transactions: found.transactions.map(({ lsn: commit, changes }) => [commit, changes]),
    durable: found.durable,
  }).toEqual({
    shapes: await Promise.all(shapes.map(asServed)),
    lines: await Promise.all(shapes.map((shape) => linesServed(shape, offsets.get(shape.handle) ?? []))),
    transactions: (await readAll(storage.log, 0)).map(({ lsn: commit, fragments }) => [commit, fragments.join('')]),
    durable: storage.log.durableEnd,
  });
  expect(found.shapes.map(({ handle, end, lines }) => [handle, end, lines.length])).toEqual([
    [handleOf(1), `${lsn(11)}_2`, 8],
    [handleOf(2), `${lsn(10)}_2`, 2],
    [handleOf(5), SNAPSHOT_END, 0],
  ]);
});

test('lines that were compacted are the same, and so are the ends of their chunks', async () => {
  const world = await CompactingWorld.begin();
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  for (let time = 1; time <= 20; time += 1) world.append([{ do: 'update', key: 'a', value: { x: String(time) } }]);
  await world.take('compact');
  world.append([{ do: 'update', key: 'a', value: { x: 'the last' } }]);
  await world.take('checkpoint');
  const [found] = readDirectory(filesOf(world.disk)).shapes;
  const bodies: string[] = [];
  const ends: string[] = [];
  for (let after = SNAPSHOT_END, isWhole = false; !isWhole; ) {
    const read = await bodyOf(world.shape.read(after));
    if (!('body' in read)) break;
    ({ upToDate: isWhole } = read);
    bodies.push(read.body);
    ends.push(read.end);
    after = read.end as LogOffset;
  }
  await world.end();

  expect({ lines: found?.lines.map(({ line }) => line).join(','), ends: found?.chunkEnds.map(({ offset }) => offset) }).toEqual({
    lines: bodies.join(','),
    ends: ends.slice(0, -1),
  });
  expect(found?.lines.length).toBeLessThan(20);
});
