/** Small snapshots: in memory and in their record at first, in packs behind a checkpoint, and nowhere when their shapes have ended. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { BEFORE_ALL, snapshotChunkEnd } from '../../../src/model/log-offset.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Disk } from '../../../src/storage/disk/disk.ts';
import { verifyStorage } from '../../../src/storage/inspection/verification.ts';
import { openStorage, type StorageOptions } from '../../../src/storage/open-storage.ts';
import { FEW_BYTES_MAX } from '../../../src/storage/shapes/few-rows.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import {
  appendLines, bodyOf, bytes, grow, pgSnapshot, runsOf, snapshotEnd, snapshotOf, text,
} from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

/** Of one pack. */
const PACK_BYTES = 1_000;
/** That a test has at the most; so many checkpoints move the rows of all of them. */
const SHAPES = 20;

type Packing = StorageOptions['packing'];

function open(disk: MemoryDisk, packing: Packing = { packBytesMax: PACK_BYTES }, mounted = disk.mount()): Promise<Storage> {
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  return openStorage({ directory: '/data', clock: new ManualClock(), disk: mounted, processes, packing });
}

const rowOf = (handle: Handle): string => JSON.stringify(`a row of ${handle} ${'.'.repeat(100)}`);

async function create({ shapes }: Storage, ...numbers: readonly number[]): Promise<void> {
  for (const number of numbers) await snapshotOf(shapes.create(handleOf(number), shapeOf({})), [rowOf(handleOf(number))]);
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

async function firstRows(shape: ShapeLog | undefined): Promise<string> {
  const read = await bodyOf(shape?.read(BEFORE_ALL) ?? { outcome: 'beyond' }).catch((error: Error) => ({ outcome: error.name }));
  return 'body' in read ? read.body : read.outcome;
}

/** The numbers of shapes that have their rows, and what is told of the others. */
async function standing({ shapes }: Storage, numbers: readonly number[]) {
  const whole: number[] = [];
  const others: string[] = [];
  for (const number of numbers) {
    const found = await firstRows(shapes.get(handleOf(number)));
    if (found === `${rowOf(handleOf(number))},${snapshotEnd}`) whole.push(number);
    else others.push(`${number}: ${found}`);
  }
  return { whole, others };
}

const packsOf = ({ files }: MemoryDisk): string[] => files.filter((path) => path.startsWith('/data/packs/'));
const packPath = (number: number): string => `/data/packs/${String(number).padStart(16, '0')}.pack`;

/** What is done with files and names other than those of the log, from now on. */
function watched(memory: MemoryDisk): { readonly disk: Disk; readonly done: string[] } {
  const mounted = memory.mount();
  const done: string[] = [];
  const noted = <T>(what: string, path: string, result: T): T => {
    if (!path.includes('/log')) done.push(`${what} ${path}`);
    return result;
  };
  const disk: Disk = {
    makeDirectory: (path) => noted('make', path, mounted.makeDirectory(path)),
    syncDirectory: (path) => noted('sync', path, mounted.syncDirectory(path)),
    list: (path) => noted('list', path, mounted.list(path)),
    open: (path, mode) => noted('open', path, mounted.open(path, mode)),
    rename: (from, to) => noted('rename', from, mounted.rename(from, to)),
    removeFile: (path) => noted('remove', path, mounted.removeFile(path)),
  };
  return { disk, done };
}

test('one that is written, read and deleted before a checkpoint asks nothing of the disk but the log', async () => {
  const memory = new MemoryDisk();
  const { disk, done } = watched(memory);
  const storage = await open(memory, {}, disk);
  done.length = 0;
  await create(storage, 1);
  const found = await standing(storage, [1]);
  storage.shapes.delete(handleOf(1), 'a test');
  await storage.log.sync();

  expect({ found, done }).toEqual({ found: { whole: [1], others: [] }, done: [] });
  await storage.close();
});

test('one that is deleted when a pack has it asks nothing of the disk either', async () => {
  const memory = new MemoryDisk();
  const { disk, done } = watched(memory);
  const storage = await open(memory, {}, disk);
  await create(storage, 1, 2);
  await storage.shapes.checkpoint();
  done.length = 0;
  storage.shapes.delete(handleOf(1), 'a test');
  await storage.log.sync();
  const asked = [...done];

  expect({ asked, left: await standing(storage, [2]) }).toEqual({ asked: [], left: { whole: [2], others: [] } });
  await storage.close();
});

test('a checkpoint brings many by one file and one sync of it', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, ...upTo(SHAPES));
  const before = disk.syncCount;
  await storage.shapes.checkpoint();
  const syncs = disk.syncCount - before;

  expect({ packs: packsOf(disk), snapshots: disk.files.filter((path) => path.endsWith('.snapshot')), syncs }).toEqual({
    packs: [packPath(1)],
    snapshots: [],
    syncs: 2, // That of the checkpoint, and of the pack; the log has nothing new.
  });
  await storage.close();
});

