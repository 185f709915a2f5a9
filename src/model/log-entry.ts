/**
 * What a shape's log consists of: entries, each at its offset. How they are framed for a client (a JSON array, an event
 * stream) is an encoder's affair, and storage knows nothing of it.
 */
import { BEFORE_ALL, compareOffsets, type LogOffset } from './log-offset.ts';

/** `row` tells what became of a row, `control` tells no row: the end of the snapshot. Splices and views will be kinds of their own. */
export type EntryKind = 'row' | 'control';

export interface LogEntry {
  readonly kind: EntryKind;
  /**
   * Its place in the log, which only its log knows. An LSN among its headers says where its transaction lies, and that is the
   * same in most cases only: what a splice brings in stands elsewhere. All entries of a snapshot's chunk have the chunk's end.
   */
  readonly offset: LogOffset;
  /** JSON, without a separator. */
  readonly bytes: Uint8Array;
}

/** Where somebody stands who reads entry by entry: behind `offset`, and so many bytes further on. */
export interface EntryPlace {
  readonly offset: LogOffset;
  /** Above zero only within a chunk of the snapshot, whose rows have no offsets to tell them apart. Ends with an entry. */
  readonly bytes: number;
}

/** What lies behind `after`, up to and with `through`. */
export interface EntryRange {
  readonly after: EntryPlace;
  readonly through: EntryPlace;
}

export const LOG_BEGIN: EntryPlace = placeAt(BEFORE_ALL);

export function placeAt(offset: LogOffset): EntryPlace {
  return { offset, bytes: 0 };
}

/** Negative, zero or positive, as for `Array.prototype.sort`. */
export function comparePlaces(left: EntryPlace, right: EntryPlace): number {
  return compareOffsets(left.offset, right.offset) || left.bytes - right.bytes;
}

export function isSamePlace(left: EntryPlace, right: EntryPlace): boolean {
  return left.offset === right.offset && left.bytes === right.bytes;
}

/**
 * Entries of one kind that lie next to each other, as they are stored, so that thousands go to a socket in one buffer. Never
 * empty.
 */
export interface EntryRun {
  readonly kind: EntryKind;
  /** Each entry as JSON with a comma behind it, also the last: an encoder that wants none there takes the last byte off. */
  readonly bytes: Uint8Array;
  /**
   * True when more is certain to follow: then the bytes may also stop in the middle of an entry. False when they end behind an
   * entry; whether there will be another need not be known yet.
   */
  readonly goesOn: boolean;
}

/** In log order. A stream is read once; a failure ends it with a throw. */
export type EntryRuns = readonly EntryRun[] | AsyncIterable<EntryRun>;

/** For whoever takes entries by kind: a kind that it does not know must not pass for another. */
export function refuseKind(kind: never): never {
  throw new UnreadableEntryError(`this version of Armature does not know its kind, ${String(kind)}`);
}

/** An entry says something that nobody here understands; its reader was told nothing of it. */
export class UnreadableEntryError extends Error {
  override readonly name = 'UnreadableEntryError';

  constructor(claim: string) {
    super(`an entry of a shape's log cannot be read: ${claim}`);
  }
}
