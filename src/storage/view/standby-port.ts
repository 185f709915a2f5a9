/**
 * Standby port: the storage directory of another process, which is looked at while that lives, and taken over when it has gone.
 *
 * - `take` → `storage.taken`, when the directory is ours and open; `storage.held { host, pid }` while somebody works in it, or when another
 *   one was faster; `storage.unseen { error }`, when the disk says no; `storage.offered`, when it is nobody's and is another one's to take;
 *   or `storage.refused`, when it cannot be opened, which asking again does not mend
 * - `look` → `storage.seen { count }`, or `storage.unseen { error }`
 *
 * What was opened belongs to the one who is told of it.
 */
import type { Clock } from '../../base/clock.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import { Candidacy, SIGN_MS } from '../disk/candidate.ts';
import { seeLock, type SeenLock } from '../disk/directory-lock.ts';
import { nodeDisk } from '../disk/disk.ts';
import { isSameProcess } from '../disk/lock-files.ts';
import { systemProcesses, type ProcessMark, type Processes } from '../disk/processes.ts';
import { DiskError, StorageLockedError, StorageTakenError, StorageVersionError, UnknownContentError } from '../errors.ts';
import { openStorage, type StorageOptions } from '../open-storage.ts';
import type { Storage } from '../storage.ts';
import type { StorageView, ViewWatch } from './storage-view.ts';

export interface StandbyPortOptions {
  readonly storage: StorageOptions;
  readonly view: StorageView;
  readonly watch: ViewWatch;
  /** This instance had the storage and has made room: it is left to others for a while. */
  readonly isLeft: boolean;
  /** Whether this one reaches the database, which nobody follows: whoever works in the directory is told so, as long as that is so. */
  mayFollow(): boolean;
  /** Told that whoever works in it cannot be told. */
  unsigned(refusal: DiskError): void;
  /** Told of who works in the directory, whenever somebody was found there. */
  held(by: SeenLock): void;
  /** Told that nobody works in it any more, and that it is being opened: `held` or `ended` follows, or the disk says no. */
  opening(): void;
  /** Given what was opened, or why it cannot be. */
  ended(outcome: TakenStorage): void;
}

export type TakenStorage = { readonly storage: Storage } | { readonly failure: unknown };

/** Whoever stands by looks ten times a second. */
const LEFT_MS = 10_000;

export function standbyPort({ storage, view, watch, held, opening, ended, ...others }: StandbyPortOptions): PortSpec {
  const { directory, disk = nodeDisk, clock } = storage;
  const processes = new OwnProcesses(storage.processes ?? systemProcesses);
  const candidacy = new Signs(new Candidacy(disk, directory, processes.self), clock, others);
  let leftUntilMs = others.isLeft ? clock.nowMs() + LEFT_MS : 0;
  const take = async (): Promise<Message> => {
    const holder = await seeLock(disk, directory, processes);
    if (holder?.standing === 'alive') {
      leftUntilMs = 0;
      await candidacy.keep();
      return tellHeld(holder);
    }
    if (clock.nowMs() < leftUntilMs) return { type: 'storage.offered' };
    await candidacy.end();
    await look().catch(unseen); // What the other one did last: who waits for that need not wait until all is open.
    opening();
    try {
      ended({ storage: await openStorage({ ...storage, processes }) });
      return { type: 'storage.taken' };
    } catch (failure) {
      const by = holderOf(failure);
      if (by !== undefined) return tellHeld(by);
      if (failure instanceof DiskError) {
        processes.mayHaveLeftLock = true;
        throw failure;
      }
      ended({ failure });
      return { type: 'storage.refused' };
    }
  };
  const tellHeld = (by: SeenLock): Message => {
    held(by);
    return { type: 'storage.held', host: by.host, pid: by.pid };
  };
  const look = async (): Promise<Message> => {
    await view.look(watch);
    return { type: 'storage.seen', count: view.count };
  };
  let taking: Promise<unknown> = Promise.resolve();
  const takeWhole = async (): Promise<Message> => {
    const taken = take().catch(unseen);
    taking = taken.catch(() => {}); // Who asked is told.
    return await taken;
  };
  return {
    name: '@standby-storage',
    // What is being opened is handed over first, or nobody would close it.
    open: () => ({
      requests: { take: takeWhole, look: () => look().catch(unseen) },
      async close() {
        await taking;
        await candidacy.end();
      },
    }),
  };
}

/** Those of this instance, as long as it may follow the database. What the disk refuses of them is told, and tried again. */
class Signs {
  private signedAtMs = -Infinity;

  constructor(
    private readonly candidacy: Candidacy,
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly options: Pick<StandbyPortOptions, 'mayFollow' | 'unsigned'>,
  ) {}

  async keep(): Promise<void> {
    if (!this.options.mayFollow()) return await this.end();
    const nowMs = this.clock.nowMs();
    if (nowMs - this.signedAtMs < SIGN_MS) return;
    this.signedAtMs = nowMs;
    await this.candidacy.sign().catch((error: unknown) => this.tell(error));
  }

  async end(): Promise<void> {
    await this.candidacy.withdraw().catch((error: unknown) => this.tell(error));
  }

  private tell(error: unknown): void {
    if (!(error instanceof DiskError)) throw error;
    this.options.unsigned(error);
  }
}

/** The disk says no, or another version has written there: it is asked again. */
function unseen(error: unknown): Message {
  if (error instanceof DiskError) return { type: 'storage.unseen', error: { code: error.code, message: error.message } };
  if (!(error instanceof UnknownContentError || error instanceof StorageVersionError)) throw error;
  return { type: 'storage.unseen', error: { code: error.name, message: error.message } };
}

/** Who was faster; undefined when it failed for another reason. */
function holderOf(failure: unknown): SeenLock | undefined {
  if (failure instanceof StorageLockedError) return { host: failure.host ?? '', pid: failure.pid, standing: 'alive' };
  if (failure instanceof StorageTakenError) return { ...(failure.by ?? { host: '', pid: 0 }), standing: 'alive' };
  return undefined;
}

/**
 * Where the disk said no while we opened the directory, our own lock may be left in it; or another service of this process has it. The one
 * gives no sign of life, the other does: so that is waited for, as of a process that cannot be looked at.
 */
class OwnProcesses implements Processes {
  mayHaveLeftLock = false;

  constructor(private readonly system: Processes) {}

  get self(): ProcessMark {
    return this.system.self;
  }

  isAlive(mark: ProcessMark): boolean | undefined {
    return this.mayHaveLeftLock && isSameProcess(mark, this.self) ? undefined : this.system.isAlive(mark);
  }
}
