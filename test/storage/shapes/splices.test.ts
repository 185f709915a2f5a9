/** What a storage keeps of a splice: its record, its rows and the views, over stops of any kind. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { Splice } from '../../../src/storage/log/shape-record.ts';
import { openCheckpoints } from '../../../src/storage/checkpoint/checkpoints.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { FEW_BYTES_MAX } from '../../../src/storage/shapes/few-rows.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { ShapePaths } from '../../../src/storage/shapes/shape-paths.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { appendLines, bytes, grow, pgSnapshot, snapshotOf, text } from '../../support/storage/stored-samples.ts';
import { engines } from '../engines.ts';
import { MemoryDisk } from '../memory-disk.ts';

const [INNER, OUTER] = [handleOf(1), handleOf(2)];
const [BEGIN, MOVED, LATER] = ['10_0', '20_0', '30_0'] as [LogOffset, LogOffset, LogOffset];
const draft: Omit<Splice, 'number'> = {
  place: LOG_START, through: LOG_START, views: [MOVED], pgSnapshot, first: '5_0' as LogOffset, rows: null,
};

/** More than a record takes along. */
const many = (name: string) => `"${name.padEnd(FEW_BYTES_MAX, 'x')}"\n`;
const MANY = many('');

function open(disk: MemoryDisk): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/store', clock: new ManualClock(), disk: disk.mount(), processes, packing: { fewBytesMax: 0 } });
}

/** A shape that depends on another, with a view and its whole snapshot. */
async function outerShape(storage: Storage): Promise<ShapeLog> {
  await snapshotOf(storage.shapes.create(INNER, shapeOf({})), []);
  const shape = storage.shapes.create(OUTER, shapeOf({ where: { column: 'title', equals: 'x' } }), [INNER]);
  shape.beginViews([BEGIN]);
  await snapshotOf(shape, []);
  return shape;
}

function movedFiles({ files }: MemoryDisk): string[] {
  return files.filter((name) => name.endsWith('.moved')).map((name) => name.replace(/^.*\//, ''));
}

/** A splice to these views is recorded, with these rows. */
async function bring(shape: ShapeLog, views: readonly LogOffset[], rows = MANY): Promise<void> {
  const writer = shape.beginMoved();
  await writer.write(bytes(rows));
  shape.recordSplice({ ...draft, views, rows: await writer.complete() });
}

function makeLines(shape: ShapeLog): void {
  shape.takeSplice();
  shape.publish(shape.position);
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

test('what comes stands behind all splices that brought no line, also behind one whose query saw more than the last had to', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  shape.recordSplice({ ...draft, first: '500_0' as LogOffset });
  makeLines(shape);
  shape.recordSplice({ ...draft, views: [LATER], first: '400_0' as LogOffset });
  shape.takeSplice();
  const hidden = shape.placedBehind;
  shape.publish(shape.position);
  const published = shape.placedBehind;
  await before.shapes.checkpoint();
  disk.crash(seededRandom(5));
  const after = await open(disk);

  expect({ hidden, published, after: after.shapes.get(OUTER)?.placedBehind }).toEqual({
    hidden: '500_0', published: '500_0', after: '500_0',
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
  await bring(shape, [MOVED]);
  makeLines(shape);
  const written = movedFiles(disk);
  await storage.shapes.checkpoint();
  const checkpointed = movedFiles(disk);
  await bring(shape, [LATER]);
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
  await bring(shape, [MOVED]);
  makeLines(shape);
  for (const name of [...disk.names.keys()]) if (name.endsWith('.moved')) await disk.mount().removeFile(name);

  await expect(storage.shapes.checkpoint()).resolves.toBeUndefined();
  await storage.close();
});

test.each(engines)('rows whose lines are still to be made outlive a checkpoint that has the lines before: $name', async (engine) => {
  const storage = await engine.open();
  const shape = await outerShape(storage);
  await bring(shape, [MOVED], many('first'));
  makeLines(shape);
  await bring(shape, [LATER], many('second'));
  await storage.shapes.checkpoint();

  expect(await rowsOf(shape)).toBe(many('second'));
  await storage.close();
});

test('what a checkpoint could not take off the disk any more goes with the next start, and nothing else does', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  await bring(shape, [MOVED]);
  makeLines(shape);
  await bring(shape, [LATER], many('second'));
  disk.fail('remove', 'EACCES', /\.moved$/);
  await expect(before.shapes.checkpoint()).rejects.toThrow('EACCES');
  disk.heal();
  await expect(before.shapes.checkpoint()).rejects.toThrow('EACCES'); // Nothing is tried again.
  disk.kill();
  const left = movedFiles(disk);
  const after = await open(disk);
  const again = after.shapes.get(OUTER);
  const rows = again && (await rowsOf(again));
  await after.close();

  expect({ left, rows, swept: movedFiles(disk), kinds: disk.files.filter((name) => name.endsWith('.snapshot')).length }).toEqual({
    left: [1, 2].map((number) => `${OUTER}.${number}.moved`), rows: many('second'), swept: [`${OUTER}.2.moved`], kinds: 2,
  });
});

test('files of rows are closed when they were written or read, and one that went is not looked for again', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const shape = await outerShape(storage);
  const before = disk.openFiles;
  await bring(shape, [MOVED]);
  await rowsOf(shape);
  const behind = disk.openFiles;
  makeLines(shape);
  await storage.shapes.checkpoint();
  disk.fail('remove', 'EIO', /\.moved$/);
  shape.publish(shape.position);

  await expect(storage.shapes.checkpoint()).resolves.toBeUndefined();
  expect(behind).toBe(before);
  disk.heal();
  await storage.close();
});

test('rows that came back with a restart go as well when a checkpoint has their lines', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  await bring(await outerShape(before), [MOVED]);
  await before.log.sync();
  disk.kill();
  const after = await open(disk);
  const shape = after.shapes.get(OUTER);
  const rows = shape && (await rowsOf(shape));
  const left = movedFiles(disk);
  if (shape !== undefined) makeLines(shape);
  await after.shapes.checkpoint();

  expect({ rows, left, behind: movedFiles(disk) }).toEqual({ rows: MANY, left: [`${OUTER}.1.moved`], behind: [] });
  await after.close();
});

test('rows whose file is gone are damage of their shape, and those that a disk cannot read which fails as a whole are not', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const shape = await outerShape(storage);
  await bring(shape, [MOVED]);
  disk.fail('open', 'EIO');
  const unread = await shape.readMoved(0).catch((error: Error) => error.name);
  disk.heal();
  for (const name of disk.files) if (name.endsWith('.moved')) disk.lose(name);
  const missing = await shape.readMoved(0).catch((error: Error) => [error.name, /is missing$/.test(error.message)]);

  expect({ unread, missing }).toEqual({ unread: 'DiskError', missing: ['ShapeCorruptError', true] });
  await storage.close();
});

