/** What the disk refuses, what waits for it, and when it is over. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { DiskStanding } from '../../src/storage/disk/disk-standing.ts';
import { DiskError } from '../../src/storage/errors.ts';
import { diskPort } from '../../src/storage/disk/disk-port.ts';
import { openStorage } from '../../src/storage/open-storage.ts';
import { watchedDisk } from '../../src/storage/disk/watched-disk.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf } from '../support/shapes.ts';
import { openPort } from '../support/postgres/port-harness.ts';
import { appendTransaction, readAll } from '../support/storage/stored-samples.ts';
import { MemoryDisk } from './memory-disk.ts';

const never = new AbortController().signal;
const refusal = (code: string): DiskError => new DiskError('write', '/file', Object.assign(new Error(code), { code }));

/** A storage, and the disk under it. */
async function opened() {
  const disk = new MemoryDisk();
  const storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount() });
  return { disk, standing: storage.disk, storage };
}

test.each(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'])('work that is refused with %s is done again until it is taken', async (code) => {
  const standing = new DiskStanding(new ManualClock());
  standing.keep();
  let attempts = 0;
  const working = standing.insist(async () => {
    attempts += 1;
    if (attempts < 3) await standing.watch('write', '/file', () => Promise.reject(refusal(code)));
    return attempts;
  });
  await standing.whenRefused(never);
  const [first, second] = [await standing.tryAgain(never), await standing.tryAgain(never)];

  expect({ taken: await working, first: first?.code, second, counts: [...standing.refusals] }).toEqual({
    taken: 3, first: code, second: undefined, counts: [[code, 2]],
  });
});

test('what is no refusal is an error at once, and so is a refusal that nobody tries again', async () => {
  const standing = new DiskStanding(new ManualClock());
  const unkept = standing.insist(() => Promise.reject(refusal('EIO')));
  await expect(unkept).rejects.toThrow('EIO');
  standing.keep();

  await expect(standing.insist(() => Promise.reject(refusal('EBADF')))).rejects.toThrow('EBADF');
  expect([standing.pause, standing.refusal]).toEqual([undefined, undefined]);
});

test('work that is refused what nobody watches waits as well: the refusal is told of, counted, and over when it is done', async () => {
  const standing = new DiskStanding(new ManualClock());
  standing.keep();
  let attempts = 0;
  const working = standing.insist(async () => {
    attempts += 1;
    if (attempts < 3) throw refusal('EIO');
  });
  await standing.whenRefused(never);
  const [first, second] = [await standing.tryAgain(never), await standing.tryAgain(never)];

  expect({ first: first?.code, second, counts: [...standing.refusals], isHeld: standing.pause !== undefined }).toEqual({
    first: 'EIO', second: undefined, counts: [['EIO', 2]], isHeld: false,
  });
  await working;
});

test('one refusal that many wait for counts once, and an error that is met again is no news and no end', async () => {
  const standing = new DiskStanding(new ManualClock());
  standing.keep();
  const [one, isOver] = [refusal('ENOSPC'), { yes: false }];
  const stands = (): Promise<void> => (isOver.yes ? Promise.resolve() : Promise.reject(one));
  const working = [standing.insist(stands), standing.insist(stands)];
  await standing.whenRefused(never);
  const still = await standing.tryAgain(never);
  isOver.yes = true;

  expect([still?.code, await standing.tryAgain(never), [...standing.refusals]]).toEqual(['ENOSPC', undefined, [['ENOSPC', 1]]]);
  await Promise.all(working);
});

test('work inside of other work waits with it, and both are done when the disk takes it', async () => {
  const standing = new DiskStanding(new ManualClock());
  standing.keep();
  let isFull = true;
  const write = (): Promise<void> => standing.watch('write', '/file', async () => {
    if (isFull) throw refusal('ENOSPC');
  });
  const working = standing.insist(async () => {
    await standing.insist(write);
    await write();
  });
  await standing.whenRefused(never);
  const still = await standing.tryAgain(never);
  const held = standing.pause;
  isFull = false;
  const over = await standing.tryAgain(never);

  expect({ still: still?.code, over, wasHeld: held !== undefined, isHeld: standing.pause !== undefined }).toEqual({
    still: 'ENOSPC', over: undefined, wasHeld: true, isHeld: false,
  });
  await Promise.all([working, held]);
});

