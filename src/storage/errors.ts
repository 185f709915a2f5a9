/** What can go wrong with stored data, each error named for what happened. Of these only what the disk refuses is worth a retry. */
import type { LogPosition } from '../model/log-position.ts';
import type { Handle } from '../model/shape.ts';
import { NO_STREAM, type HeldStream } from './log/held-stream.ts';

/** The disk refused. What had been synced before is unharmed; whether the refused part arrived is unknown. */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  /** The system's code, `ENOSPC`. */
  readonly code: string;

  constructor(
    /** What was to be done: `write`, `sync`, `open` and so on. */
    readonly operation: string,
    path: string,
    cause: unknown,
  ) {
    const damage = damageOf(cause);
    const code = damage === undefined ? codeOf(cause) : FAILING;
    super(`cannot ${operation} ${path}: ${code}${damage === undefined ? '' : ` (${damage})`}`, { cause });
    this.code = code;
  }
}

/** What ext4 and XFS say of damage that they find in their own blocks, by the number that Linux has for it: Node has no code. */
const DAMAGE: ReadonlyMap<number, string> = new Map([[-74, 'EBADMSG'], [-117, 'EUCLEAN']]);

function damageOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error && 'errno' in cause && typeof cause.errno === 'number')) return undefined;
  return codeOf(cause).startsWith('E') ? undefined : DAMAGE.get(cause.errno);
}

/** By code, what may be over some day without a hand of ours: an operator makes room, a volume comes back. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'no space is left on the device'],
  ['EDQUOT', 'the quota is used up'],
  ['EIO', 'the device fails'],
  ['EROFS', 'the file system is read-only'],
  ['EMFILE', 'the process may have no more files open'],
  ['ENFILE', 'the system may have no more files open'],
]);

const FULL = new Set(['ENOSPC', 'EDQUOT']);
/** Of a refusal that may concern one file, or one directory, and nothing else: a bad block, say. All others are of the file system. */
const FAILING = 'EIO';

/** The disk takes nothing at present: the same work may be done again, from what is durable for certain. */
export function isRefusal(error: unknown): error is DiskError {
  return error instanceof DiskError && REFUSALS.has(error.code);
}

/** No room is left. */
export function isFull(error: unknown): error is DiskError {
  return error instanceof DiskError && FULL.has(error.code);
}

/** The device fails, perhaps at this one place. */
export function isFailing(error: unknown): error is DiskError {
  return error instanceof DiskError && error.code === FAILING;
}

/** For a file that is given up: what the disk refused of it is known already, or nobody's affair. @throws what is no `DiskError`. */
export function passDiskError(error: unknown): void {
  if (!(error instanceof DiskError)) throw error;
}

/** For a removal: what is not there any more needs none; an attempt that was refused may have taken it away. @throws all else. */
export function passMissing(error: unknown): void {
  if (!(error instanceof DiskError && error.code === 'ENOENT')) throw error;
}

/** The transaction log does not hold what was written: nothing behind `position` can be trusted, nothing was changed. */
export class LogCorruptError extends Error {
  override readonly name = 'LogCorruptError';

  constructor(
    readonly position: LogPosition,
    private readonly claim: string,
    /** What the log says of its stream before that position, as far as it was read. */
    readonly stream: HeldStream = NO_STREAM,
  ) {
    super(`the transaction log is corrupt at ${position}: ${claim}`);
  }

  after(stream: HeldStream): LogCorruptError {
    return new LogCorruptError(this.position, this.claim, stream);
  }
}

/** A shape's own files do not hold what was written: this one shape cannot be served any more. */
export class ShapeCorruptError extends Error {
  override readonly name = 'ShapeCorruptError';

  constructor(
    readonly handle: Handle,
    /** Names the file, and what was found in it. */
    claim: string,
  ) {
    super(`the log of shape ${handle} is corrupt: ${claim}`);
  }
}

/** The device fails files of one shape, and takes everything else. Nothing is lost: the same call may be repeated, for a short time. */
export class ShapeRefusedError extends Error {
  override readonly name = 'ShapeRefusedError';

  constructor(handle: Handle, cause: DiskError) {
    super(`files of shape ${handle} are refused: ${cause.message}`, { cause });
  }
}

/** There is no checkpoint, for the files of some shapes do not hold, or are refused. Nothing was remembered, and nothing is lost. */
export class CheckpointDeferredError extends Error {
  override readonly name = 'CheckpointDeferredError';

  constructor(
    /** Their shapes are to be deleted; none where it is enough to call again. */
    readonly damaged: readonly ShapeCorruptError[],
  ) {
    super(damaged[0]?.message ?? 'files of some shapes are refused at present');
  }
}

