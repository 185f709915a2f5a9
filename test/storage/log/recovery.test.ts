/** What a storage directory gives back after a stop, and what it refuses. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { BEFORE_ALL, SNAPSHOT_END, snapshotChunkEnd } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { encodeFrame, FRAME_KINDS } from '../../../src/storage/log/frame.ts';
import { encodeJson } from '../../../src/storage/log/frame-payloads.ts';
import { NO_STREAM } from '../../../src/storage/log/held-stream.ts';
import { openStorage, type StorageOptions } from '../../../src/storage/open-storage.ts';
import { systemProcesses } from '../../../src/storage/disk/processes.ts';
import { ShapePaths } from '../../../src/storage/shapes/shape-paths.ts';
import { nodeDisk } from '../../../src/storage/disk/disk.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { removeDirectory, temporaryDirectory } from '../../support/storage/temporary-directory.ts';
import { MemoryDisk } from '../memory-disk.ts';
import {
  anotherSource,
  appendLines,
  bodyOf,
  bytes,
  entriesOf,
  grow,
  lsn,
  pgSnapshot,
  readAll,
  runsOf,
  snapshotEnd,
  snapshotOf,
  text,
} from '../../support/storage/stored-samples.ts';

const handle = handleOf(1);
const definition = shapeOf({});

function namesIn(path: string): string[] {
  return existsSync(path) ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : [];
}

describe('a storage directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => removeDirectory(directory));

  const start = (options: Partial<StorageOptions> = {}): Promise<Storage> =>
    openStorage({ directory, clock: new ManualClock(), segmentBytesMax: 512, chunkBytesMax: 40, ...options });

  const shapeFiles = (): string[] =>
    ['shapes', 'packs'].flatMap((folder) => namesIn(`${directory}/${folder}`)).filter((name) => name.includes('.'));

  const restarted = async (storage: Storage): Promise<Storage> => {
    await storage.close();
    return start();
  };

  test('gives back the log: transactions, LSN, layouts', async () => {
    const before = await start();
    const { id: _, ...table } = itemsLayout;
    const layout = { ...table, links: [{ child: table.oid, parent: 2, since: 3 }] };
    const layoutId = before.log.appendLayout(layout);
    for (let commit = 1; commit <= 20; commit += 1) await grow(before, commit);
    const transactions = await readAll(before.log, 0);
    const after = await restarted(before);

    expect({
      transactions: await readAll(after.log, 0),
      lsn: after.log.lastCommitLsn,
      layout: after.log.layoutOf(layoutId),
      known: after.log.appendLayout(layout),
      other: after.log.appendLayout({ ...layout, name: 'other' }),
    }).toEqual({ transactions, lsn: '20', layout: { id: layoutId, ...layout }, known: layoutId, other: layoutId + 1 });
    await after.close();
  });

  test('gives back the trees that were kept last, also when their segments have gone', async () => {
    const before = await start();
    const tree = { oid: 1, links: [{ child: 2, parent: 1, since: 3 }], layoutId: 4, turnedMicros: 0 };
    before.log.keepTree(tree);
    before.log.keepTree({ ...tree, oid: 5 });
    before.log.keepTree({ ...tree, turnedMicros: 6 });
    before.log.forgetTree(5);
    for (let commit = 1; commit <= 20; commit += 1) await grow(before, commit);
    await before.log.release(before.log.durableEnd);
    const after = await restarted(before);

    expect([1, 5].map((oid) => after.log.treeOf(oid))).toEqual([{ ...tree, turnedMicros: 6 }, undefined]);
    await after.close();
  });

  test('gives back the memberships that were kept last, also when their segments have gone', async () => {
    const before = await start();
    const membership = { oid: 1, membership: '2.3', publication: '4.5' };
    before.log.keepMembership({ ...membership, membership: '2.1' });
    before.log.keepMembership(membership);
    before.log.keepMembership({ ...membership, oid: 5 });
    before.log.forgetMembership(5);
    for (let commit = 1; commit <= 20; commit += 1) await grow(before, commit);
    await before.log.release(before.log.durableEnd);
    const after = await restarted(before);

    expect([1, 5].map((oid) => after.log.membershipOf(oid))).toEqual([membership, undefined]);
    await after.close();
  });

  test('goes on behind a transaction that never committed', async () => {
    const before = await start();
    await grow(before, 10);
    before.log.appendChanges(11 as never, bytes('half'));
    const after = await restarted(before);
    await grow(after, 12);
    const again = await restarted(after);

    expect((await readAll(again.log, 0)).map(({ lsn }) => lsn)).toEqual(['10', '12']);
    await again.close();
  });

  test('begins anew with the LSNs of another slot', async () => {
    const before = await start();
    await grow(before, 1000);
    before.log.restart(anotherSource, lsn(3));
    before.log.appendHeld(lsn(4));
    const after = await restarted(before);
    const { lastCommitLsn, source, heldLsn } = after.log;
    await grow(after, 5);

    expect({ lastCommitLsn, source, heldLsn, transactions: (await readAll(after.log, 0)).map(({ lsn }) => lsn) }).toEqual({
      lastCommitLsn: '0',
      source: anotherSource,
      heldLsn: '4',
      transactions: ['1000', '5'],
    });
    await after.close();
  });

  test('goes on with a stream under another name', async () => {
    const before = await start();
    await grow(before, 10);
    before.log.appendHeld(lsn(11));
    before.log.goOn(anotherSource);
    const { lastCommitLsn: commitBefore, source: named } = before.log;
    const after = await restarted(before);
    const { lastCommitLsn, source, heldLsn } = after.log;
    await grow(after, 12);

    const transactions = (await readAll(after.log, 0)).map((each) => each.lsn);
    expect({ commitBefore, named, lastCommitLsn, source, heldLsn, transactions }).toEqual({
      commitBefore: '10', named: anotherSource, lastCommitLsn: '10', source: anotherSource, heldLsn: '11', transactions: ['10', '12'],
    });
    await after.close();
  });

  test('keeps layouts and the stream that it holds although the segments that had them are gone', async () => {
    const before = await start({ tailBytesMax: 0 });
    const { id: _, ...layout } = itemsLayout;
    const layoutId = before.log.appendLayout(layout);
    before.log.restart(anotherSource, lsn(3));
    before.log.appendHeld(lsn(4));
    for (let commit = 1; commit <= 30; commit += 1) await grow(before, commit);
    before.shapes.advance(before.log.durableEnd);
    await before.shapes.checkpoint();
    await before.log.release(before.shapes.releasable);
    const segments = readdirSync(`${directory}/log`).filter((name) => name.endsWith('.log')).length;
    const after = await restarted(before);

    const { lastCommitLsn, source, heldLsn } = after.log;
    expect({ segments, lastCommitLsn, source, heldLsn, layout: after.log.layoutOf(layoutId) }).toEqual({
      segments: 2,
      lastCommitLsn: '30',
      source: anotherSource,
      heldLsn: '4',
      layout: { id: layoutId, ...layout },
    });
    await after.close();
  });

  test('gives back a shape, byte for byte', async () => {
    const before = await start();
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, ['"row"']);
    appendLines(shape, 10, ['"a"', '"b"']);
    await before.shapes.checkpoint();
    appendLines(shape, 11, [`"${'c'.repeat(50)}"`, '"d"']);
    shape.stopFiltering();
    shape.publish(shape.position);
    const offsets = [BEFORE_ALL, SNAPSHOT_END, '10_0', '10_2', '11_0', '11_2'] as const;
    const reads = await Promise.all(offsets.map((after) => bodyOf(shape.read(after as typeof BEFORE_ALL))));
    const after = await restarted(before);
    const restored = after.shapes.get(handle);

    expect({
      definition: restored?.definition,
      end: restored?.end,
      snapshot: restored?.snapshot,
      filterBy: restored?.filterBy,
      reads: await Promise.all(offsets.map((one) => bodyOf(restored!.read(one as typeof BEFORE_ALL)))),
    }).toEqual({
      definition,
      end: '11_2',
      snapshot: shape.snapshot,
      filterBy: undefined,
      reads,
    });
    await after.close();
  });

  test('knows where chunks ended, also under another threshold', async () => {
    const before = await start();
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, []);
    appendLines(shape, 10, [`"${'a'.repeat(50)}"`, '"b"']);
    await before.close();
    const after = await start({ chunkBytesMax: 1_000_000 });

    expect(await bodyOf(after.shapes.get(handle)!.read(SNAPSHOT_END))).toEqual({
      body: `"${'a'.repeat(50)}"`,
      end: '10_0',
      upToDate: false,
    });
    await after.close();
  });

  test('still knows what a snapshot may not see, but nothing of another slot', async () => {
    const before = await start();
    await grow(before, 90);
    await grow(before, 91);
    const after = await restarted(before);
    const unseen = await readAll(after.log, after.log.firstUnseen(pgSnapshot) ?? after.log.durableEnd);
    after.log.restart(anotherSource, lsn(3));
    const anew = await restarted(after);

    expect({ unseen: unseen.map(({ xid: id }) => id), anew: anew.log.firstUnseen(pgSnapshot) }).toEqual({ unseen: [91], anew: undefined });
    await anew.close();
  });

  test('drops a shape whose snapshot was not finished', async () => {
    const before = await start();
    const writer = before.shapes.create(handle, definition).beginSnapshot(pgSnapshot);
    await writer.write([bytes('"row"')]);
    const after = await restarted(before);
    const found = after.shapes.get(handle);
    await after.close();

    expect({ found, files: shapeFiles() }).toEqual({ found: undefined, files: [] });
  });

  test('leaves nothing of a deleted shape', async () => {
    const before = await start();
    await snapshotOf(before.shapes.create(handle, definition), []);
    before.shapes.delete(handle, 'a test');
    const after = await restarted(before);
    const found = after.shapes.get(handle);
    await after.close();

    expect({ found, files: shapeFiles() }).toEqual({ found: undefined, files: [] });
  });

  test('removes files that belong to no shape, and shapes that have no files', async () => {
    const before = await start({ packing: { fewBytesMax: 0 } });
    await snapshotOf(before.shapes.create(handle, definition), []);
    await before.close();
    const paths = new ShapePaths(nodeDisk, directory);
    const orphan = paths.linesPathOf('9-9' as Handle, 'lines', 0);
    mkdirSync(dirname(orphan), { recursive: true });
    writeFileSync(orphan, 'left behind');
    writeFileSync(`${directory}/shapes/notes.txt`, 'not ours');
    rmSync(paths.snapshotPathOf(handle));
    const after = await start();
    const shapes = [...after.shapes.all()];
    await after.close();

    expect({ shapes, files: shapeFiles(), notes: after.notes }).toEqual({
      shapes: [],
      files: ['notes.txt'],
      notes: [`Files of shape ${handle} are missing: the shape was dropped, and is made anew when it is asked for.`],
    });
  });

  test('says of a shape whose file is missing that it is corrupt', async () => {
    const before = await start({ packing: { fewBytesMax: 0 } });
    await snapshotOf(before.shapes.create(handle, definition), []);
    await before.close();
    const after = await start();
    rmSync(new ShapePaths(nodeDisk, directory).snapshotPathOf(handle));
    const reading = bodyOf(after.shapes.get(handle)!.read(BEFORE_ALL));

    await expect(reading).rejects.toMatchObject({ name: 'ShapeCorruptError', handle });
    await after.close();
  });

  test('gives back each entry with its kind and its place', async () => {
    const before = await start();
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, [`"${'r'.repeat(50)}"`, '"row"']);
    appendLines(shape, 10, ['"a"', '"b"']);
    const offsets = [BEFORE_ALL, snapshotChunkEnd(0), SNAPSHOT_END];
    const after = await restarted(before);
    const restored = after.shapes.get(handle)!;
    const entries = await Promise.all(offsets.map((one) => entriesOf(restored.read(one))));
    const runs: [string, string][] = [];
    for await (const { kind, bytes: run } of runsOf(restored.read(snapshotChunkEnd(0)))) runs.push([kind, text(run)]);

    expect({ entries: entries.flat().map(({ kind, offset, bytes: line }) => [kind, offset, text(line)]), runs }).toEqual({
      entries: [
        ['row', '0_0', `"${'r'.repeat(50)}"`],
        ['row', '0_1', '"row"'],
        ['control', '0_1', snapshotEnd],
        ['row', '10_0', '"a"'],
        ['row', '10_2', '"b"'],
      ],
      runs: [
        ['row', '"row",'],
        ['control', `${snapshotEnd},`],
      ],
    });
    await after.close();
  });

  test('refuses to read by a damaged index', async () => {
    const before = await start({ chunkBytesMax: 1_000_000, packing: { fewBytesMax: 0 } });
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, []);
    for (let commit = 1; commit <= 40; commit += 1) appendLines(shape, commit, [`"${commit}"`]);
    const expected = await bodyOf(shape.read('20_0' as typeof BEFORE_ALL));
    await before.close();
    const path = new ShapePaths(nodeDisk, directory).linesPathOf(handle, 'index', 0);
    const content = readFileSync(path);
    const after = await start();
    const outcomes = new Set<string>();
    for (let at = 0; at < content.length; at += 1) {
      const damaged = Buffer.from(content);
      damaged[at] = (damaged[at] ?? 0) ^ 0x11;
      writeFileSync(path, damaged);
      const read = bodyOf(after.shapes.get(handle)!.read('20_0' as typeof BEFORE_ALL));
      outcomes.add(await read.then((found) => JSON.stringify(found), (error: Error) => error.name));
    }
    await after.close();

    expect([...outcomes, JSON.stringify(expected)]).toEqual(['ShapeCorruptError', JSON.stringify(expected)]);
  });

  test('reads on in a chunk whose shape is deleted meanwhile, and its files go with the last reader', async () => {
    const storage = await start({ chunkBytesMax: 10_000_000 });
    const shape = storage.shapes.create(handle, definition);
    const row = `"${'r'.repeat(400_000)}"`;
    await snapshotOf(shape, [row, row]);
    const [reader, late] = [runsOf(shape.read(BEFORE_ALL)), runsOf(shape.read(BEFORE_ALL))];
    await reader.next();
    storage.shapes.delete(handle, 'a test');
    await storage.shapes.checkpoint();
    let bytes = 0;
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) bytes += next.value.bytes.length;

    await expect(late.next()).rejects.toMatchObject({ name: 'ShapeGoneError', handle });
    await storage.close();
    expect(bytes).toBeGreaterThan(400_000);
    expect(shapeFiles()).toEqual([]);
  });

  test('waits a minute for a reader of a shape that is deleted, and no longer', async () => {
    const clock = new ManualClock();
    const storage = await start({ clock, chunkBytesMax: 10_000_000 });
    const shape = storage.shapes.create(handle, definition);
    await snapshotOf(shape, [`"${'r'.repeat(400_000)}"`]);
    const reader = runsOf(shape.read(BEFORE_ALL));
    await reader.next();
    storage.shapes.delete(handle, 'a test');
    clock.advance(59_000);
    await storage.shapes.checkpoint();
    const before = shapeFiles().length;
    clock.advance(1_000);

    await expect.poll(shapeFiles).toEqual([]);
    await expect(reader.next()).rejects.toMatchObject({ name: 'ShapeGoneError', handle });
    await storage.close();
    expect(before).toBeGreaterThan(0);
  });

  test('lets in one process at a time', async () => {
    const first = await start();

    await expect(start()).rejects.toMatchObject({ name: 'StorageLockedError', pid: process.pid });
    await first.close();
  });

  test('takes over from a process that was killed, also when its pid was given out again', async () => {
    const killed = { ...systemProcesses.self, start: 'another time' };
    writeFileSync(`${directory}/lock`, JSON.stringify(killed));
    const storage = await start();
    await storage.close();

    expect(existsSync(`${directory}/lock`)).toBe(false);
  });

  test('takes over from a process that was killed while it locked', async () => {
    writeFileSync(`${directory}/lock`, '{"host":');
    const storage = await start();
    await storage.close();

    expect(existsSync(`${directory}/lock`)).toBe(false);
  });

  test('refuses a directory of another format', async () => {
    writeFileSync(`${directory}/format`, '999\n');

    await expect(start()).rejects.toMatchObject({ name: 'StorageVersionError', found: '999' });
  });

  test.each(['3', '4', '5', '6'])('takes a directory of format %s over as it is, and says so from then on', async (format) => {
    const before = await start({ packing: { fewBytesMax: 0 } }); // As format 3 had it, which those behind have too.
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, ['"a row"']);
    appendLines(shape, 1, ['"a line"']);
    await before.close();
    writeFileSync(`${directory}/format`, `${format}\n`);
    const after = await start();
    const read = await bodyOf(after.shapes.get(handle)!.read(SNAPSHOT_END));
    await after.close();

    expect({ read, format: readFileSync(`${directory}/format`, 'utf8') }).toEqual({
      read: { body: '"a line"', end: '1_0', upToDate: true },
      format: '7\n',
    });
  });

  test.each(['', '4\u008a', 'x\n'])('says of a file that should name the format and says %j that it is damaged', async (content) => {
    writeFileSync(`${directory}/format`, content);

    await expect(start()).rejects.toMatchObject({
      name: 'StorageVersionError',
      message: expect.stringMatching(/\/format is damaged: .* write 7 into that file; else use an empty directory\.$/),
    });
  });

  test('refuses a log of another format, which it would misread', async () => {
    await (await start()).close();
    const header = { format: 1, first: LOG_START, ...NO_STREAM };
    const frame = encodeFrame(LOG_START, FRAME_KINDS.segment, 0, 0 as Xid, encodeJson(header));
    writeFileSync(`${directory}/log/0000000000000000.log`, frame);

    await expect(start()).rejects.toMatchObject({
      name: 'StorageVersionError',
      found: '1',
      message: expect.stringContaining('has format 1'),
    });
  });

  test('says which directory cannot be used, and why', async () => {
    writeFileSync(`${directory}/file`, '');

    await expect(start({ directory: `${directory}/file/inside` })).rejects.toMatchObject({
      name: 'StorageDirectoryError',
      message:
        `The storage directory ${directory}/file/inside cannot be used (ENOTDIR: a part of the path is not a directory). ` +
        'Give Armature a directory that its user may create and write to.',
    });
  });

  test('unlocks when it could not be opened', async () => {
    writeFileSync(`${directory}/format`, '999\n');
    await start().catch(() => {});

    expect(existsSync(`${directory}/lock`)).toBe(false);
  });

  test('begins anew, without a shape, when its log ends before the last checkpoint', async () => {
    const before = await start();
    await snapshotOf(before.shapes.create(handle, definition), []);
    before.shapes.advance(await grow(before, 10));
    await before.close();
    for (const name of readdirSync(`${directory}/log`)) rmSync(`${directory}/log/${name}`);
    const after = await start();
    const { lastCommitLsn, source } = after.log;
    const again = await restarted(after);

    expect({ shapes: [...after.shapes.all()], lastCommitLsn, source, notes: after.notes, files: shapeFiles(), again: again.notes }).toEqual(
      {
        shapes: [],
        lastCommitLsn: '0',
        source: undefined,
        notes: [expect.stringMatching(/^The transaction log is corrupt at 0: it was durable up to \d+\. All stored shapes were dropped/)],
        files: ['0000000000000001.pack'], // Its number is not given again: it goes when there is a higher one.
        again: [],
      },
    );
    await again.close();
  });

  test('begins anew when its log is damaged, and still tells whose stream that had', async () => {
    const before = await start({ segmentBytesMax: 100_000 });
    before.log.restart(anotherSource, lsn(3));
    await grow(before, 5);
    before.log.appendHeld(lsn(6));
    await before.log.sync();
    await grow(before, 10);
    await before.close();
    const [segment = ''] = readdirSync(`${directory}/log`).filter((name) => name.endsWith('.log'));
    const content = readFileSync(`${directory}/log/${segment}`);
    writeFileSync(`${directory}/log/${segment}`, content.fill(0, content.length - 40));
    const after = await start();
    const { lastCommitLsn, source } = after.log;

    expect({ lastCommitLsn, source, damagedStream: after.damagedStream }).toEqual({
      lastCommitLsn: '0',
      source: undefined,
      damagedStream: { source: anotherSource, lastCommitLsn: '5', heldLsn: '6' },
    });
    await after.close();
  });

  test.each([
    ['is lost', (path: string) => rmSync(path)],
    ['is damaged', (path: string) => writeFileSync(path, readFileSync(path).fill(0, 40, 80))],
  ])('keeps its log, and drops its shapes with a word, when the checkpoint %s and the log no longer has all', async (_, befall) => {
    const before = await start({ tailBytesMax: 0 });
    before.log.restart(anotherSource, lsn(1));
    await snapshotOf(before.shapes.create(handle, definition), []);
    for (let commit = 1; commit <= 30; commit += 1) before.shapes.advance(await grow(before, commit));
    before.shapes.get(handle)?.publish(before.shapes.position);
    await before.shapes.checkpoint();
    await before.log.release(before.shapes.releasable);
    await before.close();
    for (const name of readdirSync(`${directory}/checkpoint`)) befall(`${directory}/checkpoint/${name}`);
    const after = await start();
    const { lastCommitLsn, source } = after.log;
    const again = await restarted(after);

    expect({ lastCommitLsn, source, shapes: [...after.shapes.all()], notes: after.notes, files: shapeFiles(), again: again.notes }).toEqual(
      {
        lastCommitLsn: '30',
        source: anotherSource,
        shapes: [],
        notes: [
          expect.stringMatching(/^The transaction log begins at \d+, and by the last whole checkpoint .* All stored shapes were dropped\./),
        ],
        files: ['0000000000000001.pack'],
        again: [],
      },
    );
    await again.close();
  });

  test('closes once, however often it is asked', async () => {
    const storage = await start();

    await expect(Promise.all([storage.close(), storage.close()])).resolves.toEqual([undefined, undefined]);
  });
});

describe('after a power cut', () => {
  let disk: MemoryDisk;
  let boots: number;
  beforeEach(() => {
    disk = new MemoryDisk();
    boots = 0;
  });

  const start = (): Promise<Storage> => {
    disk.crash(seededRandom(boots));
    boots += 1;
    const processes = { self: { host: 'here', pid: boots, start: '' }, isAlive: () => false };
    return openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount(), processes });
  };

  test.each([
    ['its record', async () => {}],
    ['its checkpoint', async ({ shapes }: Storage) => void (await shapes.checkpoint())],
  ])('a shape is where its snapshot had sent it back to, by %s', async (_, save) => {
    const before = await start();
    const position = await grow(before, 90);
    before.shapes.advance(await grow(before, 91));
    const shape = before.shapes.create(handle, definition);
    await before.shapes.checkpoint();
    await snapshotOf(shape, []);
    await save(before);
    const restored = (await start()).shapes.get(handle);

    expect({ position: restored?.position, filterBy: restored?.filterBy }).toEqual({ position, filterBy: pgSnapshot });
  });

  test('a shape is where the checkpoint found it that was made while its snapshot was written', async () => {
    const before = await start();
    await grow(before, 90);
    const taken = await grow(before, 91);
    before.shapes.advance(taken);
    const shape = before.shapes.create(handle, definition);
    const writer = shape.beginSnapshot(pgSnapshot);
    shape.append('91' as Lsn, 0, bytes('"a"'));
    shape.publish(taken, 'behind');
    await before.shapes.checkpoint();
    await writer.complete();
    const restored = (await start()).shapes.get(handle);

    expect({ position: restored?.position, end: restored?.end }).toEqual({ position: taken, end: '91_0' });
  });

  test('lines that were published while a checkpoint was made are not mixed with those that it counts', async () => {
    const before = await start();
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, []);
    appendLines(shape, 91, ['"counted"']);
    const checkpointing = before.shapes.checkpoint();
    appendLines(shape, 92, ['"later"']);
    await checkpointing;
    const { shapes } = await start();
    const restored = shapes.get(handle);
    restored?.append('93' as Lsn, 0, bytes('"instead"'));
    restored?.publish(restored.position);
    await shapes.checkpoint();

    expect(restored && (await bodyOf(restored.read('0_inf' as LogOffset)))).toEqual({
      body: '"counted","instead"',
      end: '93_0',
      upToDate: true,
    });
  });

  test('a shape whose new Consumer is behind is where that one was, though the others went on', async () => {
    const before = await start();
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, []);
    const taken = await grow(before, 10);
    shape.publish(taken);
    before.shapes.advance(taken);
    await before.shapes.checkpoint();
    shape.discard(LSN_ZERO);
    before.shapes.advance(await grow(before, 20));
    await before.shapes.checkpoint();
    const restored = (await start()).shapes.get(handle);

    expect(restored?.position).toBe(taken);
  });

  test('a shape still filters until what came behind its snapshot is published', async () => {
    const before = await start();
    const shape = before.shapes.create(handle, definition);
    await snapshotOf(shape, []);
    shape.stopFiltering();
    await before.shapes.checkpoint();
    const restored = (await start()).shapes.get(handle);

    expect(restored?.filterBy).toEqual(pgSnapshot);
  });

  test('a shape that was checkpointed before its snapshot began is there by the record of its snapshot', async () => {
    const before = await start();
    const shape = before.shapes.create(handle, definition);
    before.shapes.advance(await grow(before, 10));
    await before.shapes.checkpoint();
    await snapshotOf(shape, []);

    expect((await start()).shapes.get(handle)?.snapshot.state).toBe('complete');
  });

  test('a shape that was checkpointed before its snapshot was whole is there by the next checkpoint', async () => {
    const before = await start();
    const writer = before.shapes.create(handle, definition).beginSnapshot(pgSnapshot);
    await before.shapes.checkpoint();
    await writer.complete();
    before.shapes.advance(await grow(before, 10));
    await before.shapes.checkpoint();

    expect((await start()).shapes.get(handle)?.snapshot.state).toBe('complete');
  });
});
