/** Checkpoints when a shape's own files are damaged, and when the whole storage takes nothing more. */
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Handle } from '../../../src/model/shape.ts';
import { checkpointPort } from '../../../src/storage/checkpoint/checkpoint-port.ts';
import { diskPort } from '../../../src/storage/disk/disk-port.ts';
import { nodeDisk } from '../../../src/storage/disk/disk.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { ShapePaths } from '../../../src/storage/shapes/shape-paths.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { failingDisk, type FailingDisk } from '../../support/storage/failing-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { shapeOf } from '../../support/shapes.ts';
import { removeDirectory, temporaryDirectory } from '../../support/storage/temporary-directory.ts';
import { appendLines, bodyOf, offset, snapshotOf } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

const definition = shapeOf({});
const damaged = '1-1' as Handle;
const sound = '2-2' as Handle;
let directory: string;
let disk: FailingDisk;
let storage: Storage;
let clock: ManualClock;

const start = (): Promise<Storage> => openStorage({ directory, clock, disk, packing: { fewBytesMax: 0 } });

beforeEach(async () => {
  directory = temporaryDirectory();
  disk = failingDisk();
  clock = new ManualClock();
  storage = await start();
});

afterEach(async () => {
  await storage.close().catch(() => {}); // Not in good order on a disk that has failed.
  removeDirectory(directory);
});

async function shapeWithLine(handle: Handle): Promise<ShapeLog> {
  const shape = storage.shapes.create(handle, definition);
  await snapshotOf(shape, []);
  appendLines(shape, 10, ['"saved"']);
  await storage.shapes.checkpoint();
  return shape;
}

test.each(['lines', 'index'] as const)(
  'a shape whose %s are missing is named, and the lines of the others are saved without it',
  async (missing) => {
    const shapes = [await shapeWithLine(damaged), await shapeWithLine(sound)];
    const port = await openPort(checkpointPort(storage.log, storage.shapes, storage.disk, clock));
    rmSync(new ShapePaths(nodeDisk, directory).linesPathOf(damaged, missing, 0));
    for (const shape of shapes) appendLines(shape, 11, ['"later"']);
    const first = await port.ask({ type: 'takeCheckpoint' });
    const unsaved = storage.shapes.unsavedBytes;
    storage.shapes.delete(damaged, 'a test');
    const second = await port.ask({ type: 'takeCheckpoint' });
    await storage.close();
    storage = await start();
    const restored = [...storage.shapes.all()];

    expect({
      answers: [first, second],
      unsaved,
      restored: await Promise.all(restored.map(async (shape) => [shape.handle, await bodyOf(shape.read(offset('0_inf')))])),
    }).toEqual({
      answers: [
        {
          type: 'checkpoint.deferred',
          damaged: [{ handle: damaged, why: expect.stringMatching(/^the log of shape 1-1 is corrupt/) as string }],
        },
        { type: 'checkpoint.taken', left: 0 },
      ],
      unsaved: '"later",'.length,
      restored: [[sound, { body: '"saved","later"', end: '11_0', upToDate: true }]],
    });
  },
);

test('the first one counts as started before anything is saved, and one that comes back saves first', async () => {
  const spec = checkpointPort(storage.log, storage.shapes, storage.disk, clock);
  appendLines(await shapeWithLine(sound), 11, ['"later"']);
  const first = await openPort(spec);
  const unsaved = storage.shapes.unsavedBytes;
  await first.close();
  await openPort(spec);

  expect([unsaved, storage.shapes.unsavedBytes]).toEqual(['"later",'.length, 0]);
});

test('a storage that can save nothing more, for good, does not let the port start again', async () => {
  const shape = await shapeWithLine(sound);
  const spec = checkpointPort(storage.log, storage.shapes, storage.disk, clock);
  const port = await openPort(spec);
  disk.failSyncs('.lines', 'EBADF');
  appendLines(shape, 11, ['"later"']);
  const failure = await Promise.resolve(port.ask({ type: 'takeCheckpoint' })).catch((error: Error) => error.name);
  const again = await openPort(spec).catch((error: Error) => error.name);

  expect({ failure, again }).toEqual({ failure: 'DiskError', again: 'DiskError' });
});

test('a checkpoint that the disk refuses is taken when that is over; until then the port can start, and nothing more comes', async () => {
  const shape = await shapeWithLine(sound);
  const watch = await openPort(diskPort(storage.disk));
  const spec = checkpointPort(storage.log, storage.shapes, storage.disk, clock);
  const port = await openPort(spec);
  disk.failSyncs('.lines', 'ENOSPC');
  appendLines(shape, 11, ['"later"']);
  const taking = port.ask({ type: 'takeCheckpoint' });
  const refused = await watch.ask({ type: 'awaitRefusal' });
  const again = await openPort(spec);
  const still = await watch.ask({ type: 'tryDisk' });
  const isPaused = storage.disk.pause !== undefined;
  disk.heal();
  const [took, taken] = [await watch.ask({ type: 'tryDisk' }), await taking];
  await Promise.all([port, again, watch].map((each) => each.close()));
  await storage.close();
  storage = await start();

  const meaning = 'ENOSPC: no space is left on the device';
  const error = { code: 'ENOSPC', meaning, message: expect.stringMatching(/^cannot sync .*\.lines: ENOSPC$/) as string };
  const body = await bodyOf(storage.shapes.get(sound)?.read(offset('0_inf')) ?? { outcome: 'beyond' });
  expect({ refused, isPaused, still, took, taken, isOver: storage.disk.pause === undefined, body }).toEqual({
    refused: { type: 'disk.refused', error },
    isPaused: true,
    still: { type: 'disk.refused', error },
    took: { type: 'disk.took' },
    taken: { type: 'checkpoint.taken', left: 0 },
    isOver: true,
    body: { body: '"saved","later"', end: '11_0', upToDate: true },
  });
});

