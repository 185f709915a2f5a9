/** What a storage keeps of a splice: its record, its rows and the views, over stops of any kind. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { Splice } from '../../../src/storage/log/shape-record.ts';
import { openCheckpoints } from '../../../src/storage/checkpoint/checkpoints.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { FEW_BYTES_MAX } from '../../../src/storage/shapes/few-rows.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bytes, pgSnapshot, snapshotOf, text } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const [INNER, OUTER] = [handleOf(1), handleOf(2)];
const [BEGIN, MOVED, LATER] = ['10_0', '20_0', '30_0'] as [LogOffset, LogOffset, LogOffset];
const draft: Omit<Splice, 'number'> = {
  place: LOG_START, through: LOG_START, views: [MOVED], pgSnapshot, first: '5_0' as LogOffset, rows: null,
};

/** More than a record takes along. */
const MANY = `"${'x'.repeat(FEW_BYTES_MAX)}"\n`;

function open(disk: MemoryDisk): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), processes });
}

/** A shape that depends on another, with a view and its whole snapshot. */
async function outerShape(storage: Storage): Promise<ShapeLog> {
  await snapshotOf(storage.shapes.create(INNER, shapeOf({})), []);
  const shape = storage.shapes.create(OUTER, shapeOf({ where: { column: 'title', equals: 'x' } }), [INNER]);
  shape.beginViews([BEGIN]);
  await snapshotOf(shape, []);
  return shape;
}

function movedFiles(disk: MemoryDisk): string[] {
  return [...disk.names.keys()].filter((name) => name.endsWith('.moved')).map((name) => name.replace(/^.*\//, ''));
}

async function rowsOf(shape: ShapeLog): Promise<string> {
  return text(await shape.readMoved(0));
}

function found(storage: Storage) {
  const shape = storage.shapes.get(OUTER);
  return { dependsOn: shape?.dependsOn, views: shape?.views, filterBy: shape?.filterBy, next: shape?.nextSplice?.number };
}

test('a shape comes back with those that it depends on, and with the views of its snapshot', async () => {
  const disk = new MemoryDisk();
  await outerShape(await open(disk));
  disk.crash(seededRandom(1));
  const after = await open(disk);

  expect(found(after)).toEqual({ dependsOn: [INNER], views: [BEGIN], filterBy: pgSnapshot, next: undefined });
  await after.close();
});

test.each([
  ['few', '{"b":2}\n', 0],
  ['many', MANY, 1],
])('a splice that was recorded is made again after a crash, with the rows that it brought: %s', async (_, last, files) => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  const writer = shape.beginMoved();
  await writer.write(bytes('{"a":1}\n'));
  await writer.write(bytes(last));
  shape.recordSplice({ ...draft, rows: await writer.complete() });
  await before.log.sync();
  disk.crash(seededRandom(2));
  const written = movedFiles(disk).length;
  const after = await open(disk);
  const again = after.shapes.get(OUTER);

  expect({ ...found(after), rows: again && (await rowsOf(again)), written }).toEqual({
    dependsOn: [INNER], views: [BEGIN], filterBy: pgSnapshot, next: 1, rows: `{"a":1}\n${last}`, written: files,
  });
  await after.close();
});

test('the views of a splice hold once its lines are published, and not when these are given up', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  const seen = { ...pgSnapshot, insertLsn: '77' as Lsn };
  shape.recordSplice({ ...draft, pgSnapshot: seen });
  shape.takeSplice();
  const hidden = { views: shape.views, stored: shape.storedViews, filterBy: shape.filterBy };
  shape.discard(LSN_ZERO);
  const discarded = { views: shape.views, filterBy: shape.filterBy, next: shape.nextSplice?.number };
  shape.takeSplice();
  shape.publish(shape.position);
  await before.shapes.checkpoint();
  disk.crash(seededRandom(3));
  const after = await open(disk);

  expect({ hidden, discarded, after: found(after) }).toEqual({
    hidden: { views: [MOVED], stored: [BEGIN], filterBy: seen },
    discarded: { views: [BEGIN], filterBy: pgSnapshot, next: 1 },
    after: { dependsOn: [INNER], views: [MOVED], filterBy: seen, next: undefined },
  });
  await after.close();
});

test('a record that a checkpoint knows already is not made a second time', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  shape.recordSplice(draft);
  shape.takeSplice();
  shape.publish(shape.position);
  shape.recordSplice({ ...draft, views: [LATER] });
  await before.shapes.checkpoint();
  disk.crash(seededRandom(4));
  const after = await open(disk);

  expect({ ...found(after), views: after.shapes.get(OUTER)?.nextSplice?.views }).toEqual({
    dependsOn: [INNER], views: [LATER], filterBy: pgSnapshot, next: 2,
  });
  await after.close();
});

test('rows go when a checkpoint has the lines of their splice, and with their shape', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const shape = await outerShape(storage);
  const bring = async (views: readonly LogOffset[]): Promise<void> => {
    const writer = shape.beginMoved();
    await writer.write(bytes(MANY));
    shape.recordSplice({ ...draft, views, rows: await writer.complete() });
  };
  await bring([MOVED]);
  shape.takeSplice();
  shape.publish(shape.position);
  const written = movedFiles(disk);
  await storage.shapes.checkpoint();
  const checkpointed = movedFiles(disk);
  await bring([LATER]);
  storage.shapes.delete(OUTER, 'a test');
  await storage.close();

  expect({ written, checkpointed, deleted: movedFiles(disk) }).toEqual({
    written: [`${OUTER}.1.moved`], checkpointed: [], deleted: [],
  });
});

