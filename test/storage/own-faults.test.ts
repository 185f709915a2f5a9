/** What the device fails of one shape's files, while it takes everything else, is an affair of that shape. */
import { beforeEach, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { Message } from '../../src/otp/process.ts';
import { checkpointPort } from '../../src/storage/checkpoint/checkpoint-port.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { LEFT_MS } from '../../src/storage/shapes/file-removals.ts';
import { ALONE_MS } from '../../src/storage/shapes/own-faults.ts';
import type { ShapeLog } from '../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { openPort, type RunningPort } from '../support/postgres/port-harness.ts';
import { shapeOf } from '../support/shapes.ts';
import { appendLines, bodyOf, bytes, lsn, offset, snapshotOf } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

const BAD = '1-1' as Handle;
const GOOD = '2-2' as Handle;
const BAD_LINES = /1-1\.(lines|index)$/;

let disk: MemoryDisk;
let clock: ManualClock;
let storage: Storage;
let port: RunningPort;
let bad: ShapeLog;
let good: ShapeLog;

beforeEach(async () => {
  disk = new MemoryDisk();
  clock = new ManualClock();
  storage = await open();
  storage.disk.keep();
  port = await openPort(checkpointPort(storage.log, storage.shapes, storage.disk, clock));
  [bad, good] = [await shapeWithLine(BAD), await shapeWithLine(GOOD)];
});

function open(): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/data', clock, disk: disk.mount(), processes, packing: { fewBytesMax: 0 } });
}

async function shapeWithLine(handle: Handle): Promise<ShapeLog> {
  const shape = storage.shapes.create(handle, shapeOf({}));
  await snapshotOf(shape, []);
  appendLines(shape, 10, ['"saved"']);
  await storage.shapes.checkpoint();
  return shape;
}

const checkpoint = (): Promise<Message> => Promise.resolve(port.ask({ type: 'takeCheckpoint' }));
const linesOf = async (handle: Handle): Promise<unknown> => {
  const read = storage.shapes.get(handle)?.read(offset('0_inf'));
  return read && bodyOf(read).then((answer) => ('body' in answer ? answer.body : answer.outcome), (error: Error) => error.message);
};

async function afterPowerCut(): Promise<readonly unknown[]> {
  disk.crash(seededRandom(1));
  storage = await open();
  return [await linesOf(BAD), await linesOf(GOOD)];
}

test.each(['write', 'sync', 'truncate', 'open', 'close'])(
  'a shape whose files alone fail (%s) holds up nobody, and is damaged when that lasts',
  async (operation) => {
    if (operation === 'truncate') await leaveTail();
    disk.fail(operation, 'EIO', BAD_LINES);
    appendLines(bad, 11, ['"later"']);
    appendLines(good, 11, ['"later"']);
    const first = await checkpoint();
    clock.advance(ALONE_MS);
    const second = await checkpoint();
    const { pause } = storage.disk;
    storage.shapes.delete(BAD, 'damaged');
    const third = await checkpoint();

    const name = operation === 'open' ? 'make' : operation;
    const why = `the log of shape 1-1 is corrupt: cannot ${name} /data/shapes/.*/1-1\\.(lines|index): EIO, for 2 s, while the disk takes`;
    expect({ first, second, third, pause }).toEqual({
      first: { type: 'checkpoint.deferred', damaged: [] },
      second: { type: 'checkpoint.deferred', damaged: [{ handle: BAD, why: expect.stringMatching(why) as string }] },
      third: { type: 'checkpoint.taken', left: 0 },
      pause: undefined,
    });
    expect(await afterPowerCut()).toEqual([undefined, '"saved","later"']);
  },
);

/** Behind what counts of the file, so that it is cut off before more comes. */
async function leaveTail(): Promise<void> {
  bad.append(lsn(11), 0, bytes('"nobody sees this"'));
  await storage.shapes.spill(BAD);
  bad.discard(lsn(10));
}

test('a failure that passes costs nothing: the lines are brought anew, and outlive a power cut', async () => {
  disk.fail('sync', 'EIO', BAD_LINES);
  appendLines(bad, 11, ['"later"']);
  const first = await checkpoint();
  clock.advance(ALONE_MS - 1);
  disk.heal();
  const second = await checkpoint();
  disk.fail('sync', 'EIO', BAD_LINES);
  appendLines(bad, 12, ['"last"']);
  clock.advance(1);
  const third = await checkpoint(); // Its time begins anew.

  expect([first, second, third].map(({ type, damaged }) => [type, damaged])).toEqual([
    ['checkpoint.deferred', []], ['checkpoint.taken', undefined], ['checkpoint.deferred', []],
  ]);
  expect(await afterPowerCut()).toEqual(['"saved","later"', '"saved"']);
});

