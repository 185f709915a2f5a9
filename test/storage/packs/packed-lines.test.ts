/** The last lines of shapes: in packs while they are few, in the shape's files when they have grown, and the same wherever they lie. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import type { Disk, DiskFile } from '../../../src/storage/disk/disk.ts';
import { verifyStorage } from '../../../src/storage/inspection/verification.ts';
import { openStorage, type StorageOptions } from '../../../src/storage/open-storage.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { appendLines, bodyOf, bytes, entriesOf, lsn, runsOf, snapshotOf, text } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

/** Of a tail, and of one line. */
const FEW_BYTES = 1_000;
const LINE_BYTES = 50;
/** As many blocks as a tail has before they become one. */
const BLOCKS = 8;
const SHAPES = 20;
/** So many tails become one block in a checkpoint, at the least. */
const JOINED_AT_ONCE = 500;

type Packing = StorageOptions['packing'];

function open(disk: MemoryDisk, packing: Packing = { fewBytesMax: FEW_BYTES }, mounted: Disk = disk.mount()): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/data', clock: new ManualClock(), disk: mounted, processes, packing });
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
const lineOf = (shape: number, commit: number): string => JSON.stringify(`${commit} of ${shape} `.padEnd(LINE_BYTES - 3, '.'));
const shapeIn = ({ shapes }: Storage, number: number): ShapeLog => shapes.get(handleOf(number))!;

async function create({ shapes }: Storage, ...numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await snapshotOf(shapes.create(handleOf(number), shapeOf({})), []);
}

/** A line each, and a checkpoint behind each commit. */
async function commit(storage: Storage, commits: readonly number[], numbers: readonly number[]): Promise<void> {
  for (const each of commits) {
    for (const number of numbers) appendLines(shapeIn(storage, number), each, [lineOf(number, each)]);
    await storage.shapes.checkpoint();
  }
}

const linesOf = (number: number, commits: readonly number[]): string => commits.map((each) => lineOf(number, each)).join(',');

/** What is read from the snapshot on, from each line on, and line by line; one word where all agree. */
async function linesRead(storage: Storage, number: number, commits: readonly number[]): Promise<unknown> {
  const shape = storage.shapes.get(handleOf(number));
  if (shape === undefined) return 'gone';
  const wrong: unknown[] = [];
  for (const [index, after] of [SNAPSHOT_END, ...commits.map((each) => `${each}_0` as LogOffset)].entries()) {
    const read = await bodyOf(shape.read(after)).catch((error: Error) => ({ outcome: error.name }));
    const single = await entriesOf(shape.read(after)).catch(() => []);
    const expected = linesOf(number, commits.slice(index));
    const isSame = 'body' in read && read.body === expected && single.map((entry) => text(entry.bytes)).join(',') === expected;
    if (!isSame) wrong.push('body' in read ? read.body : read.outcome);
  }
  return wrong.length === 0 ? 'as they were written' : wrong[0];
}

async function allRead(storage: Storage, numbers: readonly number[], commits: readonly number[]): Promise<readonly unknown[]> {
  return [...new Set(await Promise.all(numbers.map((number) => linesRead(storage, number, commits))))];
}

/** Of shapes' files and of packs. */
const namesOf = ({ files }: MemoryDisk): string[] =>
  files.filter((path) => /\/(shapes|packs)\//.test(path)).map((path) => path.split('/').at(-1) ?? '');
const packPath = (number: number): string => `/data/packs/${String(number).padStart(16, '0')}.pack`;
const nameOf = (number: number): string => packPath(number).slice('/data/packs/'.length);
const WRITTEN = ['as they were written'];

test('a checkpoint brings a line of many shapes by one file and one sync of it', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, ...upTo(SHAPES));
  await storage.shapes.checkpoint();
  const before = disk.syncCount;
  await commit(storage, [1], upTo(SHAPES));
  const syncs = disk.syncCount - before;

  expect({ names: namesOf(disk), syncs, unsaved: storage.shapes.unsavedBytes, read: await allRead(storage, upTo(SHAPES), [1]) }).toEqual({
    names: [nameOf(1)],
    syncs: 2, // That of the checkpoint, and of the pack; the log has nothing new.
    unsaved: 0,
    read: WRITTEN,
  });
  await storage.close();
});

