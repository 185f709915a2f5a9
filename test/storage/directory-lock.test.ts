/** Who may work in a storage directory: one process, whatever is left there, whoever else comes at the same moment. */
import fc from 'fast-check';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import {
  BEAT_MS, heldBy, LEASE_MS, lockDirectory, seeLock, SILENCE_MS, type AwaitedLock, type DirectoryLock,
} from '../../src/storage/disk/directory-lock.ts';
import { nodeDisk, type Disk } from '../../src/storage/disk/disk.ts';
import { heldDisk } from '../../src/storage/disk/held-disk.ts';
import { LockFiles, lockText } from '../../src/storage/disk/lock-files.ts';
import { systemProcesses, type ProcessMark, type Processes } from '../../src/storage/disk/processes.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';
import { MemoryDisk } from './memory-disk.ts';

/** Of a silent one: until that is sure, and until nobody writes any longer. */
const TAKING_MS = SILENCE_MS + LEASE_MS + BEAT_MS;

const mark = (pid: number, place = 'here'): ProcessMark => ({ host: `host-of-${place}`, pid, start: `${pid}00`, place });

/** A machine on which these processes live. */
function machine(pid: number, living: ReadonlySet<number>, place = 'here'): Processes {
  return { self: mark(pid, place), isAlive: (other) => (other.place === place ? living.has(other.pid) : undefined) };
}

class Directory {
  readonly memory = new MemoryDisk();
  readonly disk = this.memory.mount();
  readonly living = new Set<number>();

  async made(): Promise<this> {
    await this.disk.makeDirectory('/data');
    return this;
  }

  lock(pid: number, clock = new ManualClock(), place?: string): Promise<DirectoryLock> {
    this.living.add(pid);
    return lockDirectory(this.disk, '/data', machine(pid, this.living, place), clock);
  }

  async leave(name: string, text: string): Promise<void> {
    const file = await this.disk.open(`/data/${name}`, 'create');
    await file.append(Buffer.from(text));
    await file.close();
  }

  /** The holder of the first lock gives a sign of life. */
  beat(pid: number, place: string, count: number): Promise<void> {
    return new LockFiles(this.disk, '/data').overwrite(1, lockText(mark(pid, place), count));
  }

  get locks(): readonly string[] {
    return this.memory.files.filter((path) => path.startsWith('/data/lock'));
  }
}

/** What came of it, in a word, or the sentence. */
async function outcome(locking: Promise<DirectoryLock>): Promise<string> {
  return locking.then(({ note }) => note ?? 'held', (error: Error) => `${error.name}: ${error.message}`);
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** Time passes in steps, and what it begins goes on in between. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    clock.advance(250);
    await turns(60);
  }
}

/** For as long as something goes on. */
async function passUntil(clock: ManualClock, settled: Promise<unknown>): Promise<void> {
  let isOver = false;
  const end = (): void => void (isOver = true);
  settled.then(end, end);
  while (!isOver) await pass(clock, 250);
}

test('the lock of a living process is respected, and given back by a release', async () => {
  const directory = await new Directory().made();
  const first = await directory.lock(1);
  const second = await outcome(directory.lock(2));
  await first.release();
  const third = await outcome(directory.lock(3));

  const says = 'The storage directory /data is in use by process 1. Stop that process, or give this one a directory of its own.';
  expect({ second, third }).toEqual({
    second: `StorageLockedError: ${says}`,
    third: 'held',
  });
});

test('a lock that was given back gives no sign of life any more', async () => {
  const directory = await new Directory().made();
  const clock = new ManualClock();
  const lock = await directory.lock(1, clock);
  await pass(clock, BEAT_MS);
  const beating = clock.pendingTimers;
  await lock.release();

  expect([beating, clock.pendingTimers, directory.locks]).toEqual([1, 0, []]);
});