test('one that grows beyond what is few goes to a file, and whoever follows it misses nothing', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { fewBytesMax: 300 });
  const shape = storage.shapes.create(handleOf(1), shapeOf({}));
  const writer = shape.beginSnapshot(pgSnapshot);
  const rows = ['a', 'b', 'c', 'd'].map((letter) => JSON.stringify(letter.repeat(100)));
  const read: string[] = [];
  const reading = (async () => {
    for await (const run of runsOf(shape.read(BEFORE_ALL))) read.push(text(run.bytes));
  })();
  for (const row of rows) await writer.write([bytes(row)]);
  await writer.complete();
  await reading;
  const again = await firstRows(shape);
  disk.kill();
  const after = await open(disk);

  const body = `${rows.join(',')},${snapshotEnd}`;
  expect({ read: read.join(''), again, after: await firstRows(after.shapes.get(handleOf(1))), packs: packsOf(disk) }).toEqual({
    read: `${body},`, again: body, after: body, packs: [],
  });
  await after.close();
});

test.each([
  ['whose record alone has it', false],
  ['that lies in a pack', true],
])('one %s comes back after a kill, and again after the checkpoint behind that', async (_, isPacked) => {
  const disk = new MemoryDisk();
  const storage = await open(disk);
  await create(storage, 1, 2);
  if (isPacked) await storage.shapes.checkpoint();
  disk.kill();
  const after = await open(disk);
  const found = await standing(after, [1, 2]);
  after.shapes.advance(await grow(after, 10)); // The next start does not read its record again.
  await after.shapes.checkpoint();
  await after.log.release(after.shapes.releasable);
  disk.kill();
  const again = await open(disk);

  const whole = { whole: [1, 2], others: [] };
  expect({ found, again: await standing(again, [1, 2]), notes: [...after.notes, ...again.notes] }).toEqual({
    found: whole, again: whole, notes: [],
  });
  await again.close();
});

test('several chunks of a small one are read each by itself, from memory and from a pack', async () => {
  const disk = new MemoryDisk();
  const processes = { self: { host: 'here', pid: 1, start: '' }, isAlive: () => false };
  const storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount(), processes, chunkBytesMax: 40 });
  await create(storage, 1);
  const shape = storage.shapes.create(handleOf(2), shapeOf({}));
  await snapshotOf(shape, ['"a row of some length, and more"', '"another one, as long as that"', '"a short one"']);
  const bodies = async (): Promise<unknown[]> => {
    const places = [BEFORE_ALL, snapshotChunkEnd(0), snapshotChunkEnd(1), snapshotChunkEnd(2)];
    return await Promise.all(places.map((place) => bodyOf(shape.read(place)).then((read) => ('body' in read ? read.body : read.outcome))));
  };
  const before = await bodies();
  await storage.shapes.checkpoint();

  expect({ before, packed: await bodies(), packs: packsOf(disk).length }).toEqual({
    before: ['"a row of some length, and more","another one, as long as that"', `"a short one",${snapshotEnd}`, '', ''],
    packed: before,
    packs: 1,
  });
  await storage.close();
});