test.each([
  ['a kill', (disk: MemoryDisk) => disk.kill()],
  ['a power cut', (disk: MemoryDisk) => disk.crash(seededRandom(1))],
])('they are there after %s, whether one block has them or many', async (_, happen) => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1, 2);
  await commit(storage, upTo(BLOCKS + 2), [1]);
  await commit(storage, [1, 2], [2]);
  happen(disk);
  const after = await open(disk);
  const found = [await linesRead(after, 1, upTo(BLOCKS + 2)), await linesRead(after, 2, [1, 2])];
  await commit(after, [BLOCKS + 3], [1]);
  happen(disk);
  const again = await open(disk);

  expect({ found, again: [await linesRead(again, 1, upTo(BLOCKS + 3)), await linesRead(again, 2, [1, 2])], names: namesOf(disk) }).toEqual({
    found: [...WRITTEN, ...WRITTEN], again: [...WRITTEN, ...WRITTEN], names: [nameOf(1), nameOf(2)],
  });
  await again.close();
});

test('a tail that has grown goes to files of its own with all of it, and the next one begins behind these', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  const commits = upTo(FEW_BYTES / LINE_BYTES + 3);
  await create(storage, 1);
  const names: string[] = [];
  const found: unknown[] = [];
  for (const each of commits) {
    await commit(storage, [each], [1]);
    names.push(namesOf(disk).filter((name) => name.startsWith('1-1')).join(' '));
    found.push(await linesRead(storage, 1, commits.slice(0, each)));
  }
  const filed = disk.content('/data/shapes/5f/1-1.lines').length;
  disk.crash(seededRandom(1));
  const after = await open(disk);

  const first = names.indexOf('1-1.index 1-1.lines') + 1;
  expect({ first, filed, found: new Set(found), after: await linesRead(after, 1, commits) }).toEqual({
    first: FEW_BYTES / LINE_BYTES + 1, filed: FEW_BYTES + LINE_BYTES, found: new Set(WRITTEN), after: WRITTEN[0],
  });
  await after.close();
});

test('of very many tails that have come to so many blocks, a checkpoint joins five hundred', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  const numbers = upTo(JOINED_AT_ONCE * 2);
  await create(storage, ...numbers);
  await storage.shapes.checkpoint();
  const written: number[] = [];
  for (const each of upTo(BLOCKS + 3)) {
    const before = bytesOfPacks(disk);
    await commit(storage, [each], numbers);
    written.push((bytesOfPacks(disk) - before) / JOINED_AT_ONCE);
  }
  const [block = 0] = written.map((bytes) => bytes / 2);

  expect({ blocks: written.map((bytes) => bytes / block), read: await allRead(storage, numbers.slice(-3), upTo(BLOCKS + 3)) }).toEqual({
    blocks: [...upTo(BLOCKS).map(() => 2), BLOCKS + 2, BLOCKS + 3, 2], // Of those that are joined, all blocks and the new line.
    read: WRITTEN,
  });
  await storage.close();
});

const bytesOfPacks = (disk: MemoryDisk): number =>
  disk.files.filter((path) => path.endsWith('.pack')).reduce((sum, path) => sum + disk.content(path).length, 0);

/** Syncs of such files wait for `before`. */
function gated(mounted: Disk, path: RegExp, before: () => Promise<void>): Disk {
  const open = async (opened: string, mode: Parameters<Disk['open']>[1]): Promise<DiskFile> => {
    const file = await mounted.open(opened, mode);
    const sync = file.sync.bind(file);
    if (path.test(opened)) file.sync = () => before().then(sync);
    return file;
  };
  return {
    open,
    makeDirectory: (made) => mounted.makeDirectory(made),
    syncDirectory: (synced) => mounted.syncDirectory(synced),
    list: (listed) => mounted.list(listed),
    rename: (from, to) => mounted.rename(from, to),
    removeFile: (removed) => mounted.removeFile(removed),
  };
}