test.each([
  ['of a process that is dead', 'lock.7', JSON.stringify(mark(9))],
  ['that is empty', 'lock.7', ''],
  ['that was written in part', 'lock.7', '{"host":"host-of-he'],
  ['with zeroes', 'lock.7', '\0'.repeat(80)],
  ['of an older version, whose process is dead', 'lock', JSON.stringify({ host: 'here', pid: 9, start: '900' })],
])('a lock %s is taken over at once', async (_, name, text) => {
  const directory = await new Directory().made();
  await directory.leave(name, text);
  const processes = { self: mark(1), isAlive: () => false };

  const held = await outcome(lockDirectory(directory.disk, '/data', processes, new ManualClock()));

  expect({ held, locks: directory.locks }).toEqual({ held: 'held', locks: [name === 'lock' ? '/data/lock.1' : '/data/lock.8'] });
});

test('of processes that come at the same moment one gets the lock, wherever they run, in every order of their steps', async () => {
  const left = fc.constantFrom(undefined, '', '{"ho', JSON.stringify(mark(99)), JSON.stringify(mark(98, 'a container that is no more')));
  await fc.assert(
    fc.asyncProperty(left, fc.integer({ min: 2, max: 5 }), fc.integer({ min: 1, max: 3 }), fc.nat(), async (text, count, places, seed) => {
      const directory = await new Directory().made();
      if (text !== undefined) await directory.leave('lock.3', text);
      const random = seededRandom(seed);
      const pids = Array.from({ length: count }, (_, index) => index + 1);
      for (const pid of pids) directory.living.add(pid);
      const disk = slowed(directory.disk, random);
      const clock = new ManualClock();
      const locking = pids.map((pid) => {
        const place = `container ${random.below(places)}`;
        return lockDirectory(disk, '/data', machine(pid, directory.living, place), clock);
      });
      await passUntil(clock, Promise.allSettled(locking));
      const outcomes = (await Promise.all(locking.map(outcome))).map((each) => each.split(':')[0]);

      const isHeld = (each: string | undefined) => each === 'held' || each?.endsWith('was taken over') === true;
      expect({ held: outcomes.filter(isHeld).length, locks: directory.locks.length }).toEqual({ held: 1, locks: 1 });
      expect(outcomes.filter((each) => each === 'StorageLockedError')).toHaveLength(count - 1);
    }),
    { numRuns: 100 },
  );
});

/** Before each operation it waits a few turns, each time other ones. */
function slowed(disk: Disk, random: { below(bound: number): number }): Disk {
  const later = async <T>(action: () => Promise<T>): Promise<T> => {
    await turns(random.below(12));
    return action();
  };
  return {
    ...disk,
    list: (path) => later(() => disk.list(path)),
    removeFile: (path) => later(() => disk.removeFile(path)),
    open: (path, mode) => later(async () => {
      const file = await disk.open(path, mode);
      await turns(random.below(12));
      return file;
    }),
  };
}

test('the lock of a holder that cannot be looked at stands while it gives signs of life, and is taken over without', async () => {
  const directory = await new Directory().made();
  const [there, here] = [new ManualClock(), new ManualClock()];
  await directory.lock(1, there, 'another container');
  const respected = outcome(directory.lock(2, here));
  for (const clock of [here, there, here, here]) await pass(clock, BEAT_MS);
  const taken = outcome(directory.lock(3, here));
  await pass(here, TAKING_MS);

  expect([await respected, await taken]).toEqual([
    expect.stringMatching(/^StorageLockedError: .+ is in use by process 1 on host-of-another container\. Stop that process/),
    expect.stringMatching(/^The lock of process 1 on host-of-another container was taken over: .+ no sign of life for 10 s\./),
  ]);
});

