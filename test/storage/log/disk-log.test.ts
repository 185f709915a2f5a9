/** What the log on a disk does when the disk is slow, fails, or comes back with something else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import { DiskStanding } from '../../../src/storage/disk/disk-standing.ts';
import { openDiskLog } from '../../../src/storage/log/disk-log.ts';
import { encodeFrame, type FrameKind } from '../../../src/storage/log/frame.ts';
import type { TransactionLog } from '../../../src/storage/log/transaction-log.ts';
import { watchedDisk } from '../../../src/storage/disk/watched-disk.ts';
import { MemoryDisk } from '../memory-disk.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { appendTransaction, readAll, transactionsOf, upTo } from '../../support/storage/stored-samples.ts';

const DIRECTORY = '/log';
const START = 0 as LogPosition;

const standing = new DiskStanding(new ManualClock()); // Nobody keeps watch: what is refused has failed.

function openLog(memory: MemoryDisk, from = START, watch = standing): Promise<TransactionLog> {
  const disk = watchedDisk(memory.mount(), watch);
  return openDiskLog({ disk, standing: watch, directory: DIRECTORY, segmentBytesMax: 600, tailBytesMax: 400, from, durable: from });
}

const lsns = (found: readonly { lsn: string }[]): string[] => found.map(({ lsn }) => lsn);

/** A log with transactions 1 to `count`, each synced by itself and closed in good order unless told otherwise. */
async function written(count: number): Promise<{ disk: MemoryDisk; log: TransactionLog }> {
  const disk = new MemoryDisk();
  const log = await openLog(disk);
  for (let commit = 1; commit <= count; commit += 1) {
    appendTransaction(log, commit, [`transaction ${commit}`]);
    await log.sync();
  }
  return { disk, log };
}

const segmentsOf = async (disk: MemoryDisk): Promise<string[]> =>
  (await disk.mount().list(DIRECTORY)).filter((name) => name.endsWith('.log')).sort();

/** What logs have that the power went from at one of these moments; a log that cannot be read says why. */
async function leftBy(images: readonly MemoryDisk[], seeds: number): Promise<ReadonlySet<string>> {
  const left = new Set<string>();
  for (const image of images) {
    for (let seed = 0; seed < seeds; seed += 1) {
      const cut = image.image();
      cut.crash(seededRandom(seed));
      left.add(await openLog(cut).then(async (log) => lsns(await readAll(log, 0)).join(), (error: Error) => error.message));
    }
  }
  return left;
}

test('what is no longer in memory is read in bounded blocks', async () => {
  const { log } = await written(20);
  const block = await log.read({ after: START, through: log.durableEnd }, upTo(20));

  expect(lsns(transactionsOf(block))).toEqual(['1', '2']);
});

test('where a transaction lies is known of the newest, once they are durable, and after a restart too', async () => {
  const { disk, log } = await written(20);
  appendTransaction(log, 21, ['not durable yet']);
  const asked = [1, 20, 21].map((commit) => commit as Xid);
  const before = await Promise.all(asked.map((xid) => log.locate(xid)));
  await log.close();
  const again = await openLog(disk);
  const after = await Promise.all(asked.map((xid) => again.locate(xid)));

  const found = (places: typeof before) => places.map((place) => place?.lsn);
  expect([found(before), found(after), (before[1]?.end ?? 0) < (after[2]?.end ?? 0)]).toEqual([
    [undefined, '20', undefined], [undefined, '20', '21'], true,
  ]);
});

test('what lies before a place as a whole is let go of, to the byte', async () => {
  const { disk, log } = await written(20);
  const firsts = (await segmentsOf(disk)).map((name) => Number(name.slice(0, 16)));
  await log.release(firsts[2] as LogPosition);

  expect((await segmentsOf(disk)).map((name) => Number(name.slice(0, 16)))).toEqual(firsts.slice(2));
});

