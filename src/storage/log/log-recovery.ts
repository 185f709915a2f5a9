/**
 * Log recovery: finds the log's end after a stop of any kind.
 *
 * Only the last segment can have a tail that never arrived whole, since a segment is synced before the next begins.
 * The tail is cut off at its first frame that does not hold, unless a later frame testifies that the log had been
 * durable beyond that place: then durable data was damaged, and to go on would be to lose it silently.
 */
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import { LSN_ZERO } from '../../model/lsn.ts';
import type { PartitionTree } from '../../model/partition-tree.ts';
import type { TableMembership } from '../../model/table-membership.ts';
import type { DiskFile } from '../disk/disk.ts';
import { LogCorruptError, StorageVersionError } from '../errors.ts';
import { DURABLE_FRAME_BYTES, FIRST, FRAME_KINDS, frameAt, looksDurable, type Frame } from './frame.ts';
import {
  decodeCommit, decodeLayout, decodeLsn, decodeMembership, decodePosition, decodeRestart, decodeSegmentHeader, decodeTree, LOG_FORMAT,
} from './frame-payloads.ts';
import { NO_STREAM, type HeldStream } from './held-stream.ts';
import type { Layouts } from './layouts.ts';
import type { RecentCommits } from './recent-commits.ts';
import { SegmentCursor } from './segment-cursor.ts';
import type { Segments } from './segments.ts';
import type { TableFacts } from './table-facts.ts';

export interface RecoveredLog {
  readonly end: LogPosition;
  /** Where the last segment begins; undefined for a log that has none yet. */
  readonly lastFirst: LogPosition | undefined;
  readonly stream: HeldStream;
}

/** What is given what the log has of it. */
export interface Learned {
  readonly layouts: Layouts;
  readonly trees: TableFacts<PartitionTree>;
  readonly memberships: TableFacts<TableMembership>;
  /** The transactions that were read. */
  readonly recent: RecentCommits;
  /** Segments that were read, of those that are to be. */
  readonly logRead?: ((done: number, of: number) => void) | undefined;
}

export interface Findings extends Learned {
  /** Before the transaction that is being read; undefined when it began before what is read. */
  openAfter: LogPosition | undefined;
  /** But for `commit`. */
  stream: HeldStream;
  /** What the last commit frame says, of the stream that goes on: which of a million it is, is known at the end. */
  commit: Uint8Array | undefined;
  /** Up to here the log itself says that it was durable. */
  durable: LogPosition;
}

/**
 * Reads the log from the segment that holds `from`; older segments are not touched.
 *
 * @param durable up to here the log is known to have been durable, apart from what itself and its witness say.
 * @throws {LogCorruptError} nothing was changed; it tells whose stream the log had, where that could be read.
 */
export async function recoverLog(
  segments: Segments,
  from: LogPosition,
  durable: LogPosition,
  learned: Learned,
): Promise<RecoveredLog> {
  await segments.scan();
  const durableBefore = Math.max(durable, segments.witness.position) as LogPosition;
  const findings: Findings = { ...learned, openAfter: undefined, stream: NO_STREAM, commit: undefined, durable: durableBefore };
  try {
    return await recoverSegments(segments, from, findings);
  } catch (error) {
    throw error instanceof LogCorruptError ? error.after(streamOf(findings)) : error;
  }
}

async function recoverSegments(segments: Segments, from: LogPosition, findings: Findings): Promise<RecoveredLog> {
  const begin = segments.holding(from) ?? LOG_START;
  let end = begin;
  const firsts = segments.firsts.filter((start) => start >= begin);
  for (const [index, first] of firsts.entries()) {
    if (first !== end) throw new LogCorruptError(end, `the next segment begins at ${first}`);
    findings.logRead?.(index, firsts.length);
    end = await recoverSegment(segments, first, findings);
  }
  const lastFirst = segments.firsts.at(-1);
  if (end < findings.durable) throw new LogCorruptError(end, `it was durable up to ${findings.durable}`);
  if (end > LOG_START && lastFirst === undefined) throw new LogCorruptError(end, 'its only segment has no header');
  return { end, lastFirst, stream: streamOf(findings) };
}

export function streamOf({ stream, commit }: Findings): HeldStream {
  return commit === undefined ? stream : { ...stream, lastCommitLsn: decodeCommit(commit).lsn };
}