test('what a checkpoint counts in a pack stays there, though it goes to files while that checkpoint is written', async () => {
  const disk = new MemoryDisk();
  let meanwhile = (): Promise<void> => Promise.resolve();
  const packing = { fewBytesMax: FEW_BYTES, packBytesMax: 1 };
  const storage = await open(disk, packing, gated(disk.mount(), /\.checkpoint/, () => meanwhile()));
  await create(storage, 1);
  await storage.shapes.checkpoint();
  appendLines(shapeIn(storage, 1), 1, [lineOf(1, 1)]);
  await create(storage, 2); // Its rows go into a pack behind that of the line.
  meanwhile = () => {
    meanwhile = () => Promise.resolve();
    return storage.shapes.spill(handleOf(1));
  };
  await storage.shapes.checkpoint();
  const checkpoint = disk.files.find((path) => path.endsWith('.checkpoint')) ?? '';
  const counted = disk.content(checkpoint).length;
  await storage.shapes.checkpoint(); // Counts the files.
  await storage.close();
  disk.kill();
  disk.damage(checkpoint, disk.content(checkpoint).subarray(0, counted));
  const after = await open(disk, packing);

  expect({ found: await linesRead(after, 1, [1]), notes: after.notes }).toEqual({ found: WRITTEN[0], notes: [] });
  await after.close();
});

test('a part of a large transaction goes to files behind what packs have, and leaves that when it is given up', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1);
  await commit(storage, [1, 2], [1]);
  const shape = shapeIn(storage, 1);
  shape.append(lsn(9), 0, bytes('"never seen"'));
  await storage.shapes.spill(shape.handle);
  const meanwhile = await linesRead(storage, 1, [1, 2]);
  await storage.shapes.checkpoint();
  shape.discard(lsn(2));
  const givenUp = await linesRead(storage, 1, [1, 2]);
  await commit(storage, [3], [1]);
  disk.crash(seededRandom(1));
  const after = await open(disk);

  expect({ meanwhile, givenUp, after: await linesRead(after, 1, [1, 2, 3]) }).toEqual({
    meanwhile: WRITTEN[0], givenUp: WRITTEN[0], after: WRITTEN[0],
  });
  await after.close();
});

test.each([
  ['no checkpoint has come since', false],
  ['a checkpoint has', true],
])('a power cut behind a part of a large transaction takes nothing of the tail that was put before it, where %s', async (_, isCounted) => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1);
  await commit(storage, [1, 2], [1]);
  shapeIn(storage, 1).append(lsn(9), 0, bytes('"never seen"'));
  await storage.shapes.spill(handleOf(1));
  if (isCounted) await storage.shapes.checkpoint();
  disk.crash(seededRandom(3));
  const after = await open(disk);

  expect(await linesRead(after, 1, [1, 2])).toBe(WRITTEN[0]);
  await after.close();
});

test('a bit that is flipped anywhere in a block condemns the shape that has it alone, and verification names it', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1, 2, 3);
  await storage.shapes.checkpoint();
  const begin = disk.content(packPath(1)).length; // Behind the snapshots.
  await commit(storage, [1, 2], [1, 2, 3]);
  await storage.close();
  const pack = disk.content(packPath(1));
  const outcomes = new Set<string>();
  for (let at = begin; at < pack.length; at += 7) {
    const image = disk.image();
    const damaged = Buffer.from(pack);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << at % 8);
    image.damage(packPath(1), damaged);
    const { damages } = await verifyStorage(image.mount(), '/data', () => {});
    const after = await open(image);
    const found = await Promise.all([1, 2, 3].map((number) => linesRead(after, number, [1, 2])));
    const named = damages.map(({ handle, consequence }) => `${handle} ${consequence}`);
    const met = [1, 2, 3].filter((_, index) => found[index] === 'ShapeCorruptError').map((number) => `${handleOf(number)} shapeCondemned`);
    outcomes.add(met.join() === named.join() ? `${met.length} condemned` : `${named.join()} named, ${met.join()} met at ${at}`);
    await after.close().catch(() => {}); // What is damaged cannot be brought elsewhere.
  }

  expect([...outcomes]).toEqual(['1 condemned']);
});