test('the port can start while the log waits for the disk', async () => {
  const watch = await openPort(diskPort(storage.disk));
  const spec = checkpointPort(storage.log, storage.shapes, storage.disk, clock);
  await openPort(spec);
  disk.failSyncs('.log');
  storage.shapes.create(sound, definition);
  const syncing = storage.log.sync();
  await watch.ask({ type: 'awaitRefusal' });
  let isOpen = false;
  const opening = openPort(spec).then(() => (isOpen = true));
  await expect.poll(() => isOpen).toBe(true);
  disk.heal();
  const took = await watch.ask({ type: 'tryDisk' });
  await Promise.all([opening, syncing]);

  expect(took).toEqual({ type: 'disk.took' });
});

test('a shape that is deleted while its lines are on their way keeps no checkpoint, whatever becomes of them', async () => {
  const memory = new MemoryDisk();
  const own = await openStorage({ directory: '/data', clock: new ManualClock(), disk: memory.mount() });
  const shape = own.shapes.create(sound, definition);
  await snapshotOf(shape, []);
  await own.log.sync();
  appendLines(shape, 10, ['"later"']);
  memory.holdSyncs();
  const { syncCount } = memory;
  const taken = own.shapes.checkpoint().then(() => 'taken', (error: Error) => error.message);
  await expect.poll(() => memory.syncCount).toBe(syncCount + 1);
  own.shapes.delete(sound, 'a test');
  memory.fail('sync', 'EIO', /\.lines$/);
  memory.letSync();

  expect(await taken).toBe('taken');
  await own.close();
});

test('lines that the disk refused stay where they are when their Consumer has ended meanwhile', async () => {
  const memory = new MemoryDisk();
  const own = await openStorage({ directory: '/data', clock: new ManualClock(), disk: memory.mount() });
  const shape = own.shapes.create(sound, definition);
  await snapshotOf(shape, []);
  const ports = [await openPort(diskPort(own.disk)), await openPort(checkpointPort(own.log, own.shapes, own.disk, clock))] as const;
  appendLines(shape, 10, ['"later"']);
  memory.fail('write', 'ENOSPC', /\.lines$/);
  const consumer = new AbortController();
  const spilled = ports[1].ask({ type: 'spillLines', handle: sound }, consumer.signal).catch((error: Error) => error.name);
  await ports[0].ask({ type: 'awaitRefusal' });
  consumer.abort();
  memory.heal();
  const took = await ports[0].ask({ type: 'tryDisk' });
  const [path = ''] = memory.files.filter((each) => each.endsWith('.lines'));
  const written = memory.content(path).length;
  await own.close();

  expect({ spilled: await spilled, took, written }).toEqual({ spilled: 'AbortError', took: { type: 'disk.took' }, written: 0 });
});

test('who waits for unsaved lines is told when there are too many, at once when there are already, and not after it gave up', async () => {
  const shape = await shapeWithLine(sound);
  const port = await openPort(checkpointPort(storage.log, storage.shapes, storage.disk, clock, 20));
  const gaveUp = new AbortController();
  const told: string[] = [];
  const wait = (name: string, signal?: AbortSignal) =>
    port.ask({ type: 'awaitUnsaved' }, signal).then(({ type }) => told.push(`${name}: ${type}`));
  const first = wait('first');
  const other = wait('other', gaveUp.signal);
  appendLines(shape, 11, ['"twelve byte"']);
  await port.ask({ type: 'takeCheckpoint' });
  appendLines(shape, 12, ['"twelve byte"']);
  gaveUp.abort();
  await other;
  const before = [...told];
  appendLines(shape, 13, ['"twelve byte"']);
  await first;
  await wait('later');

  expect({ before, told }).toEqual({
    before: ['other: unsaved.exceeded'],
    told: ['other: unsaved.exceeded', 'first: unsaved.exceeded', 'later: unsaved.exceeded'],
  });
});

test('who was told of unsaved lines is done with it: later ones look at nobody who waited', async () => {
  const shape = await shapeWithLine(sound);
  const { signal } = new AbortController();
  let unlistened = 0;
  const unlisten = signal.removeEventListener.bind(signal);
  signal.removeEventListener = (...listener: Parameters<typeof unlisten>) => {
    unlistened += 1;
    unlisten(...listener);
  };
  const told = storage.shapes.whenUnsaved(storage.shapes.unsavedBytes, signal);
  appendLines(shape, 11, ['"some"']);
  await told;
  appendLines(shape, 12, ['"more"']);

  expect(unlistened).toBe(1);
});
