/** The directory of another process: looked at while that lives, and taken over when it has gone; whatever is opened is somebody's. */
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { pause } from '../../../src/base/pause.ts';
import { CandidateWatch } from '../../../src/storage/disk/candidate.ts';
import type { DiskError } from '../../../src/storage/errors.ts';
import { openStorage, type StorageOptions } from '../../../src/storage/open-storage.ts';
import { standbyPort, type StandbyPortOptions, type TakenStorage } from '../../../src/storage/view/standby-port.ts';
import { StorageView } from '../../../src/storage/view/storage-view.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { snapshotOf } from '../../support/storage/stored-samples.ts';
import { MemoryDisk } from '../memory-disk.ts';

/** Of one machine, on which these processes live. */
function machine(memory: MemoryDisk) {
  const living = new Set<number>();
  const options = (pid: number): Required<Pick<StorageOptions, 'directory' | 'disk' | 'processes'>> & { clock: ManualClock } => {
    living.add(pid);
    const processes = { self: { host: 'here', pid, start: '' }, isAlive: (mark: { pid: number }) => living.has(mark.pid) };
    return { directory: '/data', clock: new ManualClock(), disk: memory.mount(), processes };
  };
  return { living, options };
}

async function whileTimeGoesOn<T>(clock: ManualClock, awaited: Promise<T>): Promise<T> {
  let isOver = false;
  void awaited.finally(() => (isOver = true));
  while (!isOver) {
    clock.advance(100);
    await pause(systemClock, 0);
  }
  return awaited;
}

const NOBODY_LEFT = { isLeft: false, mayFollow: () => false };

async function standingBy(memory = new MemoryDisk(), standing: Partial<StandbyPortOptions> = {}) {
  const { living, options } = machine(memory);
  const first = await openStorage(options(1));
  await snapshotOf(first.shapes.create(handleOf(1), shapeOf({})), ['"row"']);
  await first.shapes.checkpoint();
  const storage = options(2);
  const view = new StorageView(storage.disk, '/data', storage.clock);
  const taken: TakenStorage[] = [];
  const ended: string[] = [];
  const watch = { grown() {}, ended: (handle: string) => void ended.push(handle) };
  const unsigned: string[] = [];
  const told = { held() {}, opening() {}, unsigned: ({ code }: DiskError) => void unsigned.push(code) };
  const port = await openPort(standbyPort({
    storage, view, watch, ...told, ...NOBODY_LEFT, ...standing, ended: (outcome) => void taken.push(outcome),
  }));
  const candidates = new CandidateWatch(memory.mount(), '/data', storage.clock);
  return { memory, first, view, port, taken, ended, unsigned, candidates, living, options, clock: storage.clock };
}

test('while the other one lives it is held, and shows what that has stored', async () => {
  const { first, port, view, taken } = await standingBy();

  const asked = [await port.ask({ type: 'take' }), await port.ask({ type: 'look' })];
  await port.close();
  await first.close();

  expect({ asked, found: view.find(shapeOf({})), taken }).toEqual({
    asked: [{ type: 'storage.held', host: 'here', pid: 1 }, { type: 'storage.seen', count: 1 }],
    found: handleOf(1),
    taken: [],
  });
});

test.each([
  ['stopped', async ({ first }: Awaited<ReturnType<typeof standingBy>>) => first.close()],
  ['killed', async ({ living }: Awaited<ReturnType<typeof standingBy>>) => void living.delete(1)],
])('when the other one is %s it is taken over, behind a last look', async (_, end) => {
  const standby = await standingBy();
  const { first, port, taken, ended } = standby;
  await port.ask({ type: 'look' });
  first.shapes.delete(handleOf(1), 'test');
  await first.shapes.checkpoint();
  await end(standby);

  const told = await port.ask({ type: 'take' });
  const [outcome] = taken;
  const shapes = outcome !== undefined && 'storage' in outcome ? [...outcome.storage.shapes.all()] : undefined;
  if (outcome !== undefined && 'storage' in outcome) await outcome.storage.close();

  expect({ told, shapes, ended }).toEqual({ told: { type: 'storage.taken' }, shapes: [], ended: [handleOf(1)] });
});

test('a directory that another version has written into meanwhile is refused, with its sentence', async () => {
  const { memory, first, port, taken } = await standingBy();
  await first.close();
  const format = await memory.mount().open('/data/format', 'write');
  await format.overwrite(0, Buffer.from('9'));

  expect([await port.ask({ type: 'take' }), taken]).toEqual([
    { type: 'storage.refused' },
    [{ failure: expect.objectContaining({ name: 'StorageVersionError' }) }],
  ]);
});