test('what waits when the storage is closed fails as it was refused, and what comes then is tried once', async () => {
  const standing = new DiskStanding(new ManualClock());
  standing.keep();
  const refused = (): Promise<never> => standing.watch('sync', '/file', () => Promise.reject(refusal('EROFS')));
  const waiting = standing.insist(refused);
  const failed = expect(waiting).rejects.toThrow('EROFS');
  await standing.whenRefused(never);
  await Promise.resolve();
  standing.end();
  await failed;

  await expect(standing.insist(refused)).rejects.toThrow('EROFS');
  expect(standing.pause).toBeUndefined();
});

test('a storage that is closed waits for no disk that refuses', async () => {
  const { disk, standing, storage } = await opened();
  standing.keep();
  disk.fail('sync', 'ENOSPC', /\.log$/);
  storage.log.appendRecord({ type: 'shape.deleted', handle: handleOf(1), why: 'a test' });
  const told: string[] = [];
  const tell = (error: DiskError): unknown => told.push(error.code);
  void storage.log.sync().catch(tell);
  await standing.whenRefused(never);
  void storage.close().catch(tell);

  await expect.poll(() => told).toEqual(['ENOSPC', 'ENOSPC']);
});

test('what is refused while its watch is started again waits for the next one, and the log goes on behind it', async () => {
  const { disk, standing, storage } = await opened();
  const first = await openPort(diskPort(standing));
  await first.close();
  disk.fail('sync', 'ENOSPC', /\.log$/);
  appendTransaction(storage.log, 1, ['refused']);
  const syncing = storage.log.sync();
  await expect.poll(() => standing.refusal?.code).toBe('ENOSPC');
  const second = await openPort(diskPort(standing));
  const refused = await second.ask({ type: 'awaitRefusal' });
  disk.heal();
  const took = await second.ask({ type: 'tryDisk' });
  const durable = await syncing;
  appendTransaction(storage.log, 2, ['behind']);
  await storage.log.sync();

  const transactions = (await readAll(storage.log, 0)).map(({ fragments }) => fragments);
  expect({ refused: refused.type, took: took.type, transactions }).toEqual({
    refused: 'disk.refused', took: 'disk.took', transactions: [['refused'], ['behind']],
  });
  expect(durable).toBeLessThan(storage.log.durableEnd);
  await storage.close();
});

test('where nothing waits, a little is written to see whether the disk takes anything, and nothing is left of it', async () => {
  const { disk, standing, storage } = await opened();
  const before = disk.files;
  disk.fail('write', 'ENOSPC', /probe/);
  const full = await standing.tryAgain(never);
  disk.heal();
  const taken = await standing.tryAgain(never);

  expect({ full: full?.message, taken, files: disk.files }).toEqual({
    full: 'cannot write /data/probe.new: ENOSPC', taken: undefined, files: before,
  });
  await storage.close();
});

test('what the disk has been at for longest is known, with its time', async () => {
  const [disk, clock] = [new MemoryDisk(), new ManualClock()];
  const standing = new DiskStanding(clock);
  const file = await watchedDisk(disk.mount(), standing).open('/file', 'write');
  disk.holdSyncs();
  const syncing = file.sync();
  clock.advance(7_000);
  const other = watchedDisk(disk.mount(), standing).open('/other', 'write');
  const slowest = standing.slowest;
  disk.letSync();
  await Promise.all([syncing, other]);

  expect([slowest, standing.slowest]).toEqual([{ operation: 'sync', path: '/file', forMs: 7_000 }, undefined]);
});

test('whatever would change the disk is known when it is refused, and a look at it is not', async () => {
  const disk = new MemoryDisk();
  const standing = new DiskStanding(new ManualClock());
  const watched = watchedDisk(disk.mount(), standing);
  const file = await watched.open('/file', 'write');
  const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['create', () => watched.makeDirectory('/more')], ['sync', () => watched.syncDirectory('/')],
    ['open', () => watched.open('/other', 'create')], ['write', () => file.append(Buffer.from('some'))],
    ['write', () => file.overwrite(0, Buffer.alloc(0))], ['truncate', () => file.truncate(0)], ['sync', () => file.sync()],
    ['rename', () => watched.rename('/file', '/moved')], ['remove', () => watched.removeFile('/file')],
    ['list', () => watched.list('/')], ['open', () => watched.open('/file', 'read')], ['read', () => file.read(0, 1)],
  ];
  const known: number[] = [];
  for (const [operation, step] of steps) {
    const { EIO: before = 0 } = Object.fromEntries(standing.refusals);
    disk.fail(operation, 'EIO');
    await expect(step()).rejects.toThrow('EIO');
    known.push((standing.refusals.get('EIO') ?? 0) - before);
  }

  expect(known).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
});