/** @returns where the segment ends; a torn tail has been cut off. */
async function recoverSegment(segments: Segments, first: LogPosition, findings: Findings): Promise<LogPosition> {
  const file = await segments.disk.open(segments.pathOf(first), 'write');
  try {
    const end = await scanSegment(segments, file, first, findings);
    const isLast = segments.after(first) === undefined;
    if (end < first + file.size) {
      if (!isLast) throw new LogCorruptError(end, 'a frame does not hold');
      await learnBehind(file, first, end, findings);
    }
    if (isLast && end < findings.durable) throw new LogCorruptError(end, `it was durable up to ${findings.durable}`);
    if (isLast) await settleTail(file, first, end, findings.durable);
    if (end > first) return end;
  } finally {
    await file.close();
  }
  await segments.remove(first); // Not even its first frame arrived.
  await segments.disk.syncDirectory(segments.directory);
  return first;
}

/** @returns behind the last frame that holds. */
async function scanSegment(segments: Segments, file: DiskFile, first: LogPosition, findings: Findings): Promise<LogPosition> {
  const cursor = new SegmentCursor(file, first, first, (first + file.size) as LogPosition);
  for (let frame = await cursor.read(); typeof frame !== 'string'; frame = cursor.readHere() ?? (await cursor.read())) {
    if (frame.start === first) checkHeader(frame, segments.directory, findings);
    else learn(frame, findings);
  }
  return cursor.position;
}

/** @throws {LogCorruptError | StorageVersionError} `frame` does not begin a segment of ours. */
export function checkHeader(frame: Frame, directory: string, findings: Findings): void {
  if (frame.kind !== FRAME_KINDS.segment) throw new LogCorruptError(frame.start, 'a segment does not begin with its header');
  const header = decodeSegmentHeader(frame.payload);
  if (header.format !== LOG_FORMAT) throw new StorageVersionError(directory, String(header.format), String(LOG_FORMAT));
  const { source, lastCommitLsn, heldLsn } = header;
  findings.stream = { source, lastCommitLsn, heldLsn };
  findings.commit = undefined;
}

export function learn(frame: Frame, findings: Findings): void {
  const { kind, flags, payload, start } = frame;
  if (kind === FRAME_KINDS.layout) findings.layouts.restore(decodeLayout(payload));
  if (kind === FRAME_KINDS.tree) findings.trees.take(decodeTree(payload));
  if (kind === FRAME_KINDS.membership) findings.memberships.take(decodeMembership(payload));
  if (kind === FRAME_KINDS.changes && (flags & FIRST) !== 0) findings.openAfter = start;
  if (kind === FRAME_KINDS.commit) learnCommit(frame, findings);
  if (kind === FRAME_KINDS.restart) {
    const { source, lsn, goesOn } = decodeRestart(payload);
    findings.stream = { source, ...(goesOn ?? { lastCommitLsn: LSN_ZERO, heldLsn: lsn }) };
    findings.commit = undefined;
    if (goesOn === undefined) findings.recent.forget();
  }
  if (kind === FRAME_KINDS.held) findings.stream = { ...findings.stream, heldLsn: decodeLsn(payload) };
  if (kind === FRAME_KINDS.durable) findings.durable = Math.max(findings.durable, decodePosition(payload)) as LogPosition;
}

function learnCommit({ xid, payload, end }: Frame, findings: Findings): void {
  findings.commit = payload;
  if (findings.openAfter !== undefined) findings.recent.push(xid, findings.openAfter, end);
  findings.openAfter = undefined;
}

/** Behind the end that was found, a frame may yet testify that the log had been durable beyond it. */
export async function learnBehind(file: DiskFile, first: LogPosition, end: LogPosition, findings: Findings): Promise<void> {
  const tail = await file.read(end - first, file.size - (end - first));
  const bytes = Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = 0; at + DURABLE_FRAME_BYTES <= bytes.length && findings.durable <= end; at += 1) {
    if (!looksDurable(bytes, at)) continue;
    const look = frameAt(bytes, at, (end + at) as LogPosition);
    if (look.look === 'whole') learn(look.frame, findings);
  }
}

/**
 * Makes what was read last as durable as it looks. After a failed sync the kernel may hold pages that are not on the
 * disk and count as clean; only writing the same bytes again makes a sync mean something.
 */
async function settleTail(file: DiskFile, first: LogPosition, end: LogPosition, durable: LogPosition): Promise<void> {
  const from = Math.max(durable, first);
  if (from < end) await file.overwrite(from - first, await file.read(from - first, end - from));
  if (end < first + file.size) await file.truncate(end - first);
  await file.sync();
}