test('what is told of a line that is damaged names where in the pack it lies', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1, 2);
  await commit(storage, [1, 2], [1, 2]);
  await storage.close();
  const pack = Buffer.from(disk.content(packPath(1)));
  const at = pack.length - 10; // In the last line of the last block.
  pack[at] = (pack[at] ?? 0) ^ 1;
  disk.damage(packPath(1), pack);
  const { damages } = await verifyStorage(disk.mount(), '/data', () => {});
  const places = damages.map(({ found }) => /bytes (\d+) to (\d+)/.exec(found)?.slice(1).map(Number));

  expect(places).toEqual([[pack.length - LINE_BYTES, pack.length]]);
});

test('of a pack that is missing the shapes are dropped with a word, and no others', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1, 2);
  await storage.shapes.checkpoint();
  disk.kill();
  const again = await open(disk);
  await commit(again, [1], [1]);
  disk.kill();
  disk.lose(packPath(2));
  const after = await open(disk);

  expect({ found: [await linesRead(after, 1, [1]), await linesRead(after, 2, [])], notes: after.notes }).toEqual({
    found: ['gone', WRITTEN[0]],
    notes: ['Files of shape 1-1 are missing: the shape was dropped, and is made anew when it is asked for.'],
  });
  await after.close();
});

test('whoever reads a tail goes on with it, though it is brought elsewhere and its packs go meanwhile', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { fewBytesMax: FEW_BYTES, packBytesMax: 1 });
  await create(storage, 1, 2);
  await commit(storage, [1, 2, 3], [1, 2]);
  const readers = [1, 2].map((number) => runsOf(shapeIn(storage, number).read(SNAPSHOT_END)));
  const read = await Promise.all(readers.map(async (reader) => [await nextText(reader)]));
  appendLines(shapeIn(storage, 1), 4, [JSON.stringify('x'.repeat(FEW_BYTES))]); // To files.
  for (const each of upTo(BLOCKS + 3)) await commit(storage, [each + 10], [2]); // And these become one block.
  await expect.poll(() => namesOf(disk).includes(nameOf(2))).toBe(false);
  for (const [index, reader] of readers.entries()) {
    for (let next = await nextText(reader); next !== undefined; next = await nextText(reader)) read[index]?.push(next);
  }

  expect(read.map((parts) => parts.join(''))).toEqual([1, 2].map((number) => `${linesOf(number, [1, 2, 3])},`));
  await storage.close();
});

async function nextText(reader: ReturnType<typeof runsOf>): Promise<string | undefined> {
  const { value } = await reader.next();
  return value === undefined ? undefined : text(value.bytes);
}

test('packs of which most is dead are emptied of lines too, and go', async () => {
  const disk = new MemoryDisk();
  const packing = { fewBytesMax: FEW_BYTES, packBytesMax: 500, movedCountMax: 2 };
  const storage = await open(disk, packing);
  await create(storage, ...upTo(SHAPES));
  await commit(storage, [1, 2], upTo(SHAPES));
  const full = namesOf(disk).length;
  const left = upTo(SHAPES).filter((number) => number % 5 === 0);
  for (const number of upTo(SHAPES)) if (!left.includes(number)) storage.shapes.delete(handleOf(number), 'a test');
  for (const _ of upTo(3 * SHAPES)) await storage.shapes.checkpoint();
  await expect.poll(() => namesOf(disk).length).toBeLessThan(full / 3);
  const found = await allRead(storage, left, [1, 2]);
  disk.kill();
  const after = await open(disk, packing);

  expect({ wereMany: full > 5, found, after: await allRead(after, left, [1, 2]), notes: after.notes }).toEqual({
    wereMany: true, found: WRITTEN, after: WRITTEN, notes: [],
  });
  await after.close();
});

