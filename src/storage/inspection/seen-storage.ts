/**
 * SeenStorage: what a storage directory holds at a moment, as a service that is started on it would find it.
 *
 * It is read without the lock and without a change, by the readers that the service has, so also beside one that works: what goes meanwhile
 * (a segment that was released, a checkpoint that was replaced) has the look begun again.
 */
import type { LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import { findCheckpoints, type Checkpoints } from '../checkpoint/checkpoints.ts';
import type { Disk } from '../disk/disk.ts';
import { DiskError, LogCorruptError } from '../errors.ts';
import { storedFormat } from '../open-storage.ts';
import { ShapePaths } from '../shapes/shape-paths.ts';
import { recoverShapes } from '../shapes/shape-recovery.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import type { Damage } from './damage.ts';
import { seeLog, type SeenLog } from './seen-log.ts';
import { StaleViewError } from './stale-view-error.ts';

export interface SeenStorage {
  readonly format: string;
  /** How far the shapes had taken the log by the last checkpoint that holds, and from where on they need it. */
  readonly checkpoint: { readonly position: LogPosition; readonly needs: LogPosition };
  readonly log: SeenLog;
  /** Those that a service would bring back. */
  readonly shapes: readonly ShapeState[];
  /** Of which there are files, and which a service would not bring back. */
  readonly others: readonly Handle[];
  /** Of the format, the log, the checkpoints, and of shapes that cannot be brought back. */
  readonly damages: readonly Damage[];
  /** What does not hold and took nothing with it, a sentence each. */
  readonly remarks: readonly string[];
}

export interface LookOptions {
  /** Reads the whole log, not only what recovery reads. */
  readonly isWhole?: boolean;
  /** Told how many bytes of the log were read since the last call. */
  readonly read?: (bytes: number) => void;
}

/** A service that works never releases and replaces so fast that each look is overtaken. */
const LOOKS_MAX = 20;

/** No storage lies there. */
export class NoStorageError extends Error {
  override readonly name = 'NoStorageError';

  constructor(readonly directory: string) {
    super(`${directory} is no storage directory of Armature: it has no file named format`);
  }
}

/** @throws {NoStorageError | StorageVersionError | UnknownContentError | DiskError} */
export async function seeStorage(disk: Disk, directory: string, options: LookOptions = {}): Promise<SeenStorage> {
  const format = await storedFormat(disk, directory);
  if (format === undefined) throw new NoStorageError(directory);
  for (let look = 1; ; look += 1) {
    try {
      return { format, ...(await lookOnce(disk, directory, options, look === LOOKS_MAX)) };
    } catch (error) {
      if (look === LOOKS_MAX || !isOvertaken(error)) throw error;
    }
  }
}

/** A checkpoint, a segment or a file of a shape went between its listing and its opening. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof StaleViewError || (error instanceof DiskError && error.code === 'ENOENT');
}

async function lookOnce(disk: Disk, directory: string, options: LookOptions, isLast: boolean): Promise<Omit<SeenStorage, 'format'>> {
  const checkpoints = await findCheckpoints(disk, `${directory}/checkpoint`);
  const { position, needs, damage } = checkpoints;
  const { isWhole = false, read = () => {} } = options;
  const log = await seeLog(disk, `${directory}/log`, { needs, durable: position, isWhole, read });
  const isCovered = log.begin <= needs;
  if (!isCovered && !isLast) throw new StaleViewError(`${directory}/log`); // A newer checkpoint may have let go of it.
  const seen = { checkpoint: { position, needs }, log };
  const isLost = log.damages.some(({ consequence }) => consequence === 'logBegunAnew');
  const gap = isCovered ? [] : [gapOf(log.begin, needs, damage)];
  const unfinished = damage.map((claim) => `${claim}: that checkpoint was not finished, and the one before it counts`);
  const remarks = [...(isCovered ? unfinished : []), ...remarksOn(log)];
  const damages = [...log.damages, ...gap];
  if (isLost || !isCovered) return { ...seen, shapes: [], others: [], damages, remarks };
  const found = await shapesOf(log, checkpoints, new ShapePaths(disk, directory));
  return { ...seen, ...found, damages: [...damages, ...found.damages], remarks };
}

async function shapesOf(
  log: SeenLog,
  checkpoints: Checkpoints,
  paths: ShapePaths,
): Promise<Pick<SeenStorage, 'shapes' | 'others' | 'damages'>> {
  try {
    const { shapes, dropped, robbed, torn } = await recoverShapes(log, checkpoints, paths);
    const { files: stored } = await paths.stored();
    return { shapes, others: dropped.filter((handle) => stored.has(handle)), damages: [...robbed.map(missing), ...torn.map(untold)] };
  } catch (error) {
    if (error instanceof LogCorruptError) throw new StaleViewError(log.segments.directory); // It has just held.
    throw error;
  }
}

function gapOf(begin: LogPosition, needs: LogPosition, damage: readonly string[]): Damage {
  const also = damage.length === 0 ? '' : ` (${damage.join('; ')})`;
  const found = `The transaction log begins at ${begin}, and by the last whole checkpoint the shapes need it from ${needs} on${also}`;
  return { found, consequence: 'shapesDropped' };
}

function missing(handle: Handle): Damage {
  return { handle, found: `Files of shape ${handle} are missing`, consequence: 'shapeDropped' };
}

function untold(handle: Handle): Damage {
  return { handle, found: `The transaction log does not tell all that came into shape ${handle}`, consequence: 'shapeDropped' };
}

function remarksOn({ tornBytes, end, segments: { directory }, witness }: SeenLog): readonly string[] {
  const tail = `The last ${tornBytes} bytes of the transaction log, behind position ${end}, are no whole frame: nobody has seen them`;
  const slots = `${directory}/durable does not hold in ${witness.brokenSlots} of its slots: the other proofs stand`;
  return [...(tornBytes === 0 ? [] : [tail]), ...(witness.brokenSlots === 0 ? [] : [slots])];
}