test('who was told of a refusal listens to nothing any more', async () => {
  const standing = new DiskStanding(new ManualClock());
  const { signal } = new AbortController();
  const told = standing.whenRefused(signal);
  const before = getEventListeners(signal, 'abort').length;
  await standing.watch('write', '/file', () => Promise.reject(refusal('EIO'))).catch(() => {});
  await told;

  expect([before, getEventListeners(signal, 'abort').length]).toEqual([1, 0]);
});

test('what is refused to somebody who does not wait is told only when the disk takes nothing else either', async () => {
  let [isFull, probes] = [false, 0];
  const refuse = (): Promise<never> => Promise.reject(refusal('ENOSPC'));
  const standing: DiskStanding = new DiskStanding(new ManualClock(), async () => {
    probes += 1;
    if (isFull) await standing.watch('write', '/probe', refuse);
  });
  const port = await openPort(diskPort(standing));
  const answer = port.ask({ type: 'awaitRefusal' });
  await standing.watch('open', '/snapshot', refuse).catch(() => {});
  await expect.poll(() => standing.refusal).toBeUndefined();
  const before = probes;
  isFull = true;
  await standing.watch('open', '/snapshot', refuse).catch(() => {});

  expect([before, (await answer).type, probes]).toEqual([1, 'disk.refused', 2]);
});

test('a disk that takes a little has taken it, also when one file was refused meanwhile', async () => {
  const alone = (): Promise<void> => standing.watch('write', '/bad', () => Promise.reject(refusal('EIO'))).catch(() => {});
  const standing: DiskStanding = new DiskStanding(new ManualClock(), alone);

  expect([await standing.tryAgain(never), standing.refusal]).toEqual([undefined, undefined]);
});

test('the reserve that a start on a full disk has used up is kept again behind a checkpoint', async () => {
  const disk = new MemoryDisk();
  disk.fail('write', 'ENOSPC', /reserve\.new$/);
  const storage = await openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount() });
  await storage.shapes.checkpoint();
  const isKept = (): boolean => disk.files.includes('/data/reserve.new');
  const before = isKept();
  disk.heal();
  await storage.shapes.checkpoint();

  expect([before, isKept()]).toEqual([false, true]);
});

test('a start that the disk refuses when all is read leaves no file open, and has removed nothing', async () => {
  const { disk, storage } = await opened();
  await storage.close();
  disk.damage('/data/format', Buffer.from('3\n'));
  await disk.mount().makeDirectory('/data/shapes/5f');
  await (await disk.mount().open('/data/shapes/5f/1-1.snapshot', 'create')).close(); // Of nobody: a start removes it.
  disk.fail('rename', 'ENOSPC', /format\.new$/);
  const open = disk.openFiles;
  const opening = openStorage({ directory: '/data', clock: new ManualClock(), disk: disk.mount() });
  const told = await opening.catch((error: Error) => error.message);

  expect({ told, open: disk.openFiles - open, isThere: disk.files.includes('/data/shapes/5f/1-1.snapshot') }).toEqual({
    told: 'cannot rename /data/format.new: ENOSPC', open: 0, isThere: true,
  });
});

const OWN_DAMAGE = [[-117, 'EUCLEAN'], [-74, 'EBADMSG']] as const;

test.each(OWN_DAMAGE)('what a file system says of its own damage (%i) counts as a device that fails', (errno, name) => {
  const unnamed = Object.assign(new Error(), { errno, code: `Unknown system error ${errno}` });
  const { code, message } = new DiskError('read', '/file', unnamed);

  expect([code, message]).toEqual(['EIO', `cannot read /file: EIO (${name})`]);
});