test('it counts as what a checkpoint would bring, until one has', async () => {
  const storage = await open(new MemoryDisk());
  await create(storage, 1);
  const before = storage.shapes.unsavedBytes;
  await storage.shapes.checkpoint();

  expect([before, storage.shapes.unsavedBytes]).toEqual([rowOf(handleOf(1)).length + snapshotEnd.length + 2, 0]);
  await storage.close();
});

test('a bit that is flipped in a pack condemns the shape that has it alone', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1, 2, 3);
  await storage.close();
  const pack = Buffer.from(disk.content(packPath(1)));
  const at = Math.floor(pack.length / 2);
  pack[at] = (pack[at] ?? 0) ^ 1;
  disk.damage(packPath(1), pack);
  const { damages } = await verifyStorage(disk.mount(), '/data', () => {});
  const after = await open(disk);

  expect({ found: await standing(after, [1, 2, 3]), damages }).toEqual({
    found: { whole: [1, 3], others: ['2: ShapeCorruptError'] },
    damages: [{
      handle: handleOf(2), consequence: 'shapeCondemned',
      found: expect.stringMatching(/^The log of shape 2-1 is corrupt: the checksum of bytes \d+ to .*1\.pack does not hold$/) as string,
    }],
  });
  await after.close();
});

test('of a pack that is missing the shapes are dropped with a word, and no others', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1, 2);
  await storage.shapes.checkpoint();
  await create(storage, 3);
  disk.kill();
  disk.lose(packPath(1));
  const after = await open(disk);

  expect({ found: await standing(after, [1, 2, 3]), notes: after.notes }).toEqual({
    found: { whole: [3], others: ['1: beyond', '2: beyond'] },
    notes: [1, 2].map((number) => `Files of shape ${number}-1 are missing: the shape was dropped, and is made anew when it is asked for.`),
  });
  await after.close();
});

test('packs of which most is dead are emptied by the checkpoints that follow, and go', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: PACK_BYTES, movedCountMax: 1 });
  await create(storage, ...upTo(SHAPES));
  await storage.shapes.checkpoint();
  const [full] = [packsOf(disk).length];
  const left = upTo(SHAPES).filter((number) => number % 5 === 0);
  for (const number of upTo(SHAPES)) if (!left.includes(number)) storage.shapes.delete(handleOf(number), 'a test');
  for (const _ of upTo(SHAPES)) await storage.shapes.checkpoint();
  await expect.poll(() => packsOf(disk).length).toBe(1);
  const found = await standing(storage, left);
  disk.kill();
  const after = await open(disk);

  const whole = { whole: left, others: [] };
  expect({ wereMany: full > 2, found, after: await standing(after, upTo(SHAPES)).then(({ whole: those }) => those) }).toEqual({
    wereMany: true, found: whole, after: left,
  });
  await after.close();
});

test('a pack that has nothing but a deleted shape, which somebody still reads, holds up no other one', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: PACK_BYTES });
  await create(storage, ...upTo(SHAPES));
  await storage.shapes.checkpoint();
  const full = packsOf(disk).slice(0, -1);
  const reader = runsOf(storage.shapes.get(handleOf(1))?.read(BEFORE_ALL) ?? { outcome: 'beyond' });
  await reader.next();
  const left = upTo(SHAPES).filter((number) => number > SHAPES / 2 && number % 3 === 0); // More in each of the others than in the first.
  for (const number of upTo(SHAPES)) if (!left.includes(number)) storage.shapes.delete(handleOf(number), 'a test');
  for (const _ of upTo(SHAPES)) await storage.shapes.checkpoint();
  const those = (): string[] => packsOf(disk).filter((path) => full.includes(path));
  await expect.poll(() => those().length).toBe(1);
  const meanwhile = those();
  await reader.return(undefined);

  expect({ wereMany: full.length > 1, meanwhile, found: await standing(storage, left) }).toEqual({
    wereMany: true, meanwhile: [packPath(1)], found: { whole: left, others: [] },
  });
  await storage.close();
});