test('what is to be synced is on its way to the disk when a sync is asked for, not a moment later', async () => {
  const watch = new DiskStanding(new ManualClock());
  const log = await openLog(new MemoryDisk(), START, watch);
  appendTransaction(log, 1, ['transaction 1']);
  await log.sync();
  appendTransaction(log, 2, ['transaction 2']);
  const synced = log.sync();
  const underWay = watch.slowest?.operation;
  await synced;

  expect({ underWay, behind: watch.slowest }).toEqual({ underWay: 'sync', behind: undefined });
});

test('a log whose proof of what is durable could not be written says so when it is closed', async () => {
  const { disk, log } = await written(1);
  disk.fail('write', 'EBADF', /durable$/);

  await expect(log.close()).rejects.toThrow('EBADF');
});

describe('syncing', () => {
  test('calls during a sync share the next one', async () => {
    const { disk, log } = await written(0);
    const before = disk.syncCount;
    disk.holdSyncs();
    const syncs = [1, 2, 3, 4].map((commit) => {
      appendTransaction(log, commit, ['x']);
      return log.sync();
    });
    await Promise.resolve();
    disk.letSync();
    await Promise.all(syncs);

    expect(disk.syncCount - before).toBe(2);
  });

  test('nothing may be seen while the disk withholds its sync', async () => {
    const { disk, log } = await written(1);
    const before = log.durableEnd;
    disk.holdSyncs();
    appendTransaction(log, 2, ['x']);
    const syncing = log.sync();
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    const withheld = log.durableEnd;
    disk.letSync();

    expect({ withheld, then: (await syncing) > before }).toEqual({ withheld: before, then: true });
  });

  test.each([
    ['lost', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['damaged', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, bytes.length - 1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])])],
  ])('a disk that refuses, and has %s what was durable, is not written to again', async (_, harm) => {
    const disk = new MemoryDisk();
    const kept = new DiskStanding(new ManualClock());
    kept.keep();
    const log = await openLog(disk, START, kept);
    appendTransaction(log, 1, ['x']);
    await log.sync();
    const [path = ''] = disk.files.filter((name) => name.endsWith('.log'));
    appendTransaction(log, 2, ['y']);
    disk.damage(path, harm(disk.content(path)));
    disk.fail('write', 'EIO');
    const syncing = log.sync().catch((error: Error) => error.name);
    await kept.whenRefused(new AbortController().signal);
    disk.heal();
    await kept.tryAgain(new AbortController().signal);
    const after = disk.content(path);

    expect({ failed: await syncing, isTouched: !after.equals(disk.content(path)), end: log.durableEnd < log.appendedEnd }).toEqual({
      failed: 'LogCorruptError', isTouched: false, end: true,
    });
  });

  const ON_THE_WAY_BACK = [['open', 'make'], ['read', 'read'], ['close', undefined]] as const;

  test.each(ON_THE_WAY_BACK)('a group whose way back is refused its %s as well comes when the disk is well', async (operation, refused) => {
    const disk = new MemoryDisk();
    const kept = new DiskStanding(new ManualClock());
    kept.keep();
    const log = await openLog(disk, START, kept);
    appendTransaction(log, 1, ['x']);
    await log.sync();
    appendTransaction(log, 2, ['y']);
    disk.fail('sync', 'EIO');
    const syncing = log.sync();
    await expect.poll(() => kept.pause !== undefined).toBe(true);
    disk.fail(operation, 'EIO', /\.log$/);
    const still = await kept.tryAgain(new AbortController().signal);
    disk.heal();
    const over = await kept.tryAgain(new AbortController().signal);
    await syncing;

    const { pause } = kept;
    expect({ still: still?.operation, over, pause, kept: lsns(await readAll(await openLog(disk), 0)) }).toEqual({
      still: refused, over: undefined, pause: undefined, kept: ['1', '2'],
    });
  });

  test.each(['sync', 'write'])('after a failed %s the log takes nothing more, and tries nothing again', async (operation) => {
    const { disk, log } = await written(1);
    const before = log.durableEnd;
    appendTransaction(log, 2, ['x']);
    disk.fail(operation, 'EIO');
    const first = await log.sync().catch((error: Error) => error.name);
    disk.heal();
    const synced = disk.syncCount;
    const second = await log.sync().catch((error: Error) => error.name);

    expect({ first, second, again: disk.syncCount - synced, end: log.durableEnd }).toEqual({
      first: 'DiskError',
      second: 'DiskError',
      again: 0,
      end: before,
    });
  });

  /** The images of a disk at each of its changes, while `act` goes on. */
  async function imagesDuring(disk: MemoryDisk, act: () => Promise<unknown>): Promise<readonly MemoryDisk[]> {
    const images: MemoryDisk[] = [];
    disk.beforeChange = () => images.push(disk.image());
    await act();
    disk.beforeChange = () => {};
    return images;
  }

  const PREFIXES = ['1', '1,2', '1,2,3', '1,2,3,4'];

  test('whenever the power goes while a group begins segments, each of these was whole before the next one began', async () => {
    const { disk, log } = await written(1);
    for (const commit of [2, 3, 4]) appendTransaction(log, commit, ['x'.repeat(500)]);
    const images = await imagesDuring(disk, () => log.sync());
    const left = await leftBy(images, 8);

    expect([...left].filter((found) => !PREFIXES.includes(found))).toEqual([]);
  });

  test('whenever the power goes while a group of several segments is taken back, the log has no gap', async () => {
    const left = new Set<string>();
    let refusals = 0;
    for (let refused = 0; refused < 14; refused += 1) {
      const disk = new MemoryDisk();
      const kept = new DiskStanding(new ManualClock());
      kept.keep();
      const log = await openLog(disk, START, kept);
      appendTransaction(log, 1, ['transaction 1']);
      await log.sync();
      for (const commit of [2, 3, 4]) appendTransaction(log, commit, ['x'.repeat(500)]);
      disk.refuse({ of: 'changes', from: disk.asked.changes + refused, count: 1, code: 'EIO' });
      const syncing = log.sync();
      for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
      if (kept.refusal !== undefined) refusals += 1;
      const images = await imagesDuring(disk, () => kept.tryAgain(new AbortController().signal));
      await syncing;
      for (const found of await leftBy(images, 3)) left.add(found);
    }

    expect({ wrong: [...left].filter((found) => !PREFIXES.includes(found)), hasRefusals: refusals > 10 }).toEqual({
      wrong: [], hasRefusals: true,
    });
  });

  test('after a failed sync nothing can be appended', async () => {
    const { disk, log } = await written(1);
    disk.fail('sync', 'EIO');
    appendTransaction(log, 2, ['x']);
    await log.sync().catch(() => {});

    expect(() => appendTransaction(log, 3, ['y'])).toThrow('cannot sync');
  });
});

