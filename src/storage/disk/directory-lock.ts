/**
 * DirectoryLock: one process at a time in a storage directory. The lock is a file that names its holder; a holder that was killed leaves it
 * behind, so the lock of a process that lives no longer is taken over.
 *
 * Whether it lives is asked of the operating system, where that can know. Of a process on another machine, in another container, or from
 * before this machine was started it knows nothing, whatever its name and pid: so a holder gives a sign of life from time to time, and its
 * lock is taken over when none has come for long. One that was held up for so long itself finds that out before it writes (`confirm`).
 *
 * That is as sure as its clocks. The one for durations stands still while a machine sleeps, the one on the wall may be set: so where either
 * of them says that it was long, the holder asks. A virtual machine that was held still, with all its clocks, asks only with its next sign
 * of life, two seconds later at the most; and what the system had accepted of a holder before it slept may still be done behind that.
 */
import type { Clock, TimerId } from '../../base/clock.ts';
import type { Disk } from './disk.ts';
import { StorageLockedError, StorageTakenError } from '../errors.ts';
import { isSameProcess, LockFiles, lockText, type FoundLock } from './lock-files.ts';
import type { ProcessMark, Processes } from './processes.ts';

export interface DirectoryLock {
  /** What had to be believed to take it, a sentence; undefined when everything was known. */
  readonly note: string | undefined;
  /**
   * Asked before each write. Undefined while it is certain that the directory is ours; else it becomes certain, or rejects.
   *
   * @throws {StorageTakenError} another process has it.
   */
  confirm(): Promise<void> | undefined;
  /** Gives it back, if it is still ours. */
  release(): Promise<void>;
}

/** How often the holder gives a sign of life. */
export const BEAT_MS = 2_000;
/** So long after its last sign a holder asks before it writes. */
export const LEASE_MS = 6_000;
/** So long nothing may be seen of a holder before its lock is taken over. */
export const SILENCE_MS = 10_000;
const LOOK_EVERY_MS = 500;
/** Whoever makes a lock is done with it within a few operations of the disk: so many looks, one right behind the other, see that. */
const LOOKS_MAX = 20;
const ATTEMPTS_MAX = 100;

/** A holder that cannot be looked at: whether it lives is seen by a sign of life, or by none. */
export interface AwaitedLock {
  readonly host: string;
  readonly pid: number;
  /** For so long, at the most, until the directory is ours. */
  readonly forMs: number;
}

/**
 * @param awaited told when it must be waited for whether a holder lives.
 * @throws {StorageLockedError} a process that lives holds the lock.
 * @throws {StorageTakenError} it was taken over, and somebody took it over from us at once.
 */
export async function lockDirectory(
  disk: Disk,
  directory: string,
  processes: Processes,
  clock: Clock,
  awaited: (lock: AwaitedLock) => void = () => {},
): Promise<DirectoryLock> {
  const files = new LockFiles(disk, directory);
  const watch = new LockWatch(files, processes, clock, awaited);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const { numbers, left, alive } = await watch.look();
    if (alive !== undefined) throw lockedBy(directory, alive, processes);
    if (left === undefined) continue;
    const number = (numbers.at(-1) ?? 0) + 1;
    if (!(await files.create(number, lockText(processes.self, 0)))) continue; // Another one was faster.
    if (await watch.isSettled(number, left)) return await held(new HeldLock(files, directory, number, processes.self, clock, left[0]));
    await files.remove(number);
  }
  throw new StorageLockedError(directory, (await files.highest())?.mark?.pid ?? 0);
}