test('shapes that come and go do not fill the pack that is written to', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: 16 * PACK_BYTES });
  let most = 0;
  for (const number of upTo(5 * SHAPES)) {
    await create(storage, number);
    await storage.shapes.checkpoint();
    if (number > 1) storage.shapes.delete(handleOf(number), 'a test');
    most = Math.max(most, packsOf(disk).reduce((sum, path) => sum + disk.content(path).length, 0));
  }

  expect({ isBounded: most < 4 * PACK_BYTES, found: await standing(storage, [1]) }).toEqual({
    isBounded: true, found: { whole: [1], others: [] },
  });
  await storage.close();
});

test('where the end of a checkpoint that has moved rows does not hold, they are where the one before says', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: 500 });
  await create(storage, 1, 2, 3);
  await storage.shapes.checkpoint();
  await create(storage, 4);
  for (const number of [2, 3]) storage.shapes.delete(handleOf(number), 'a test');
  for (const _ of ['most is dead', 'it is moved']) await storage.shapes.checkpoint();
  await grow(storage, 10); // By then all that was to be removed is.
  disk.kill();
  const checkpoint = disk.files.find((path) => path.endsWith('.checkpoint')) ?? '';
  const [whole, packs] = [disk.content(checkpoint), packsOf(disk)];
  disk.damage(checkpoint, whole.subarray(0, whole.length - 3));
  const after = await open(disk);

  expect({ packs, found: await standing(after, [1, 4]), notes: after.notes }).toEqual({
    packs: [packPath(1), packPath(2)], found: { whole: [1, 4], others: [] }, notes: [],
  });
  await after.close();
});

test('what lives is moved a few at a time, and stands where it was for who has begun to read', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: PACK_BYTES, movedCountMax: 2 });
  await create(storage, ...upTo(SHAPES));
  await storage.shapes.checkpoint();
  const left = upTo(SHAPES).filter((number) => number % 3 === 0);
  for (const number of upTo(SHAPES)) if (!left.includes(number)) storage.shapes.delete(handleOf(number), 'a test');
  const reads = left.map((number) => storage.shapes.get(handleOf(number))?.read(BEFORE_ALL));
  for (const _ of upTo(SHAPES)) await storage.shapes.checkpoint();
  const bodies = await Promise.all(reads.map((read) => bodyOf(read ?? { outcome: 'beyond' })));

  expect(bodies.map((read) => ('body' in read ? read.body : read.outcome))).toEqual(
    left.map((number) => `${rowOf(handleOf(number))},${snapshotEnd}`),
  );
  await storage.close();
});

test('whoever has begun to read a shape that ends reads on, though its pack would go', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: 1 });
  await create(storage, 1);
  await storage.shapes.checkpoint();
  const reader = runsOf(storage.shapes.get(handleOf(1))?.read(BEFORE_ALL) ?? { outcome: 'beyond' });
  const first = await reader.next();
  storage.shapes.delete(handleOf(1), 'a test');
  for (const number of [2, 3, 4]) {
    await create(storage, number);
    await storage.shapes.checkpoint();
  }
  const meanwhile = packsOf(disk).includes(packPath(1));
  const rest = [first.value, (await reader.next()).value, (await reader.next()).value];
  for (const number of [5, 6, 7]) {
    await create(storage, number);
    await storage.shapes.checkpoint();
  }
  await expect.poll(() => packsOf(disk).includes(packPath(1))).toBe(false);

  expect({ meanwhile, rest: rest.map((run) => run && text(run.bytes)) }).toEqual({
    meanwhile: true, rest: [`${rowOf(handleOf(1))},`, `${snapshotEnd},`, undefined],
  });
  await storage.close();
});

