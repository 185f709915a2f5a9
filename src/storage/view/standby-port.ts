/**
 * Standby port: the storage directory of another process, which is looked at while that lives, and taken over when it has gone.
 *
 * - `take` → `storage.taken`, when the directory is ours and open; `storage.held { host, pid }` while somebody works in it; or
 *   `storage.refused`, when it cannot be opened, which asking again does not mend
 * - `look` → `storage.seen { count }`, or `storage.unseen { error }`
 *
 * What was opened belongs to the one who is told of it.
 */
import type { Message, PortSpec } from '../../otp/process.ts';
import { seeLock, type SeenLock } from '../disk/directory-lock.ts';
import { nodeDisk } from '../disk/disk.ts';
import { systemProcesses } from '../disk/processes.ts';
import { DiskError, StorageLockedError, UnknownContentError } from '../errors.ts';
import { openStorage, type StorageOptions } from '../open-storage.ts';
import type { Storage } from '../storage.ts';
import type { StorageView, ViewWatch } from './storage-view.ts';

export interface StandbyPortOptions {
  readonly storage: StorageOptions;
  readonly view: StorageView;
  readonly watch: ViewWatch;
  /** Told of who works in the directory, whenever somebody was found there. */
  held(by: SeenLock): void;
  /** Given what was opened, or why it cannot be. */
  ended(outcome: TakenStorage): void;
}

export type TakenStorage = { readonly storage: Storage } | { readonly failure: unknown };

export function standbyPort({ storage, view, watch, held, ended }: StandbyPortOptions): PortSpec {
  const { directory, disk = nodeDisk, processes = systemProcesses } = storage;
  const take = async (): Promise<Message> => {
    const holder = await seeLock(disk, directory, processes);
    if (holder?.standing === 'alive') return tellHeld(holder);
    await look(); // What the other one did last: who waits for that need not wait until all is open.
    try {
      ended({ storage: await openStorage(storage) });
      return { type: 'storage.taken' };
    } catch (failure) {
      if (failure instanceof StorageLockedError) return tellHeld({ host: failure.host ?? '', pid: failure.pid, standing: 'alive' });
      ended({ failure });
      return { type: 'storage.refused' };
    }
  };
  const tellHeld = (by: SeenLock): Message => {
    held(by);
    return { type: 'storage.held', host: by.host, pid: by.pid };
  };
  const look = async (): Promise<Message> => {
    try {
      await view.look(watch);
      return { type: 'storage.seen', count: view.count };
    } catch (error) {
      if (!(error instanceof DiskError || error instanceof UnknownContentError)) throw error;
      return { type: 'storage.unseen', error: { code: error.name, message: error.message } };
    }
  };
  let taking: Promise<unknown> = Promise.resolve();
  const takeWhole = async (): Promise<Message> => {
    const taken = take();
    taking = taken.catch(() => {}); // Who asked is told.
    return await taken;
  };
  return {
    name: '@standby-storage',
    // What is being opened is handed over first, or nobody would close it.
    open: () => ({ requests: { take: takeWhole, look }, close: async () => void (await taking) }),
  };
}