test('who was held up for so long that another one took over writes nothing more', async () => {
  const directory = await new Directory().made();
  const [there, here] = [new ManualClock(), new ManualClock()];
  const first = await directory.lock(1, there, 'a machine that sleeps');
  const disk = heldDisk(directory.disk, first);
  const file = await disk.open('/data/file', 'create');
  const taking = directory.lock(2, here);
  await pass(here, TAKING_MS);
  const second = await taking;
  there.advance(LEASE_MS + 1);

  const changes = [file.append(Buffer.from('late')), disk.removeFile('/data/file'), disk.open('/data/new', 'write')];
  const attempts = await Promise.allSettled<unknown>(changes);

  await first.release();
  const reasons = attempts.map((attempt) => attempt.status === 'rejected' && (attempt.reason as Error).name);
  expect({ reasons, files: directory.memory.files, held: second.confirm() }).toEqual({
    reasons: ['StorageTakenError', 'StorageTakenError', 'StorageTakenError'],
    files: ['/data/file', '/data/lock.2'],
    held: undefined,
  });
});

test('each change of what is in the directory asks first whether it is still ours; who looks, or closes, need not', async () => {
  const { disk } = await new Directory().made();
  let asked = 0;
  const held = heldDisk(disk, { confirm: () => void (asked += 1) });
  const file = await held.open('/data/file', 'write');
  const steps: readonly (() => Promise<unknown>)[] = [
    () => held.makeDirectory('/data/more'), () => held.open('/data/other', 'create'), () => file.append(Buffer.from('some')),
    () => file.overwrite(0, Buffer.from('S')), () => file.truncate(1), () => held.rename('/data/other', '/data/moved'),
    () => held.removeFile('/data/moved'), () => held.list('/data'), () => held.open('/data/file', 'read'), () => file.read(0, 1),
    () => file.sync(), () => held.syncDirectory('/data'), () => file.close(),
  ];
  const counts: number[] = [];
  for (const step of steps) {
    asked = 0;
    await step();
    counts.push(asked);
  }

  expect(counts).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
});

test('a holder that stirs when its lock was about to be taken over keeps it', async () => {
  const directory = await new Directory().made();
  await directory.lock(1, new ManualClock(), 'a machine that sleeps');
  const clock = new ManualClock();
  const { disk } = directory;
  const stirring: Disk = {
    ...disk,
    list: (path) => disk.list(path),
    removeFile: (path) => disk.removeFile(path),
    async open(path, mode) {
      if (mode === 'create') await directory.beat(1, 'a machine that sleeps', 7);
      return await disk.open(path, mode);
    },
  };
  const taking = outcome(lockDirectory(stirring, '/data', machine(2, new Set([2])), clock));
  await pass(clock, SILENCE_MS + BEAT_MS);
  const { locks } = directory;
  await directory.beat(1, 'a machine that sleeps', 8);
  await pass(clock, BEAT_MS);

  expect({ locks, taking: await taking }).toEqual({ locks: ['/data/lock.1'], taking: expect.stringMatching(/^StorageLockedError/) });
});

test('who was held up, and finds its lock as it left it, goes on', async () => {
  const directory = await new Directory().made();
  const clock = new ManualClock();
  const disk = heldDisk(directory.disk, await directory.lock(1, clock));
  clock.advance(10 * LEASE_MS);

  const file = await disk.open('/data/file', 'create');
  await file.append(Buffer.from('written'));

  expect(directory.memory.content('/data/file').toString()).toBe('written');
});

test.each([
  ['slept for long, which its own clock does not count', 10 * LEASE_MS],
  ['has a clock that was set back', -1_000],
])('a holder whose machine %s asks before it writes, and writes nothing into what belongs to another one', async (_, sleptMs) => {
  const directory = await new Directory().made();
  const [there, here] = [new ManualClock(), new ManualClock()];
  const first = await directory.lock(1, there, 'a machine that sleeps');
  const disk = heldDisk(directory.disk, first);
  const taking = directory.lock(2, here);
  await pass(here, TAKING_MS);
  await taking;
  there.sleep(sleptMs);

  await expect(disk.open('/data/new', 'write')).rejects.toThrow('belongs to this process no more');
  expect(directory.memory.files).toEqual(['/data/lock.2']);
});