test('rows that do not hold when they are to be moved condemn their shape alone, and the next checkpoint goes on', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: 500 });
  await create(storage, 1, 2, 3);
  await storage.shapes.checkpoint();
  await create(storage, 4); // Into the next pack: the first one is full.
  await storage.shapes.checkpoint();
  const pack = Buffer.from(disk.content(packPath(1)));
  pack[3] = (pack[3] ?? 0) ^ 1;
  disk.damage(packPath(1), pack);
  for (const number of [2, 3]) storage.shapes.delete(handleOf(number), 'a test');
  await storage.shapes.checkpoint(); // From now on most of it is dead.
  const told = await storage.shapes.checkpoint().catch((error: unknown) => error);
  storage.shapes.delete(handleOf(1), 'damaged');
  await storage.shapes.checkpoint();

  expect({ told, left: await standing(storage, [4]) }).toMatchObject({
    told: { name: 'CheckpointDeferredError', damaged: [{ handle: handleOf(1) }] }, left: { whole: [4], others: [] },
  });
  await storage.close();
});

/** A pack that was begun is left behind a refusal: so the next one is opened. */
const REFUSED = [['write', ['write']], ['sync', ['sync']], ['opening', ['sync', 'open']]] as const;

test.each(REFUSED)('a disk that refuses the %s of a pack loses nothing, and the next one takes what waits', async (_, operations) => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1);
  await storage.shapes.checkpoint();
  await create(storage, 2);
  const refusals: unknown[] = [];
  for (const operation of operations) refusals.push(await refused(disk, storage, operation));
  const meanwhile = await standing(storage, [1, 2]);
  await storage.shapes.checkpoint();
  disk.crash(seededRandom(1));
  const after = await open(disk);

  const whole = { whole: [1, 2], others: [] };
  expect({ refusals, meanwhile, after: await standing(after, [1, 2]), notes: after.notes }).toEqual({
    refusals: operations.map(() => 'ENOSPC'), meanwhile: whole, after: whole, notes: [],
  });
  await after.close();
});

async function refused(disk: MemoryDisk, { shapes }: Storage, operation: string, path = /\.pack$/): Promise<unknown> {
  disk.fail(operation, 'ENOSPC', path);
  const refusal: unknown = await shapes.checkpoint().catch(({ code }: { code?: unknown }) => code);
  disk.heal();
  return refusal;
}

test('a disk that is full for long is not filled with what nobody counts', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1);
  for (const _ of upTo(5)) await refused(disk, storage, 'write');
  for (const _ of upTo(5)) await refused(disk, storage, 'sync');
  const left = packsOf(disk);
  await storage.shapes.checkpoint();

  expect({ left, packs: packsOf(disk).length, found: await standing(storage, [1]) }).toEqual({
    left: [], packs: 1, found: { whole: [1], others: [] },
  });
  await storage.close();
});

test('what a pack has already is not brought there again, however often the checkpoint is refused that was to count it', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, { packBytesMax: 500 });
  await create(storage, 1, 2, 3);
  await storage.shapes.checkpoint();
  for (const number of [2, 3]) storage.shapes.delete(handleOf(number), 'a test');
  await storage.shapes.checkpoint(); // From now on most of the first pack is dead: what lives is moved.
  await create(storage, 4);
  const sizes: number[] = [];
  for (const _ of upTo(4)) {
    await refused(disk, storage, 'write', /\.checkpoint/);
    sizes.push(packsOf(disk).reduce((sum, path) => sum + disk.content(path).length, 0));
  }
  await storage.shapes.checkpoint();
  disk.kill();
  const after = await open(disk);

  expect({ sizes: new Set(sizes).size, found: await standing(after, [1, 4]), notes: after.notes }).toEqual({
    sizes: 1, found: { whole: [1, 4], others: [] }, notes: [],
  });
  await after.close();
});

