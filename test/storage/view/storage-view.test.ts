/** What is seen of a storage in which another process works: what its last checkpoint counts, in the same bytes, and never less. */
import { expect, test } from 'vitest';
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../../../src/model/log-offset.ts';
import type { Disk, DiskFile, OpenMode } from '../../../src/storage/disk/disk.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { StorageView } from '../../../src/storage/view/storage-view.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { bodyOf, bytes, pgSnapshot, snapshotOf } from '../../support/storage/stored-samples.ts';
import { CompactingWorld } from '../compaction/compacting-world.ts';

type Log = Pick<NonNullable<ReturnType<StorageView['get']>>, 'read' | 'end'>;

const ONE = handleOf(1);

/** At each look, to see that the file is the same. */
const ASIDE_BYTES = 1_100;

/** Counts what is read of checkpoints. */
function countingReads(disk: Disk, read: { bytes: number }): Disk {
  return Object.assign(Object.create(disk) as Disk, {
    async open(path: string, mode: OpenMode): Promise<DiskFile> {
      const file = await disk.open(path, mode);
      if (!path.endsWith('.checkpoint')) return file;
      const counted = async (at: number, length: number): Promise<Uint8Array> => {
        const bytes = await file.read(at, length);
        read.bytes += bytes.length;
        return bytes;
      };
      return Object.assign(Object.create(file) as DiskFile, { read: counted });
    },
  });
}

function checkpointBytes({ disk }: CompactingWorld): number {
  return disk.files.filter((path) => path.endsWith('.checkpoint')).reduce((sum, path) => sum + disk.content(path).length, 0);
}

function viewOf(world: CompactingWorld, disk = world.disk.mount()) {
  const told: string[] = [];
  const view = new StorageView(disk, '/data', new ManualClock());
  const watch = {
    grown: (handle: string, end: LogOffset) => void told.push(`${handle} to ${end}`),
    ended: (handle: string) => void told.push(`${handle} ended`),
  };
  return { view, told, look: () => view.look(watch) };
}

/** From the first row to where it ends by now. */
async function wholeOf(log: Log | undefined, begin: LogOffset = BEFORE_ALL): Promise<string> {
  let whole = '';
  for (let at = begin; log !== undefined; ) {
    const read = await bodyOf(log.read(at));
    if (!('body' in read)) return `${whole} ${read.outcome}`;
    whole += `${whole === '' || read.body === '' ? '' : ','}${read.body}`;
    at = read.end as LogOffset;
    if (read.upToDate) return whole;
  }
  return 'no log';
}

const update = (world: CompactingWorld, text: string) => world.append([{ do: 'update', key: 'a', value: { x: text } }]);

test('shows what a checkpoint counts, as the other process serves it, and what comes with the next one', async () => {
  const world = await CompactingWorld.begin(100_000);
  const { view, told, look } = viewOf(world);
  await look();
  const before = view.get(ONE);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  await world.take('checkpoint');
  update(world, 'not counted yet');

  await look();
  const seen = [view.get(ONE)?.end, await wholeOf(view.get(ONE))];
  await world.take('checkpoint');
  await look();

  expect({ before, told, seen, then: await wholeOf(view.get(ONE)), found: view.find(shapeOf({})) }).toEqual({
    before: undefined,
    told: [`${ONE} to 10_0`, `${ONE} to 20_0`],
    seen: ['10_0', expect.stringContaining('"operation":"insert"')],
    then: await wholeOf(world.shape),
    found: ONE,
  });
});

test('a log that is compacted, again and again, is served from any place where a reader has stood', async () => {
  const world = await CompactingWorld.begin(600);
  const { view, look } = viewOf(world);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  const stood: LogOffset[] = [];
  const differences: string[] = [];

  for (let round = 0; round < 30; round += 1) {
    for (let time = 0; time < 5; time += 1) update(world, `${round}.${time}`);
    await world.take('checkpoint');
    await world.settle();
    await look();
    const log = view.get(ONE);
    if (log !== undefined && !stood.every((place) => compareOffsets(place, log.end) <= 0)) differences.push(`${round}: it went back`);
    stood.push(log?.end ?? BEFORE_ALL);
    for (const place of [BEFORE_ALL, ...stood]) {
      const [seen, served] = [await wholeOf(log, place), await wholeOf(world.shape, place)];
      if (seen !== served) differences.push(`${round}: from ${place}`);
    }
  }

  expect({ differences, compactions: world.compactions > 3 }).toEqual({ differences: [], compactions: true });
});

test('a shape that ends is told of once, and one of the same definition takes its place', async () => {
  const world = await CompactingWorld.begin();
  const { view, told, look } = viewOf(world);
  await world.take('checkpoint');
  await look();

  world.now.shapes.delete(ONE, 'test');
  await snapshotOf(world.now.shapes.create(handleOf(2), shapeOf({})), ['"row"']);
  await world.now.shapes.checkpoint();
  await look();
  await look();

  expect({ told: told.slice(1), gone: [view.get(ONE), view.definitionOf(ONE)], found: view.find(shapeOf({})), count: view.count }).toEqual({
    told: [`${ONE} ended`, `${handleOf(2)} to 0_inf`],
    gone: [undefined, undefined],
    found: handleOf(2),
    count: 1,
  });
});