test('of a shape that is deleted no rows are read or written any more, and what was on its way leaves no file', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const shape = await outerShape(storage);
  await bring(shape, [MOVED]);
  const writer = shape.beginMoved();
  const onTheirWay = Array.from({ length: 10 }, () => writer.write(bytes(MANY)));
  storage.shapes.delete(OUTER, 'a test');
  await Promise.all([storage.close(), ...onTheirWay]);
  const late = [writer.write(bytes(MANY)), writer.complete(), shape.readMoved(0)].map((each) => each.catch((error: Error) => error.name));

  expect({ late: await Promise.all(late), left: movedFiles(disk) }).toEqual({ late: Array(3).fill('ShapeGoneError'), left: [] });
});

test('rows may come before the first row of the snapshot', async () => {
  const storage = await open(new MemoryDisk());
  storage.shapes.create(INNER, shapeOf({}));
  const shape = storage.shapes.create(OUTER, shapeOf({ where: { column: 'title', equals: 'x' } }), [INNER]);
  await bring(shape, [MOVED]);

  expect(await rowsOf(shape)).toBe(MANY);
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

test.each([
  ['before its last row was written', false],
  ['and a checkpoint knew nothing of it', true],
])('a snapshot that ends behind a splice, %s, keeps the views of that and what its query saw, over a crash', async (_, isUnchecked) => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  await snapshotOf(before.shapes.create(INNER, shapeOf({})), []);
  const shape = before.shapes.create(OUTER, shapeOf({ where: { column: 'title', equals: 'x' } }), [INNER]);
  shape.beginViews([BEGIN]);
  const snapshot = shape.beginSnapshot(pgSnapshot);
  const seen = { ...pgSnapshot, insertLsn: '77' as Lsn };
  shape.recordSplice({ ...draft, pgSnapshot: seen });
  makeLines(shape);
  if (!isUnchecked) await before.shapes.checkpoint();
  await snapshot.complete();
  disk.crash(seededRandom(6));
  const after = await open(disk);

  expect(found(after)).toEqual(
    isUnchecked
      ? { dependsOn: [INNER], views: [BEGIN], filterBy: pgSnapshot, next: 1 }
      : { dependsOn: [INNER], views: [MOVED], filterBy: seen, next: undefined },
  );
  await after.close();
});

test('a query that was given up brings nothing any more once a splice was recorded without it', async () => {
  const storage = await open(new MemoryDisk());
  const shape = await outerShape(storage);
  const givenUp = shape.beginMoved();
  shape.recordSplice(draft);

  await expect(givenUp.write(bytes('{"old":1}\n'))).rejects.toThrow('no more');
  await storage.close();
});

test('what is left of a query that was given up does not come into the rows of the next one, however far it had come', async () => {
  const longer = many('new') + many('newer');
  const found: string[] = [];
  for (let turns = 0; turns < 16; turns += 1) {
    const storage = await open(new MemoryDisk());
    const shape = await outerShape(storage);
    const givenUp = shape.beginMoved();
    const onItsWay = givenUp.write(bytes(many('old')));
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const writer = shape.beginMoved();
    const written = writer.write(bytes(longer)).then(() => writer.complete());
    const late = givenUp.write(bytes(many('older')));
    await Promise.allSettled([onItsWay, written, late]);
    shape.recordSplice({ ...draft, rows: await written });
    found.push(await rowsOf(shape));
    await storage.close();
  }

  expect(new Set(found)).toEqual(new Set([longer]));
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
  const whileWritten = { views: shape.views, published: shape.publishedViews, stored: shape.storedViews };
  await snapshot.complete();

  expect({ whileWritten, stored: shape.storedViews }).toEqual({
    whileWritten: { views: [MOVED], published: [MOVED], stored: [BEGIN] }, stored: [MOVED],
  });
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

test.each<[string, (shape: ShapeLog, at: Lsn) => void]>([
  ['stops', (shape, at) => shape.leavePace(at)],
  ['is left behind', (shape, at) => shape.leaveBehind(at)],
])('a shape that %s while one that it depends on waits promises no more than that, also when that one goes on', async (_, leave) => {
  const storage = await open(new MemoryDisk());
  const shape = await outerShape(storage);
  const inner = storage.shapes.get(INNER);
  inner?.publish(storage.shapes.position);
  shape.publish(storage.shapes.position);
  inner?.leavePace('50' as Lsn);
  leave(shape, '70' as Lsn);
  inner?.publish(storage.shapes.position);

  expect(shape.waitsAt).toBe('50');
  await storage.close();
});

test('all shapes wait that depend on one that begins anew', async () => {
  const storage = await open(new MemoryDisk());
  const shapes = [await outerShape(storage), storage.shapes.create(handleOf(3), shapeOf({}), [INNER])];
  const inner = storage.shapes.get(INNER);
  const goAlong = () => [inner, ...shapes].map((each) => each?.publish(storage.shapes.position));
  goAlong();
  inner?.discard('50' as Lsn);
  goAlong();

  expect(shapes.map(({ waitsAt }) => waitsAt)).toEqual(['50', '50']);
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

test('where a shape waits is not raised by what comes later, before its own Consumer goes along behind that', async () => {
  const storage = await open(new MemoryDisk());
  const shape = await outerShape(storage);
  const inner = storage.shapes.get(INNER);
  const goAlong = (each: ShapeLog | undefined) => each?.publish(storage.shapes.position);
  const steps = [
    () => inner?.leavePace('30' as Lsn),
    () => inner?.discard('50' as Lsn),
    () => goAlong(inner),
    () => inner?.discard('70' as Lsn),
    () => goAlong(inner),
    () => shape.discard('80' as Lsn),
    () => shape.publish(storage.shapes.position, 'behind'),
    () => inner?.discard('90' as Lsn),
    () => [inner, shape].map(goAlong),
  ];
  [inner, shape].map(goAlong);
  const waits = steps.map((step) => [step(), shape.waitsAt][1]);
  shape.discard('95' as Lsn);
  goAlong(shape);

  expect({ waits, along: shape.waitsAt }).toEqual({ waits: steps.map(() => '30'), along: undefined });
  await storage.close();
});

test.each<[string, (shape: ShapeLog) => void]>([
  ['leaves the pace', (shape) => shape.leavePace('7' as Lsn)],
  ['is left behind', (shape) => shape.leaveBehind('7' as Lsn)],
])('a shape that %s between two checkpoints stands alone after a crash, where it was', async (_, leave) => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = before.shapes.create(INNER, shapeOf({}));
  await snapshotOf(shape, []);
  shape.publish(before.shapes.position);
  await before.shapes.checkpoint();
  leave(shape);
  const place = shape.position;
  before.shapes.advance(await grow(before, 96));
  await before.shapes.checkpoint();
  disk.crash(seededRandom(7));
  const after = await open(disk);

  expect([after.shapes.get(INNER)?.position, after.shapes.position > place]).toEqual([place, true]);
  await after.close();
});

test('a splice that is recorded between two checkpoints is known to the second one, which is further in the log', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  await before.shapes.checkpoint();
  shape.recordSplice(draft);
  before.shapes.advance(await before.log.sync());
  await before.shapes.checkpoint();
  disk.crash(seededRandom(8));
  const after = await open(disk);

  expect(found(after)).toEqual({ dependsOn: [INNER], views: [BEGIN], filterBy: pgSnapshot, next: 1 });
  await after.close();
});

test('of a shape of which a splice is missing nothing is told, when it was deleted behind that', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  const shape = await outerShape(before);
  before.log.appendRecord({ type: 'shape.spliced', handle: OUTER, ...draft, number: 3 });
  before.shapes.delete(shape.handle, 'a test');
  before.log.appendRecord({ type: 'shape.spliced', handle: OUTER, ...draft, number: 4 });
  await before.log.sync();
  disk.crash(seededRandom(9));
  const after = await open(disk);

  expect([after.notes, [...after.shapes.all()].length]).toEqual([[], 1]);
  await after.close();
});

test('what the entries of a shape tell says nothing of it, where moves may be to come', async () => {
  const storage = await open(new MemoryDisk());
  const outer = await outerShape(storage);
  const shapes = [storage.shapes.get(INNER), outer];
  for (const each of shapes) if (each !== undefined) appendLines(each, 7, ['"a line"']);

  expect(shapes.map((each) => each?.reached)).toEqual(['7', undefined]);
  await storage.close();
});

test('a start reads each directory once, also where a splice has left rows', async () => {
  const disk = new MemoryDisk();
  const before = await open(disk);
  await bring(await outerShape(before), [MOVED]);
  await before.close();
  const [mounted, listed] = [disk.mount(), new Map<string, number>()];
  const list = mounted.list.bind(mounted);
  mounted.list = (path) => {
    listed.set(path, (listed.get(path) ?? 0) + 1);
    return list(path);
  };
  const processes = { self: { host: 'here', pid: 2, start: '' }, isAlive: () => false };
  const after = await openStorage({ directory: '/store', clock: new ManualClock(), disk: mounted, processes, packing: { fewBytesMax: 0 } });
  await after.close();

  const paths = new ShapePaths(mounted, '/store');
  expect([INNER, OUTER].map((handle) => listed.get(paths.directoryOf(handle)))).toEqual([1, 1]);
});

test('rows of a splice stay until the checkpoint that a start went by is durable: a power cut may take that', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const disk = new MemoryDisk();
    const before = await open(disk);
    const shape = await outerShape(before);
    await bring(shape, [MOVED]);
    await before.shapes.checkpoint();
    makeLines(shape);
    disk.holdSyncs();
    before.shapes.checkpoint().catch(() => {}); // It is written, and the process is killed before it is synced.
    await aMoment();
    disk.kill();
    await open(disk);
    await aMoment(); // What is to be removed is.
    disk.crash(seededRandom(seed));
    const shapeAfter = (await open(disk)).shapes.get(OUTER);
    const isTaken = shapeAfter !== undefined && shapeAfter.nextSplice === undefined;
    outcomes.add(isTaken ? 'its lines are there' : await rowsOf(shapeAfter!).then((rows) => `all of ${rows.length}`, String));
  }

  expect(outcomes).toEqual(new Set(['its lines are there', `all of ${MANY.length}`]));
});

/** All that a disk in memory does is done by then, but for syncs that are held. */
async function aMoment(): Promise<void> {
  await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 0));
}

test('the files of a shape go alone, though another one has its own in the same directory', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const paths = new ShapePaths(disk.mount(), '/store');
  const handles = Array.from({ length: 5_000 }, (_, index) => handleOf(10 + index));
  const neighbour = handles.find((handle) => paths.directoryOf(handle) === paths.directoryOf(OUTER)) ?? OUTER;
  await snapshotOf(storage.shapes.create(neighbour, shapeOf({})), []);
  await bring(await outerShape(storage), [MOVED]);
  storage.shapes.delete(OUTER, 'a test');
  await storage.close();

  const left = [neighbour, OUTER].map((handle) => disk.files.filter((path) => path.includes(`/${handle}.`)).length > 0);
  expect(left).toEqual([true, false]);
});