test('one that is deleted asks nothing of the disk, and its pack goes', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: 1 });
  await create(storage, 1);
  await commit(storage, [1], [1]);
  storage.shapes.delete(handleOf(1), 'a test');
  await create(storage, 2);
  for (const each of [2, 3, 4]) await commit(storage, [each], [2]);
  await expect.poll(() => namesOf(disk).includes(nameOf(1))).toBe(false);

  expect({ found: await linesRead(storage, 2, [2, 3, 4]), shapes: namesOf(disk).filter((name) => !name.endsWith('.pack')) }).toEqual({
    found: WRITTEN[0], shapes: [],
  });
  await storage.close();
});

test.each(['write', 'sync', 'open'])('a disk that refuses the %s of a pack loses no line, and takes all later', async (operation) => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1);
  if (operation !== 'open') await commit(storage, [1], [1]);
  else appendLines(shapeIn(storage, 1), 1, [lineOf(1, 1)]);
  appendLines(shapeIn(storage, 1), 2, [lineOf(1, 2)]);
  disk.fail(operation, 'ENOSPC', /\.pack$/);
  const refusal: unknown = await storage.shapes.checkpoint().catch(({ code }: { code?: unknown }) => code);
  disk.heal();
  const meanwhile = await linesRead(storage, 1, [1, 2]);
  await commit(storage, [3], [1]);
  disk.crash(seededRandom(1));
  const after = await open(disk);

  expect({ refusal, meanwhile, after: await linesRead(after, 1, [1, 2, 3]), notes: after.notes }).toEqual({
    refusal: 'ENOSPC', meanwhile: WRITTEN[0], after: WRITTEN[0], notes: [],
  });
  await after.close();
});

test('what a pack has already is not brought there again, nor more moved, however often the checkpoint is refused', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { fewBytesMax: FEW_BYTES, packBytesMax: 4_000, movedCountMax: 1 });
  await create(storage, ...upTo(SHAPES));
  await commit(storage, [1, 2], upTo(SHAPES));
  for (const number of upTo(SHAPES)) if (number % 4 > 0) storage.shapes.delete(handleOf(number), 'a test');
  await storage.shapes.checkpoint(); // From now on most of the first pack is dead: what lives is moved.
  const left = upTo(SHAPES).filter((number) => number % 4 === 0);
  for (const number of left) appendLines(shapeIn(storage, number), 3, [lineOf(number, 3)]);
  disk.fail('write', 'ENOSPC', /\.checkpoint/);
  const sizes: number[] = [];
  for (const _ of upTo(4)) {
    await storage.shapes.checkpoint().catch(() => {});
    sizes.push(disk.files.filter((path) => path.endsWith('.pack')).reduce((sum, path) => sum + disk.content(path).length, 0));
  }
  disk.heal();
  await storage.shapes.checkpoint();
  disk.kill();
  const after = await open(disk);

  expect({ sizes: new Set(sizes).size, found: await allRead(after, left, [1, 2, 3]), notes: after.notes }).toEqual({
    sizes: 1, found: WRITTEN, notes: [],
  });
  await after.close();
});

test('where the end of the last checkpoint does not hold, lines that went from packs to files are where the one before says', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { fewBytesMax: FEW_BYTES, packBytesMax: 1 });
  await create(storage, 1);
  await commit(storage, [1, 2], [1]);
  appendLines(shapeIn(storage, 1), 3, [JSON.stringify('x'.repeat(FEW_BYTES))]);
  await storage.shapes.checkpoint();
  disk.kill();
  const checkpoint = disk.files.find((path) => path.endsWith('.checkpoint')) ?? '';
  const whole = disk.content(checkpoint);
  disk.damage(checkpoint, whole.subarray(0, whole.length - 3));
  const after = await open(disk);

  expect({ found: await linesRead(after, 1, [1, 2]), notes: after.notes }).toEqual({ found: WRITTEN[0], notes: [] });
  await after.close();
});