test('rows that go before a checkpoint lets go of them do not fail it', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const shape = await outerShape(storage);
  const writer = shape.beginMoved();
  await writer.write(bytes(MANY));
  shape.recordSplice({ ...draft, rows: await writer.complete() });
  shape.takeSplice();
  shape.publish(shape.position);
  for (const name of [...disk.names.keys()]) if (name.endsWith('.moved')) await disk.mount().removeFile(name);

  await expect(storage.shapes.checkpoint()).resolves.toBeUndefined();
  await storage.close();
});

test.each([
  ['few behind few', '{"old":1}\n', '{"a":1}\n'],
  ['many behind many', MANY, `{"a":1}\n${MANY}`],
  ['few behind many', MANY, '{"a":1}\n'],
  ['many behind few', '{"old":1}\n', MANY],
])('what is left of a query that was given up does not come into the rows of the next one: %s', async (_, old, rows) => {
  const storage = await open(new MemoryDisk());
  const shape = await outerShape(storage);
  const givenUp = shape.beginMoved();
  const onItsWay = givenUp.write(bytes(old));
  const writer = shape.beginMoved();
  const written = writer.write(bytes(rows)).then(() => writer.complete());
  const late = givenUp.write(bytes('{"old":2}\n')).then(() => givenUp.complete());
  const [, , { status }] = await Promise.allSettled([onItsWay, written, late]);
  shape.recordSplice({ ...draft, rows: await written });

  expect({ rows: await rowsOf(shape), late: status }).toEqual({ rows, late: 'rejected' });
  await storage.close();
});

test('the views of a snapshot are looked at until its last row is written, though a splice changes them before', async () => {
  const storage = await open(new MemoryDisk());
  storage.shapes.create(INNER, shapeOf({}));
  const shape = storage.shapes.create(OUTER, shapeOf({ where: { column: 'title', equals: 'x' } }), [INNER]);
  shape.beginViews([BEGIN]);
  const snapshot = shape.beginSnapshot(pgSnapshot);
  shape.recordSplice(draft);
  shape.takeSplice();
  shape.publish(shape.position);
  const whileWritten = { views: shape.views, stored: shape.storedViews };
  await snapshot.complete();

  expect({ whileWritten, stored: shape.storedViews }).toEqual({ whileWritten: { views: [MOVED], stored: [BEGIN] }, stored: [MOVED] });
  await storage.close();
});

test('rows that are not what was written are refused', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const shape = await outerShape(storage);
  const writer = shape.beginMoved();
  await writer.write(bytes('{"a":1}\n'));
  const rows = await writer.complete();
  shape.recordSplice({ ...draft, rows: rows && { ...rows, sums: rows.sums.map((sum) => sum + 1) } });

  await expect(shape.readMoved(0)).rejects.toThrow('does not hold');
  await storage.close();
});

test('a shape waits at least where one waits that it depends on', async () => {
  const storage = await open(new MemoryDisk());
  const shape = await outerShape(storage);
  const inner = storage.shapes.get(INNER);
  inner?.publish(storage.shapes.position);
  shape.publish(storage.shapes.position);
  const together = shape.waitsAt;
  inner?.leavePace('50' as Lsn);

  expect({ together, apart: shape.waitsAt }).toEqual({ together: undefined, apart: '50' });
  await storage.close();
});

test('a checkpoint knows no shape that was deleted while it was written', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const shape = await outerShape(storage);
  await storage.shapes.checkpoint();
  shape.recordSplice(draft);
  disk.holdSyncs();
  const written = storage.shapes.checkpoint();
  storage.shapes.delete(OUTER, 'a test');
  disk.letSync();
  await written;
  const checkpoints = await openCheckpoints(disk.mount(), '/store/checkpoint');

  expect(Array.from(checkpoints.shapes(), ({ handle }) => handle)).toEqual([INNER]);
  await storage.close();
});

test('a shape of which a splice is missing is dropped, and an operator is told', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  shape.recordSplice(draft);
  before.log.appendRecord({ type: 'shape.spliced', handle: OUTER, ...draft, number: 3 });
  await before.log.sync();
  disk.crash(seededRandom(5));
  const after = await open(disk);

  expect({ shapes: Array.from(after.shapes.all(), ({ handle }) => handle), notes: after.notes }).toEqual({
    shapes: [INNER],
    notes: [
      `The transaction log does not tell all that came into shape ${OUTER}: the shape was dropped, and is made anew when it is asked for.`,
    ],
  });
  await after.close();
});

test('a shape that stops while one that it depends on waits promises no more than that one does, also when that one goes on', async () => {
  const storage = await open(new MemoryDisk());
  const shape = await outerShape(storage);
  const inner = storage.shapes.get(INNER);
  inner?.publish(storage.shapes.position);
  shape.publish(storage.shapes.position);
  inner?.leavePace('50' as Lsn);
  shape.leavePace('70' as Lsn);
  inner?.publish(storage.shapes.position);

  expect(shape.waitsAt).toBe('50');
  await storage.close();
});

test('a shape waits where one that it depends on began anew, until its own Consumer has begun and goes along', async () => {
  const storage = await open(new MemoryDisk());
  const shape = await outerShape(storage);
  const inner = storage.shapes.get(INNER);
  const goAlong = () => [inner, shape].map((each) => each?.publish(storage.shapes.position));
  goAlong();
  inner?.discard('50' as Lsn);
  goAlong();
  const detached = shape.waitsAt;
  shape.discard('70' as Lsn);
  const begun = shape.waitsAt;
  goAlong();

  expect({ detached, begun, along: shape.waitsAt }).toEqual({ detached: '50', begun: '50', along: undefined });
  await storage.close();
});
