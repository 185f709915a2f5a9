/**
 * LogOffset: a place in a shape's log, in the text that the wire uses. An offset stands *behind* an entry: a read
 * from it gives what comes after.
 *
 * `-1` is before everything, `0_n` the end of snapshot chunk n, `0_inf` the end of the whole snapshot, and
 * `<lsn>_<position>` an operation of a replicated transaction: its commit LSN and its place in the transaction.
 * Texts are canonical (no sign, no leading zero), so equal offsets are equal strings.
 */
import { compareDecimal, LSN_MAX, lsnOf, type Lsn } from './lsn.ts';

export type LogOffset = string & { readonly __brand: 'LogOffset' };

export const BEFORE_ALL = '-1' as LogOffset;
/** Behind the whole snapshot, before every replicated operation. */
export const SNAPSHOT_END = '0_inf' as LogOffset;

export function offsetOf(lsn: Lsn, position: number): LogOffset {
  return `${lsn}_${position}` as LogOffset;
}

/** The end of snapshot chunk `index`, which counts from 0. */
export function snapshotChunkEnd(index: number): LogOffset {
  return `0_${index}` as LogOffset;
}

/** The index of the snapshot chunk that ends at `offset`; undefined for any other kind of offset. */
export function snapshotChunkIndex(offset: LogOffset): number | undefined {
  return offset.startsWith('0_') && offset !== SNAPSHOT_END ? Number(offset.slice(2)) : undefined;
}

/** True for the end of a snapshot chunk and for `0_inf`. */
export function isInSnapshot(offset: LogOffset): boolean {
  return offset.startsWith('0_');
}

/** The first half of an offset; '0' for anything in the snapshot. */
export function lsnOfOffset(offset: LogOffset): Lsn {
  return offset === BEFORE_ALL ? ('0' as Lsn) : (offset.slice(0, offset.indexOf('_')) as Lsn);
}

/** Infinity for `<lsn>_inf`; 0 before everything. */
export function positionOfOffset(offset: LogOffset): number {
  if (offset === BEFORE_ALL) return 0;
  const position = offset.slice(offset.indexOf('_') + 1);
  return position === 'inf' ? Number.POSITIVE_INFINITY : Number(position);
}

/** Negative, zero or positive, as for `Array.prototype.sort`. */
export function compareOffsets(left: LogOffset, right: LogOffset): number {
  if (left === right) return 0;
  if (left === BEFORE_ALL) return -1;
  if (right === BEFORE_ALL) return 1;
  const leftCut = left.indexOf('_');
  const rightCut = right.indexOf('_');
  const byLsn = compareDecimal(left.slice(0, leftCut), right.slice(0, rightCut));
  return byLsn !== 0 ? byLsn : comparePositions(left.slice(leftCut + 1), right.slice(rightCut + 1));
}

export function laterOffset(left: LogOffset, right: LogOffset): LogOffset {
  return compareOffsets(left, right) < 0 ? right : left;
}

/**
 * Where the client of an event stream stands that has read all up to `end`: it makes `<lsn>_0` itself, of the LSN that it is told, since
 * no event tells an offset. The next higher LSN lies behind all of the last transaction, and before every commit to come, because no
 * two commits stand so close together in Postgres's log.
 */
export function streamedOffset(end: LogOffset): LogOffset {
  return offsetOf(lsnOf(BigInt(lsnOfOffset(end)) + 1n), 0);
}

/** More than any transaction has operations. */
const COMPACTED_POSITION = 2 ** 41;

/**
 * Where a chunk of compacted lines ends: behind all that the transaction at `lsn` has, and before the next one. No other generation has
 * an end there, so that an answer which was given for it is never joined with lines that were compacted otherwise.
 */
export function compactedEnd(lsn: Lsn, generation: number): LogOffset {
  return offsetOf(lsn, COMPACTED_POSITION + generation);
}

const OFFSET_PATTERN = /^(?:-1|-1_0|\+?0*(\d+)_(?:inf|\+?0*(\d+)))$/;
/** With room for leading zeros; of a longer text the pattern would count the zeros once for each of them. */
const OFFSET_CHARACTERS_MAX = 200;
const POSITION_MAX = Number.MAX_SAFE_INTEGER;

/** Reads an offset from a request: tolerates a plus sign and leading zeros; undefined when `text` is not an offset. */
export function parseOffset(text: string): LogOffset | undefined {
  const match = text.length > OFFSET_CHARACTERS_MAX ? null : OFFSET_PATTERN.exec(text);
  if (match === null) return undefined;
  const [, lsn, position] = match;
  if (lsn === undefined) return BEFORE_ALL;
  if (compareDecimal(lsn, LSN_MAX) > 0) return undefined;
  if (position === undefined) return `${lsn}_inf` as LogOffset;
  return Number(position) <= POSITION_MAX ? (`${lsn}_${position}` as LogOffset) : undefined;
}

function comparePositions(left: string, right: string): number {
  if (left === right) return 0;
  if (left === 'inf') return 1;
  if (right === 'inf') return -1;
  return compareDecimal(left, right);
}