test.each(['list', 'open', 'read'])('a disk that refuses to %s is asked again: nothing is over', async (operation) => {
  const { memory, first, port, taken, clock } = await standingBy();

  memory.fail(operation, 'ESTALE');
  const held = await port.ask({ type: 'take' });
  memory.heal();
  await first.close();
  memory.fail(operation, 'EIO');
  const left = await port.ask({ type: 'take' });
  const refused = taken.length;
  memory.heal();
  const told = await whileTimeGoesOn(clock, port.ask({ type: 'take' })); // Its own lock may be left: a sign of life of that is waited for.
  for (const outcome of taken) if ('storage' in outcome) await outcome.storage.close();

  expect([held, left, refused, told]).toEqual([
    { type: 'storage.unseen', error: { code: 'ESTALE', message: expect.stringContaining('ESTALE') } },
    { type: 'storage.unseen', error: { code: 'EIO', message: expect.stringContaining('EIO') } },
    0,
    { type: 'storage.taken' },
  ]);
});

test('of two that stand by, one gets the directory, and the other one stands by for that', async () => {
  const memory = new MemoryDisk();
  const { first, options } = await standingBy(memory);
  const taken: TakenStorage[] = [];
  const ports = await Promise.all([2, 3].map((pid) => {
    const storage = options(pid);
    const view = new StorageView(storage.disk, '/data', storage.clock);
    const watch = { grown() {}, ended() {} };
    const told = { held() {}, opening() {}, unsigned() {}, ended: (outcome: TakenStorage) => void taken.push(outcome) };
    return openPort(standbyPort({ storage, view, watch, ...told, ...NOBODY_LEFT }));
  }));
  await first.close();

  const told = await Promise.all(ports.map((port) => port.ask({ type: 'take' })));
  for (const outcome of taken) if ('storage' in outcome) await outcome.storage.close();

  expect([told.map(({ type }) => type).sort(), taken.length]).toEqual([['storage.held', 'storage.taken'], 1]);
});

test('a port that is closed while it opens the directory hands it over first', async () => {
  const { first, port, taken } = await standingBy();
  await first.close();

  const asked = port.ask({ type: 'take' });
  await port.close();
  const handedOver = taken.length;
  await asked;
  for (const outcome of taken) if ('storage' in outcome) await outcome.storage.close();

  expect(handedOver).toBe(1);
});

test('one that may follow the database gives a sign each second, as long as that is so', async () => {
  let mayFollow = true;
  const { memory, first, port, candidates, clock } = await standingBy(new MemoryDisk(), { mayFollow: () => mayFollow });
  const seen: unknown[] = [];
  for (let ms = 0; ms < 3_000; ms += 500) {
    await port.ask({ type: 'take' });
    seen.push((await candidates.look())?.pid);
    clock.advance(500);
  }
  mayFollow = false;
  await port.ask({ type: 'take' });
  const left = (await memory.mount().list('/data')).includes('candidate');
  await port.close();
  await first.close();

  expect([seen, left]).toEqual([[undefined, undefined, 2, undefined, 2, undefined], false]);
});

test('one that cannot write its sign says so, and stands by', async () => {
  const memory = new MemoryDisk();
  const { first, port, unsigned } = await standingBy(memory, { mayFollow: () => true });

  memory.fail('truncate', 'EROFS');
  const told = await port.ask({ type: 'take' });
  memory.heal();
  await port.close();
  await first.close();

  expect([told, unsigned]).toEqual([{ type: 'storage.held', host: 'here', pid: 1 }, ['EROFS']]);
});

test('who has left the storage leaves it to others until one has it, or for ten seconds', async () => {
  const { first, port, living, clock, taken } = await standingBy(new MemoryDisk(), { isLeft: true });
  living.delete(1);

  const offered = await port.ask({ type: 'take' });
  clock.advance(10_000);
  const told = await port.ask({ type: 'take' });
  for (const outcome of taken) if ('storage' in outcome) await outcome.storage.close();
  await first.log.close();

  expect([offered, told]).toEqual([{ type: 'storage.offered' }, { type: 'storage.taken' }]);
});

test('who has left the storage takes it at once when the other one has had it and is gone', async () => {
  const { first, port, living, taken } = await standingBy(new MemoryDisk(), { isLeft: true });
  const held = await port.ask({ type: 'take' });
  living.delete(1);

  const told = await port.ask({ type: 'take' });
  for (const outcome of taken) if ('storage' in outcome) await outcome.storage.close();
  await first.log.close();

  expect([held.type, told]).toEqual(['storage.held', { type: 'storage.taken' }]);
});