describe('recovery', () => {
  test('cuts off a tail that did not arrive, and goes on there', async () => {
    const { disk, log: before } = await written(2);
    disk.fail('sync', 'EIO');
    appendTransaction(before, 3, ['transaction 3']);
    await before.sync().catch(() => {});
    disk.heal();
    const last = (await segmentsOf(disk)).at(-1) ?? '';
    const path = `${DIRECTORY}/${last}`;
    disk.damage(path, disk.content(path).subarray(0, -5));
    const log = await openLog(disk);
    appendTransaction(log, 9, ['new']);
    await log.sync();
    await log.close();

    expect(lsns(await readAll(await openLog(disk), 0))).toEqual(['1', '2', '9']);
  });

  test('refuses a log that lacks the last bytes of what had been durable', async () => {
    const { disk, log } = await written(3);
    const { durableEnd } = log;
    const last = (await segmentsOf(disk)).at(-1) ?? '';
    const path = `${DIRECTORY}/${last}`;
    disk.damage(path, disk.content(path).subarray(0, -3));

    await expect(openLog(disk)).rejects.toThrow(`it was durable up to ${durableEnd}`);
  });

  test('a witness that is lost or does not hold proves nothing, and harms nothing', async () => {
    const { disk } = await written(3);
    const witness = `${DIRECTORY}/durable`;
    disk.damage(witness, flipped(flipped(disk.content(witness), 3), 19));
    const damaged = lsns(await readAll(await openLog(disk), 0));
    disk.lose(witness);

    expect({ damaged, lost: lsns(await readAll(await openLog(disk), 0)) }).toEqual({ damaged: ['1', '2', '3'], lost: ['1', '2', '3'] });
  });

  test('refuses a frame of a kind that it does not know', async () => {
    const { disk, log } = await written(1);
    const path = `${DIRECTORY}/${(await segmentsOf(disk)).at(-1) ?? ''}`;
    disk.damage(path, Buffer.concat([disk.content(path), encodeFrame(log.durableEnd, 99 as FrameKind, 0, 0 as Xid, Buffer.alloc(0))]));

    await expect(openLog(disk)).rejects.toMatchObject({
      name: 'UnknownContentError',
      message: expect.stringContaining('a frame of kind 99'),
    });
  });

  test('refuses a log whose durable part was damaged', async () => {
    const { disk } = await written(3);
    const [first = ''] = await segmentsOf(disk);
    const path = `${DIRECTORY}/${first}`;
    disk.damage(path, flipped(disk.content(path), 100));

    await expect(openLog(disk)).rejects.toMatchObject({ name: 'LogCorruptError' });
  });

  test('says where the log is damaged, when a damaged segment is read later', async () => {
    const { disk, log } = await written(20);
    const from = log.durableEnd;
    await log.close();
    const [first = ''] = await segmentsOf(disk);
    const path = `${DIRECTORY}/${first}`;
    disk.damage(path, flipped(disk.content(path), 100));
    const again = await openLog(disk, from);

    await expect(readAll(again, 0)).rejects.toMatchObject({ name: 'LogCorruptError', position: expect.any(Number) });
  });

  test('refuses a log that lacks a segment', async () => {
    const { disk, log } = await written(40);
    await log.close();
    const [, second = ''] = await segmentsOf(disk);
    await disk.mount().removeFile(`${DIRECTORY}/${second}`);

    await expect(openLog(disk)).rejects.toMatchObject({ name: 'LogCorruptError' });
  });

  test('does not read what was checkpointed in older segments', async () => {
    const { disk, log } = await written(40);
    const from = log.durableEnd;
    await log.close();
    const [first = ''] = await segmentsOf(disk);
    disk.damage(`${DIRECTORY}/${first}`, Buffer.from('not a segment'));

    expect((await openLog(disk, from)).lastCommitLsn).toBe('40');
  });

  test('tells how many segments it has read, of those that it reads', async () => {
    const { disk, log } = await written(40);
    await log.close();
    const told: (readonly [number, number])[] = [];
    const logRead = (done: number, of: number): void => void told.push([done, of]);

    const options = { directory: DIRECTORY, segmentBytesMax: 600, tailBytesMax: 400, from: START, durable: START, logRead };
    await openDiskLog({ disk: disk.mount(), standing, ...options });

    const { length } = await segmentsOf(disk);
    expect(told).toEqual(Array.from({ length }, (_, index) => [index, length]));
  });

  test('a segment of which nothing had arrived is gone for good, before the log grows over its beginning', async () => {
    const { disk, log } = await written(1);
    await log.close();
    const { length } = disk.content(`${DIRECTORY}/${(await segmentsOf(disk))[0] ?? ''}`);
    const path = `${DIRECTORY}/${String(length).padStart(16, '0')}.log`;
    await (await disk.mount().open(path, 'create')).close();
    await disk.mount().syncDirectory(DIRECTORY);
    const again = await openLog(disk);
    appendTransaction(again, 2, ['x'.repeat(40)]);
    await again.sync();

    expect([...(await leftBy([disk], 10))]).toEqual(['1,2']);
  });

  test('what was found is durable from then on, and so is the proof of it: it cannot vanish unseen', async () => {
    const { disk, log } = await written(1);
    const before = disk.content(`${DIRECTORY}/durable`);
    appendTransaction(log, 2, ['transaction 2']);
    await log.sync();
    disk.kill();
    disk.damage(`${DIRECTORY}/durable`, before); // A power cut may leave an old one.
    const { durableEnd } = await openLog(disk);
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    disk.kill();
    const path = `${DIRECTORY}/${(await segmentsOf(disk)).at(-1) ?? ''}`;
    disk.damage(path, disk.content(path).subarray(0, -3));

    await expect(openLog(disk)).rejects.toThrow(`it was durable up to ${durableEnd}`);
  });

  test('writes the tail again before it counts as durable', async () => {
    const { disk, log } = await written(1);
    appendTransaction(log, 2, ['written, and not synced']);
    disk.fail('sync', 'EIO');
    await log.sync().catch(() => {});
    disk.kill();
    const found = lsns(await readAll(await openLog(disk), 0)); // The kernel has the bytes, and counts them as clean.
    disk.crash(seededRandom(1));

    expect({ found, left: lsns(await readAll(await openLog(disk), 0)) }).toEqual({ found: ['1', '2'], left: ['1', '2'] });
  });
});