test('neither a shape whose rows have yet to come, nor one that nobody has asked for, is found', async () => {
  const world = await CompactingWorld.begin();
  const { view, look } = viewOf(world);
  const [unfinished, inner] = [shapeOf({ columns: ['id'] }), shapeOf({ columns: ['id', 'list'] })];
  await world.now.shapes.create(handleOf(2), unfinished).beginSnapshot(pgSnapshot).write([bytes('"half"')]);
  await snapshotOf(world.now.shapes.create(handleOf(3), inner, [], true), ['"row"']);
  await world.take('checkpoint');

  await look();

  expect({ found: [view.find(unfinished), view.get(handleOf(2)), view.find(inner)], inner: await wholeOf(view.get(handleOf(3))) }).toEqual({
    found: [undefined, undefined, undefined],
    inner: expect.stringContaining('"row"'),
  });
});

test('goes on over generations of checkpoints, whose every byte it reads once', async () => {
  const world = await CompactingWorld.begin(100_000);
  const read = { bytes: 0 };
  const { view, look } = viewOf(world, countingReads(world.disk.mount(), read));
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  let looks = 0;
  let written = 0;
  for (let round = 0; round < 3; round += 1) {
    for (let time = 0; time < 5; time += 1) {
      update(world, `${round}.${time}`);
      await world.take('checkpoint');
      await look();
      looks += 1;
    }
    written += checkpointBytes(world);
    await world.take('restart'); // The next one is of another process: a generation of its own.
  }
  const before = world.disk.asked.looks;
  await look();

  const idle = world.disk.asked.looks - before;
  expect({ whole: await wholeOf(view.get(ONE)), idle: idle < 10, again: read.bytes - written <= looks * ASIDE_BYTES }).toEqual({
    whole: await wholeOf(world.shape), idle: true, again: true,
  });
});

test('whichever operation of a look the disk refuses, the next look shows all', async () => {
  const world = await CompactingWorld.begin(100_000);
  const { view, told, look } = viewOf(world);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  const shown: unknown[] = [];
  const refused: unknown[] = [];
  for (let operation = 0; operation < 7; operation += 1) {
    const [leaving, definition] = [handleOf(10 + operation), shapeOf({ columns: ['id', `a${operation}`] })];
    await snapshotOf(world.now.shapes.create(leaving, definition), ['"row"']);
    await world.take('checkpoint');
    await look();
    update(world, `${operation}`);
    world.now.shapes.delete(leaving, 'test');
    await world.take('checkpoint');
    world.disk.refuse({ of: 'looks', from: world.disk.asked.looks + operation, count: 1, code: 'EIO' });
    refused.push(await look().then(() => 'none', ({ code }: { code: string }) => code));
    world.disk.heal();
    await look();
    shown.push([await wholeOf(view.get(ONE)) === (await wholeOf(world.shape)), view.get(leaving), told.includes(`${leaving} ended`)]);
  }

  expect({ shown, refused: refused.filter((code) => code === 'EIO').length >= 4 }).toEqual({
    shown: shown.map(() => [true, undefined, true]), refused: true,
  });
});

test.each([
  ['a shorter file', 1],
  ['a longer file', 40],
])('a directory that was emptied, and has a first generation of others again, in %s, is seen for what it is', async (_, count) => {
  const world = await CompactingWorld.begin(100_000);
  const { view, told, look } = viewOf(world);
  for (let index = 0; index < 10; index += 1) {
    await snapshotOf(world.now.shapes.create(handleOf(10 + index), shapeOf({ columns: ['id', `a${index}`] })), ['"row"']);
  }
  await world.take('checkpoint');
  await look();
  await world.now.close();
  for (const path of world.disk.files) world.disk.lose(path);
  const fresh = await openStorage({ directory: '/data', disk: world.disk.mount(), clock: new ManualClock() });
  for (let index = 0; index < count; index += 1) {
    await snapshotOf(fresh.shapes.create(handleOf(100 + index), shapeOf({ columns: ['id', `b${index}`] })), ['"row"']);
  }
  await fresh.shapes.checkpoint();

  await look();
  await fresh.close();

  expect({ count: view.count, ended: told.filter((text) => text.endsWith('ended')).length }).toEqual({ count, ended: 11 });
});

test('a directory that a newer version has gone on with shows nothing any more', async () => {
  const world = await CompactingWorld.begin(100_000);
  const { view, told, look } = viewOf(world);
  await world.take('checkpoint');
  await look();
  await world.take('restart');
  await world.take('checkpoint');
  world.disk.putBack('/data/format', Buffer.from('9\n'));

  const looked = await look().catch(String);

  expect({ looked, count: view.count, told: told.slice(1), found: view.find(shapeOf({})) }).toEqual({
    looked: expect.stringContaining('has format 9'), count: 0, told: [`${ONE} ended`], found: undefined,
  });
});

test('a shape that the other process ends while it is read was replaced, and is not damaged', async () => {
  const world = await CompactingWorld.begin(100_000);
  const { view, look } = viewOf(world);
  world.append([{ do: 'insert', key: 'a', value: { x: '0' } }]);
  await world.take('checkpoint');
  await look();
  const log = view.get(ONE);
  for (const path of world.disk.files) if (path.includes(ONE)) world.disk.lose(path);

  expect(await wholeOf(log).catch((error: Error) => error.name)).toBe('ShapeReplacedError');
});