/** A holder that was silent may come to itself, and may have found its lock as it was a moment before: so long it writes. */
async function held(lock: HeldLock): Promise<DirectoryLock> {
  if (lock.note === undefined) return lock;
  await lock.untilLeaseIsOver();
  try {
    await lock.confirm();
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Who holds the lock of a directory, for who only looks. */
export interface SeenLock {
  readonly host: string;
  readonly pid: number;
  /** `unknown`: nothing can be found out about that process from here. */
  readonly standing: 'alive' | 'dead' | 'unknown';
}

/** @returns undefined when nobody has the lock, or none that can be read. */
export async function seeLock(disk: Disk, directory: string, processes: Processes): Promise<SeenLock | undefined> {
  const mark = (await new LockFiles(disk, directory).highest())?.mark;
  if (mark === undefined) return undefined;
  const { host, pid } = mark;
  const isAlive = processes.isAlive(mark);
  return { host, pid, standing: isAlive === undefined ? 'unknown' : isAlive ? 'alive' : 'dead' };
}

/** The same as a part of a sentence. */
export function heldBy(lock: SeenLock | undefined): string {
  if (lock === undefined) return 'in use by nobody';
  const { host, pid, standing } = lock;
  if (standing === 'dead') return `in use by nobody (process ${pid} on ${host} left its lock when it was killed)`;
  return `in use by process ${pid} on ${host}${standing === 'alive' ? '' : ', if that still runs'}`;
}

/** What was found of all locks that there are. */
interface Look {
  readonly numbers: readonly number[];
  /** The highest of those that live. */
  readonly alive?: FoundLock | undefined;
  /** Those that are silent, the highest first; undefined when one went meanwhile. */
  readonly left?: readonly FoundLock[] | undefined;
}

class LockWatch {
  constructor(
    private readonly files: LockFiles,
    private readonly processes: Processes,
    private readonly clock: Clock,
    private readonly awaited: (lock: AwaitedLock) => void,
  ) {}

  /** At each, also at those below: whoever took over may have been killed before it removed them. */
  async look(): Promise<Look> {
    const numbers = await this.files.numbers();
    const left: FoundLock[] = [];
    for (const number of numbers.toReversed()) {
      const found = await this.files.read(number);
      const standing = found === undefined ? 'gone' : await this.standingOf(found);
      if (found === undefined || standing === 'gone') return { numbers };
      if (standing === 'alive') return { numbers, alive: found };
      if (standing === 'silent') left.push(found);
    }
    return { numbers, left };
  }

  /** `silent`: as good as dead, for all that can be seen. `gone`: it was given back meanwhile. */
  private async standingOf(found: FoundLock): Promise<'alive' | 'dead' | 'silent' | 'gone'> {
    const named = await this.untilNamed(found);
    if (named === undefined) return 'gone';
    if (named.mark === undefined) return 'dead';
    const isAlive = this.processes.isAlive(named.mark);
    if (isAlive !== undefined) return isAlive ? 'alive' : 'dead';
    this.awaited({ host: named.mark.host, pid: named.mark.pid, forMs: SILENCE_MS + LEASE_MS });
    return await this.untilSeen(named);
  }

  /** True when the lock of this number, which is ours, is the only one. Left over ones are removed. */
  async isSettled(number: number, left: readonly FoundLock[]): Promise<boolean> {
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      const numbers = await this.files.numbers();
      if (!numbers.includes(number)) return false;
      if (numbers.at(-1) === number) return await this.isAlone(number, numbers, left);
    }
    return false; // One that believed ours to be left over: it stands by that.
  }

  /**
   * The one below may have been written to the end since it was found without a name: then it was there first. And a silent one may have
   * given a sign of life since.
   */
  private async isAlone(number: number, numbers: readonly number[], left: readonly FoundLock[]): Promise<boolean> {
    const below = numbers.filter((each) => each < number);
    for (const each of below) {
      const lock = await this.files.read(each);
      if (lock?.mark === undefined || this.processes.isAlive(lock.mark) === false) continue;
      if (!left.some(({ number: silent, text }) => silent === each && text === lock.text)) return false;
    }
    for (const each of below) await this.files.remove(each);
    return true;
  }

  private async untilNamed(found: FoundLock): Promise<FoundLock | undefined> {
    let now: FoundLock | undefined = found;
    for (let look = 0; look < LOOKS_MAX && now?.mark === undefined && now !== undefined; look += 1) {
      now = await this.files.read(found.number);
    }
    return now;
  }

  private async untilSeen({ number, text }: FoundLock): Promise<'alive' | 'silent' | 'gone'> {
    for (let waitedMs = 0; waitedMs < SILENCE_MS; waitedMs += LOOK_EVERY_MS) {
      await new Promise<void>((resolve) => this.clock.setTimer(resolve, LOOK_EVERY_MS));
      const now = await this.files.read(number);
      if (now === undefined) return 'gone';
      if (now.text !== text) return 'alive';
    }
    return 'silent';
  }
}

class HeldLock implements DirectoryLock {
  readonly note: string | undefined;
  private beats = 0;
  private confirmed: Moment;
  private timer: TimerId;
  private beating: Promise<void> | undefined;
  private taken: StorageTakenError | undefined;
  private isReleased = false;

  constructor(
    private readonly files: LockFiles,
    private readonly directory: string,
    private readonly number: number,
    private readonly self: ProcessMark,
    private readonly clock: Clock,
    taken: FoundLock | undefined,
  ) {
    this.note = takenNote(taken);
    this.confirmed = momentOf(clock);
    this.timer = this.beatLater();
  }

  confirm(): Promise<void> | undefined {
    if (this.taken !== undefined) return Promise.reject(this.taken);
    return isWithinLease(this.confirmed, momentOf(this.clock)) ? undefined : this.beat();
  }

  /** Of who had the lock before. Meanwhile this one gives its signs of life, and looks whether it is still ours. */
  untilLeaseIsOver(): Promise<void> {
    return new Promise((resolve) => this.clock.setTimer(resolve, LEASE_MS));
  }

  async release(): Promise<void> {
    this.isReleased = true;
    this.clock.clearTimer(this.timer);
    await this.beating?.catch(() => {}); // Whether the lock is still ours is seen below.
    const found = await this.files.read(this.number);
    if (isSameProcess(found?.mark, this.self)) await this.files.remove(this.number);
  }

  private beatLater(): TimerId {
    return this.clock.setTimer(() => {
      const later = (): void => {
        if (!this.isReleased) this.timer = this.beatLater();
      };
      this.beat().then(later, later); // Whoever writes next meets what kept it from coming.
    }, BEAT_MS);
  }

  private beat(): Promise<void> {
    this.beating ??= this.renew().finally(() => (this.beating = undefined));
    return this.beating;
  }

  private async renew(): Promise<void> {
    const started = momentOf(this.clock);
    const found = await this.files.highest();
    if (found?.number !== this.number || !isSameProcess(found.mark, this.self)) {
      this.taken = new StorageTakenError(this.directory, found?.mark);
      throw this.taken;
    }
    this.beats += 1;
    await this.files.overwrite(this.number, lockText(this.self, this.beats));
    this.confirmed = started;
  }
}

/** By both clocks. */
interface Moment {
  readonly ms: number;
  readonly wallMs: number;
}

function momentOf(clock: Clock): Moment {
  return { ms: clock.nowMs(), wallMs: clock.wallMs() };
}

/** One on the wall that was set back says nothing, so it is asked once more. */
function isWithinLease(confirmed: Moment, { ms, wallMs }: Moment): boolean {
  const byWall = wallMs - confirmed.wallMs;
  return ms - confirmed.ms <= LEASE_MS && byWall >= 0 && byWall <= LEASE_MS;
}

function lockedBy(directory: string, { mark }: FoundLock, { self }: Processes): StorageLockedError {
  const isElsewhere = mark !== undefined && (mark.place ?? '') !== (self.place ?? '');
  return new StorageLockedError(directory, mark?.pid ?? 0, isElsewhere ? mark.host : undefined);
}

function takenNote(taken: FoundLock | undefined): string | undefined {
  if (taken?.mark === undefined) return undefined;
  const { host, pid } = taken.mark;
  return (
    `The lock of process ${pid} on ${host} was taken over: it cannot be looked at from here, and gave no sign of life for ` +
    `${SILENCE_MS / 1000} s. Nothing has to be done where it was killed, or its machine was restarted.`
  );
}
