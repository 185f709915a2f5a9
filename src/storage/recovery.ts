/**
 * Recovery: what a storage directory has after a stop of any kind, and how much of it can be trusted.
 *
 * What was not durable may be missing, and is cut off. What was durable and is missing or does not hold was damaged; then
 * nothing is served that could be wrong, and nothing stops for it that can heal: shapes are dropped, their readers come
 * back for fresh ones, and a sentence says why. Only what another version wrote is refused.
 */
import { LOG_START, type LogPosition } from '../model/log-position.ts';
import type { Checkpoints } from './checkpoint/checkpoints.ts';
import type { Disk } from './disk/disk.ts';
import { LogCorruptError } from './errors.ts';
import { openDiskLog, type DiskLogOptions } from './log/disk-log.ts';
import type { HeldStream } from './log/held-stream.ts';
import type { TransactionLog } from './log/transaction-log.ts';
import { removeLog, segmentStarts } from './log/segments.ts';
import type { RecoveredShapes } from './shapes/shape-recovery.ts';

export interface RecoveredLog {
  readonly log: TransactionLog;
  /** What was found damaged, and what became of it; a sentence each. */
  readonly notes: readonly string[];
  /** Set when the log was damaged and begun anew: what is known of the stream that it had. */
  readonly damagedStream?: HeldStream;
}

type LogOptions = Omit<DiskLogOptions, 'from' | 'durable'>;

/**
 * Opens the log, and leaves of the checkpoints what can be trusted with it.
 *
 * @throws {UnknownContentError | StorageVersionError | DiskError}
 */
export async function openTrustedLog(options: LogOptions, checkpoints: Checkpoints): Promise<RecoveredLog> {
  const begin = await beginOf(options.disk, options.directory);
  const isCovered = begin <= checkpoints.needs;
  try {
    const log = await openDiskLog({ ...options, from: isCovered ? checkpoints.needs : begin, durable: checkpoints.position });
    if (isCovered) return { log, notes: [] };
    const notes = [gapNote(checkpoints, begin)];
    checkpoints.forget(log.durableEnd);
    return { log, notes };
  } catch (error) {
    if (!(error instanceof LogCorruptError)) throw error;
    return { log: await beginAnew(options, checkpoints), notes: [logNote(error)], damagedStream: error.stream };
  }
}

/** The checkpoints first: without them, a log that is gone in part is one that nobody relies on. */
async function beginAnew(options: LogOptions, checkpoints: Checkpoints): Promise<TransactionLog> {
  await checkpoints.clear();
  await removeLog(options.disk, options.directory);
  return await openDiskLog({ ...options, from: LOG_START, durable: LOG_START });
}

async function beginOf(disk: Disk, directory: string): Promise<LogPosition> {
  const [first = LOG_START] = await segmentStarts(disk, directory);
  return first;
}

const MOVE_AWAY = 'Stop the service, move that directory away, and start: its shapes are made anew then when they are asked for.';

export function shapeNotes({ robbed, torn, unread }: RecoveredShapes): string[] {
  const dropped = 'the shape was dropped, and is made anew when it is asked for.';
  return [
    ...[...unread].map((directory) => `The device does not read ${directory}: a shape of it ends when its files are needed. ${MOVE_AWAY}`),
    ...robbed.map((handle) => `Files of shape ${handle} are missing: ${dropped}`),
    ...torn.map((handle) => `The transaction log does not tell all that came into shape ${handle}: ${dropped}`),
  ];
}

function gapNote({ damage, needs }: Checkpoints, begin: LogPosition): string {
  const found = damage.length === 0 ? '' : ` (${damage.join('; ')})`;
  return (
    `The transaction log begins at ${begin}, and by the last whole checkpoint the shapes need it from ${needs} on${found}. ` +
    'All stored shapes were dropped. Clients fetch them anew; nothing has to be done, but the disk may not be sound.'
  );
}

function logNote({ message }: LogCorruptError): string {
  return (
    `${message.replace(/^t/, 'T')}. All stored shapes were dropped and a new log was begun. ` +
    'Clients fetch their shapes anew; nothing has to be done, but the disk may not be sound.'
  );
}