describe('any damage is an error or a shorter log, never another one', () => {
  const damages = fc.array(fc.record({ segment: fc.nat(), at: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }), {
    minLength: 1,
    maxLength: 3,
  });

  test('flipped bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), damages, fc.boolean(), async (count, flips, isClosed) => {
        const { disk, log } = await written(count);
        if (isClosed) await log.close();
        const names = await segmentsOf(disk);
        for (const { segment, at, flip } of flips) {
          const path = `${DIRECTORY}/${names[segment % names.length] ?? ''}`;
          const content = disk.content(path);
          disk.damage(path, flipped(content, at % content.length, flip));
        }
        expect(await outcomeOf(disk, count)).toMatch(/^(LogCorruptError|StorageVersionError|a prefix)$/);
      }),
      { numRuns: 300 },
    );
  });

  test('one flipped byte in what was durable is always found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.nat(), fc.nat(), async (count, segment, at) => {
        const { disk } = await written(count);
        const names = await segmentsOf(disk);
        const name = names[segment % names.length] ?? '';
        const content = disk.content(`${DIRECTORY}/${name}`);
        disk.damage(`${DIRECTORY}/${name}`, flipped(content, at % content.length));
        expect(await outcomeOf(disk, count)).toBe('LogCorruptError');
      }),
      { numRuns: 200 },
    );
  });

  test('segments of random bytes', async () => {
    const content = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 3 }), async (segments) => {
        const disk = new MemoryDisk();
        await disk.mount().makeDirectory(DIRECTORY);
        let first = 0;
        for (const segment of segments) {
          const path = `${DIRECTORY}/${String(first).padStart(16, '0')}.log`;
          await disk.mount().open(path, 'write');
          disk.damage(path, Buffer.from(segment));
          first += segment.length + 1;
        }
        expect(await outcomeOf(disk, 0)).toMatch(/^(LogCorruptError|StorageVersionError|a prefix)$/);
      }),
      { numRuns: 200 },
    );
  });

  test('a cut at any byte of the last segment is always found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.nat(), async (count, cut) => {
        const { disk } = await written(count);
        const path = `${DIRECTORY}/${(await segmentsOf(disk)).at(-1) ?? ''}`;
        const content = disk.content(path);
        disk.damage(path, content.subarray(0, cut % content.length));
        expect(await outcomeOf(disk, count)).toBe('LogCorruptError');
      }),
      { numRuns: 200 },
    );
  });
});

/** Opens a log that was damaged: the name of the refusal, or whether what it has left is a prefix of what was written. */
async function outcomeOf(disk: MemoryDisk, count: number): Promise<string> {
  try {
    const log = await openLog(disk);
    const block = await log.read({ after: START, through: log.durableEnd }, upTo(Number.MAX_SAFE_INTEGER));
    const found = transactionsOf(block).map(({ fragments }) => fragments.join());
    const expected = Array.from({ length: count }, (_, index) => `transaction ${index + 1}`);
    return JSON.stringify(found) === JSON.stringify(expected.slice(0, found.length)) ? 'a prefix' : `found ${found.join()}`;
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

function flipped(content: Buffer, at: number, flip = 0x40): Buffer {
  const damaged = Buffer.from(content);
  damaged[at] = (damaged[at] ?? 0) ^ flip;
  return damaged;
}
