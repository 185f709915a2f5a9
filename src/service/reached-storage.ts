/** The storage of a service, as its configuration has it; and what is told while it is being opened. */
import type { Logger } from 'pino';
import { RowLineFolder } from '../shapes/row-line-folder.ts';
import type { AwaitedLock } from '../storage/disk/directory-lock.ts';
import { StorageLockedError } from '../storage/errors.ts';
import { memoryStorage } from '../storage/memory-storage.ts';
import { openStorage, type StorageOptions } from '../storage/open-storage.ts';
import type { Storage } from '../storage/storage.ts';
import type { Beginning } from './ground.ts';
import { shareOpenFiles } from './open-files.ts';

const AWAITED =
  'The process that has the lock of the storage cannot be looked at from here, so it is waited for a sign of life of it. Without one the ' +
  'storage is taken over: nothing has to be done where that process was killed.';
/** Of one that stands by. */
export const AWAITED_BY_STANDBY = `${AWAITED} Until then what is stored is served as it was seen last.`;

/** @returns undefined when another instance works in the directory. @throws as `openStorage`. */
export async function reachStorage(beginning: Beginning): Promise<Storage | undefined> {
  const { configuration: { storage, storageDirectory, chunkBytesMax }, world: { clock }, watch, logger } = beginning;
  if (storage === 'memory') return memoryStorage({ clock, chunkBytesMax });
  watch.step?.({ what: 'storage' });
  const begunMs = clock.nowMs();
  logger.info({ directory: storageDirectory }, 'storage.opening'); // A large log takes its time.
  try {
    const opened = await openStorage(storageOptions(beginning));
    logger.info({ durationMs: Math.round(clock.nowMs() - begunMs) }, 'storage.opened');
    return opened;
  } catch (error) {
    if (error instanceof StorageLockedError) return undefined;
    throw error;
  }
}

/** @param advice for who reads that the lock is waited for. */
export function storageOptions(
  { configuration, world, watch, logger }: Omit<Beginning, 'closing'>,
  advice = `${AWAITED} Until then nothing is served.`,
): StorageOptions & Pick<Beginning['world'], 'disk'> {
  const { storageDirectory: directory, chunkBytesMax, keepEveryUpdate } = configuration;
  const { step } = watch;
  return {
    ...world,
    directory,
    chunkBytesMax,
    readFiles: shareOpenFiles(world.openFilesMax()).readFiles,
    folder: keepEveryUpdate ? undefined : new RowLineFolder(),
    logRead: step && ((done, of) => step({ what: 'log', done, of })),
    lockAwaited: tellAwaited(directory, logger, () => step?.({ what: 'lock' }), advice),
  };
}

/** Each holder once: who stands by looks again and again. */
function tellAwaited(directory: string, logger: Logger, step: () => void, advice: string): (lock: AwaitedLock) => void {
  let told = '';
  return ({ host, pid, forMs }) => {
    if (told === `${pid} ${host}`) return;
    told = `${pid} ${host}`;
    step();
    logger.warn({ directory, host, pid, forMsMax: forMs, advice }, 'storage.lockAwaited');
  };
}