/** The shape was deleted while it was being read. */
export class ShapeGoneError extends Error {
  override readonly name = 'ShapeGoneError';

  constructor(readonly handle: Handle) {
    super(`shape ${handle} was deleted`);
  }
}

/** Files of a shape went while they were read: another process keeps them, and has ended the shape, or has put others in their place. */
export class ShapeReplacedError extends Error {
  override readonly name = 'ShapeReplacedError';

  constructor(readonly handle: Handle) {
    super(`files of shape ${handle} were removed by the process that keeps them`);
  }
}

/** The lines of a shape were compacted, and lay elsewhere long before their reader began. Nothing was read; a new read finds them. */
export class LinesReplacedError extends Error {
  override readonly name = 'LinesReplacedError';

  constructor(handle: Handle) {
    super(`the lines of shape ${handle} were compacted before they were read`);
  }
}

/** A snapshot that is being written made no progress for too long. */
export class SnapshotStalledError extends Error {
  override readonly name = 'SnapshotStalledError';

  constructor(handle: Handle, waitMs: number) {
    super(`the snapshot of shape ${handle} made no progress for ${waitMs} ms`);
  }
}

/** The storage directory cannot be used; nothing was written to it. */
export class StorageDirectoryError extends Error {
  override readonly name = 'StorageDirectoryError';

  constructor(
    /** As it was given. */
    readonly directory: string,
    cause: unknown,
  ) {
    const code = codeOf(cause);
    const cure = FULL.has(code) ? 'Make room there, and start again.' : 'Give Armature a directory that its user may create and write to.';
    super(`The storage directory ${directory} cannot be used (${explain(code)}). ${cure}`, { cause });
  }
}

/** Another process works in the storage directory; nothing was read or written. */
export class StorageLockedError extends Error {
  override readonly name = 'StorageLockedError';

  constructor(
    /** As it was given. */
    readonly directory: string,
    /** Of the process that works in it. */
    readonly pid: number,
    /** Of that process, where it is not one of this machine. */
    readonly host?: string,
  ) {
    super(
      `The storage directory ${directory} is in use by process ${pid}${host === undefined ? '' : ` on ${host}`}. ` +
        'Stop that process, or give this one a directory of its own.',
    );
  }
}

/** Another process works in the storage directory, which was ours. Nothing was written since. */
export class StorageTakenError extends Error {
  override readonly name = 'StorageTakenError';

  constructor(
    readonly directory: string,
    /** Undefined when nobody knows: the lock is gone. */
    readonly by: { readonly host: string; readonly pid: number } | undefined,
  ) {
    const whose = by === undefined ? 'its lock is gone' : `process ${by.pid} on ${by.host} holds its lock`;
    super(
      `The storage directory ${directory} belongs to this process no more: ${whose}. It was taken over while this process, or its disk, ` +
        'stood still for long, or somebody removed the lock.',
    );
  }
}

/** The directory was written by another version; nothing was changed. */
export class StorageVersionError extends Error {
  override readonly name = 'StorageVersionError';

  constructor(
    /** As it was given. */
    readonly directory: string,
    /** What its file `format` says. */
    readonly found: string,
    expected: string,
  ) {
    super(
      /^\d+$/.test(found)
        ? `The storage directory ${directory} has format ${found}, this version of Armature writes format ${expected}. ` +
            'Use the version that wrote it, or an empty directory.'
        : `The file ${directory}/format is damaged: it should say which format the storage directory has. ` +
            `If this version of Armature wrote the directory, write ${expected} into that file; else use an empty directory.`,
    );
  }
}

/** Another one writes the rows of the shape's next splice by now, or it is recorded. Nothing of what was to be written is in their file. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';

  constructor(readonly handle: Handle) {
    super(`the rows of the next splice of shape ${handle} are taken from this query no more`);
  }
}

/** What was found in the directory holds, and means nothing to this version; nothing was changed. */
export class UnknownContentError extends Error {
  override readonly name = 'UnknownContentError';

  constructor(
    /** A path, or what is told apart by its name. */
    readonly place: string,
    found: string,
  ) {
    super(
      `${place} has ${found}, which this version of Armature does not know. ` +
        'Use the version that wrote it, or an empty storage directory.',
    );
  }
}

export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}

/** The system's code, with what it means where that is known. */
export function explain(code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return `${code}: permission denied`;
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${code}: a part of the path is not a directory`;
  const meaning = REFUSALS.get(code);
  return meaning === undefined ? code : `${code}: ${meaning}`;
}