test('whoever waits to see whether a holder lives is told of whom, and for how long at the most', async () => {
  const directory = await new Directory().made();
  await directory.lock(1, new ManualClock(), 'another container');
  const clock = new ManualClock();
  const told: AwaitedLock[] = [];
  const taking = lockDirectory(directory.disk, '/data', machine(2, new Set([2])), clock, (lock) => told.push(lock));
  await turns(50);
  const toldAtOnce = [...told];
  await pass(clock, TAKING_MS);
  await taking;

  const { host, pid } = mark(1, 'another container');
  expect([toldAtOnce, told]).toEqual([[{ host, pid, forMs: SILENCE_MS + LEASE_MS }], toldAtOnce]);
});

test('a lock that cannot be written leaves nothing behind', async () => {
  const directory = await new Directory().made();
  directory.memory.fail('write', 'ENOSPC');
  const refused = await outcome(directory.lock(1));

  expect({ refused, locks: directory.locks }).toEqual({ refused: 'DiskError: cannot write /data/lock.1: ENOSPC', locks: [] });
});

test('a process of this machine is known by its start, its pid alone says nothing', () => {
  const { self } = systemProcesses;
  const ended = spawnSync('true').pid;

  expect([
    systemProcesses.isAlive(self),
    systemProcesses.isAlive({ ...self, start: '1' }),
    systemProcesses.isAlive({ ...self, pid: ended }),
    systemProcesses.isAlive({ ...self, place: 'another boot' }),
    systemProcesses.isAlive({ ...self, start: '' }),
    systemProcesses.isAlive({ host: hostname(), pid: self.pid, start: self.start }),
    systemProcesses.isAlive({ host: 'another', pid: self.pid, start: self.start }),
  ]).toEqual([true, false, false, undefined, undefined, true, undefined]);
});

test('a process that has ended, and that nobody has asked how, lives no more', async () => {
  const parent = spawn('sh', ['-c', 'exec 3<&0; read line <&3 & echo $!; exec sleep 60']);
  const [told] = (await once(parent.stdout, 'data')) as [Buffer];
  const ended = Number(told.toString());
  await expect.poll(() => readFileSync(`/proc/${String(parent.pid)}/comm`, 'latin1')).toBe('sleep\n'); // Which asks nobody.
  parent.stdin.write('\n');
  await expect.poll(() => readFileSync(`/proc/${ended}/stat`, 'latin1')).toContain(') Z ');
  const { self } = systemProcesses;
  const found = ['', '1'].map((start) => systemProcesses.isAlive({ ...self, pid: ended, start }));
  parent.kill();

  expect(found).toEqual([false, false]);
});

test.each([
  ['alive', true, 'in use by process 1 on host-of-here'],
  ['dead', false, 'in use by nobody (process 1 on host-of-here left its lock when it was killed)'],
  ['unknown', undefined, 'in use by process 1 on host-of-here, if that still runs'],
])('who only looks is told that its holder is %s', async (standing, isAlive, text) => {
  const directory = await new Directory().made();
  await directory.lock(1);

  const seen = await seeLock(directory.disk, '/data', { self: mark(2), isAlive: () => isAlive });

  expect([seen?.standing, heldBy(seen), heldBy(undefined)]).toEqual([standing, text, 'in use by nobody']);
});

test('on the real disk one of twenty that come at the same moment gets the lock', async () => {
  const directory = temporaryDirectory();
  const living = new Set(Array.from({ length: 20 }, (_, index) => index + 1));
  const lockings = [...living].map((pid) => lockDirectory(nodeDisk, directory, machine(pid, living), new ManualClock()));

  const outcomes = await Promise.all(lockings.map(outcome));

  removeDirectory(directory);
  expect(outcomes.filter((each) => each === 'held')).toHaveLength(1);
});