test('a start removes packs that nobody counts behind its first checkpoint, and begins one of its own', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1);
  await storage.shapes.checkpoint();
  disk.kill();
  disk.putBack(packPath(7), Buffer.from('of nobody'));
  disk.damage(packPath(1), Buffer.concat([disk.content(packPath(1)), Buffer.from('what a stop left')]));
  const after = await open(disk);
  const atStart = packsOf(disk);
  await create(after, 2);
  for (const _ of ['the next one is begun', 'the highest one goes when there is a higher one']) await after.shapes.checkpoint();
  await expect.poll(() => packsOf(disk)).toEqual([packPath(1), packPath(8)]);

  expect({ atStart, found: await standing(after, [1, 2]) }).toEqual({
    atStart: [packPath(1), packPath(7)], found: { whole: [1, 2], others: [] },
  });
  await after.close();
});

test('a number is not given twice, though all of the pack was dead by then', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1);
  await storage.shapes.checkpoint();
  storage.shapes.delete(handleOf(1), 'a test');
  for (const _ of upTo(4)) await storage.shapes.checkpoint();
  await storage.close();
  disk.kill();
  const after = await open(disk, {});
  for (const _ of upTo(4)) await after.shapes.checkpoint();
  await create(after, 2);
  for (const _ of upTo(4)) await after.shapes.checkpoint();
  await expect.poll(() => packsOf(disk)).toEqual([packPath(2)]);

  expect(await standing(after, [2])).toEqual({ whole: [2], others: [] });
  await after.close();
});

test('a directory of packs that cannot be listed stops no start: what they have stays, until it is needed', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1);
  await storage.shapes.checkpoint();
  disk.kill();
  disk.putBack(packPath(2), Buffer.from('of nobody'));
  disk.fail('list', 'EIO', /packs$/);
  const after = await open(disk, {});
  await create(after, 3);
  await after.shapes.checkpoint();
  const packs = packsOf(disk);
  disk.kill();
  disk.heal();
  const again = await open(disk, {});

  const whole = { whole: [1, 3], others: [] };
  expect({ packs, found: await standing(again, [1, 3]), notes: [after.notes, again.notes] }).toEqual({
    packs: [1, 2, 3].map(packPath),
    found: whole,
    notes: [[
      'The device does not read /data/packs: a shape of it ends when its files are needed. ' +
        'Stop the service, move that directory away, and start: its shapes are made anew then when they are asked for.',
    ], []],
  });
  await again.close();
});

test('packs that many starts have left with few rows each are brought together', async () => {
  const disk = new MemoryDisk();
  for (const number of upTo(SHAPES)) {
    const storage = await open(disk);
    await create(storage, number);
    await storage.close();
    disk.kill();
  }
  const storage = await open(disk);
  for (const _ of upTo(SHAPES)) await storage.shapes.checkpoint();
  await expect.poll(() => packsOf(disk).length < 12).toBe(true);

  expect(await standing(storage, upTo(SHAPES))).toEqual({ whole: upTo(SHAPES), others: [] });
  await storage.close();
});

test('one that has many lines by then has them in files of its own, and goes with them', async () => {
  const disk = new MemoryDisk();
  const storage = await open(disk, {});
  await create(storage, 1);
  const shape = storage.shapes.get(handleOf(1));
  if (shape !== undefined) appendLines(shape, 10, ['x'.repeat(FEW_BYTES_MAX)]);
  await storage.shapes.checkpoint();
  const files = disk.files.filter((path) => path.startsWith('/data/shapes/')).map((path) => path.split('/').at(-1));
  storage.shapes.delete(handleOf(1), 'a test');
  await expect.poll(() => disk.files.filter((path) => path.startsWith('/data/shapes/'))).toEqual([]);

  expect(files).toEqual(['1-1.index', '1-1.lines']);
  await storage.close();
});