test('where the disk takes nothing else either, no shape is at fault, however long it lasts', async () => {
  disk.fail('write', 'EIO', /(lines|index|probe\.new)$/);
  appendLines(bad, 11, ['"later"']);
  const taking = checkpoint();
  const never = new AbortController().signal;
  await expect.poll(() => storage.disk.pause !== undefined).toBe(true);
  clock.advance(10 * ALONE_MS);
  const still = await storage.disk.tryAgain(never);
  await expect.poll(() => storage.disk.refusals.get('EIO')).toBe(4); // It waits again.
  disk.heal();
  await storage.disk.tryAgain(never);

  expect([still?.code, await taking]).toEqual(['EIO', { type: 'checkpoint.taken', left: 0 }]);
});

test('lines of a large transaction that alone cannot leave the memory end their shape after a short time', async () => {
  disk.fail('write', 'EIO', BAD_LINES);
  bad.append(lsn(11), 0, bytes('"large"'));
  const answer = port.ask({ type: 'spillLines', handle: BAD });
  let told: Message | undefined;
  void answer.then((message) => (told = message));
  const waited = (): string | undefined => (clock.advance(100), told?.type);
  await expect.poll(waited).toBe('lines.refused');

  const why = expect.stringContaining('while the disk takes everything else') as string;
  expect([await answer, storage.disk.pause]).toEqual([{ type: 'lines.refused', why }, undefined]);
});

test('what alone cannot be read is read again, and then its shape is damaged', async () => {
  disk.fail('read', 'EIO', BAD_LINES);
  const lost = await linesOf(BAD);
  disk.fail('read', 'EIO', /2-2/);
  const refused = linesOf(GOOD);
  disk.heal(); // Before it is read once more.

  expect([lost, await refused]).toEqual([
    expect.stringMatching(/^the log of shape 1-1 is corrupt: cannot read .*1-1\.index: EIO, again and again$/), '"saved"',
  ]);
});

test('a device that was away for a moment, and is back when it is asked for something else, has damaged nobody', async () => {
  disk.fail('read', 'EIO', /(lines|index)$/);
  disk.beforeChange = () => disk.heal(); // The first change is the one that asks.

  expect(await Promise.all([linesOf(BAD), linesOf(GOOD)])).toEqual(['"saved"', '"saved"']);
});

test('files that the device does not remove hold up nobody: they are told of, and tried again after a minute', async () => {
  disk.fail('remove', 'EIO', BAD_LINES);
  storage.shapes.delete(BAD, 'a test');
  storage.shapes.delete(GOOD, 'a test');
  const shapeFiles = (): string[] => disk.files.filter((path) => path.startsWith('/data/shapes'));
  await expect.poll(shapeFiles).toHaveLength(2);
  const first = await checkpoint();
  const { pause } = storage.disk;
  disk.heal();
  clock.advance(LEFT_MS - 1);
  await checkpoint();
  const early = shapeFiles().length;
  clock.advance(1);
  await checkpoint();
  await expect.poll(shapeFiles).toEqual([]);

  expect({ first, pause, early, last: await checkpoint() }).toEqual({
    first: { type: 'checkpoint.taken', left: 1 }, pause: undefined, early: 2, last: { type: 'checkpoint.taken', left: 0 },
  });
});

test('what was left of many shapes is counted by shape, and stays counted while it is tried again', async () => {
  disk.fail('remove', 'EIO', /\.lines$/);
  storage.shapes.delete(BAD, 'a test');
  storage.shapes.delete(GOOD, 'a test');
  await expect.poll(() => storage.shapes.leftCount).toBe(2);
  clock.advance(LEFT_MS);
  const again = await checkpoint();

  expect(again).toEqual({ type: 'checkpoint.taken', left: 2 });
});

test('a file that cannot be closed keeps nobody from being removed', async () => {
  await linesOf(BAD);
  disk.fail('close', 'EIO', /1-1\.(lines|index|snapshot)$/);
  storage.shapes.delete(BAD, 'a test');
  storage.shapes.delete(GOOD, 'a test');

  await expect.poll(() => disk.files.filter((path) => path.startsWith('/data/shapes'))).toEqual([]);
});

test('and by the next start', async () => {
  disk.fail('remove', 'EIO', BAD_LINES);
  storage.shapes.delete(BAD, 'a test');
  await expect.poll(() => storage.shapes.leftCount).toBe(1);
  await checkpoint();
  disk.crash(seededRandom(2));
  storage = await open();

  await expect.poll(() => disk.files.filter((path) => path.includes('1-1'))).toEqual([]);
  expect([storage.shapes.get(BAD), await linesOf(GOOD)]).toEqual([undefined, '"saved"']);
});

test('a directory of shapes that cannot be listed stops no start: its shapes stay, until their files are needed', async () => {
  disk.crash(seededRandom(3));
  disk.fail('list', 'EIO', /\/5f$/);
  storage = await open();

  expect([await linesOf(BAD), await linesOf(GOOD), storage.notes]).toEqual(['"saved"', '"saved"', [
    'The device does not read /data/shapes/5f: a shape of it ends when its files are needed. ' +
      'Stop the service, move that directory away, and start: its shapes are made anew then when they are asked for.',
  ]]);
});
