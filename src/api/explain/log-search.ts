/**
 * LogSearch: where a transaction stands in a shape's log. Only the log itself can say, for a line lies where its transaction committed,
 * or, of a shape that depends on others, in a splice before that, whose query had seen it already.
 */
import type { LogEntry } from '../../model/log-entry.ts';
import { lsnOfOffset, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import { compareLsn, LSN_ZERO, lsnOf, type Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import { AbandonedError } from './log-searches.ts';
import type { ToldShape } from './told-shape.ts';

/** So much of a log is looked through, from its end: some 100 ms. */
export const SEARCHED_BYTES_MAX = 32 * 1024 * 1024;
/** Of one transaction: behind so much it is said to end somewhere at its LSN. */
const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;

export interface Sought {
  readonly xid: Xid;
  /** Of its commit, where that is known. */
  readonly lsn: Lsn | undefined;
}

export interface Found {
  /** Who has read up to here has all of it that names the transaction. Undefined where nothing does. */
  readonly offset: LogOffset | undefined;
  /** The end of the last rows that were told one by one behind it, by no event: they name nobody, and may be its own. */
  readonly unnamed: LogOffset | undefined;
  /** What lies before was not looked at. */
  readonly from: LogOffset;
}

/** Of a transaction whose commit lies at `lsn`, in a shape that depends on no other: its lines have that LSN in their offsets. */
export async function endOfTransaction(shape: ToldShape, lsn: Lsn): Promise<LogOffset | undefined> {
  let last: LogOffset | undefined;
  let bytes = 0;
  for await (const entries of shape.entries(behindOthers(lsn))) {
    for (const entry of entries) {
      if (compareLsn(lsnOfOffset(entry.offset), lsn) > 0) return last;
      last = entry.offset;
      bytes += entry.bytes.length;
    }
    if (bytes > TRANSACTION_BYTES_MAX) return `${lsn}_inf` as LogOffset;
  }
  return last;
}

/**
 * Wherever it stands. What counts is the last entry that names it, with the rows that its event brings: behind that, nothing of it comes
 * any more.
 *
 * @throws {AbandonedError} when `signal` is aborted before the end.
 */
export async function findTransaction(shape: ToldShape, { xid, lsn }: Sought, signal: AbortSignal): Promise<Found> {
  const from = shape.tailFrom(SEARCHED_BYTES_MAX);
  const search = new TransactionSearch(xid, lsn ?? LSN_ZERO);
  for await (const entries of shape.entries(from)) {
    if (signal.aborted) throw new AbandonedError();
    for (const entry of entries) search.take(entry);
  }
  return { offset: search.offset, unnamed: search.unnamed, from };
}

/** Whose the rows are that name nobody: those of the last event that brings some, if one stands before them. */
type Bringer = 'own' | 'other' | undefined;

/** A splice is `move-in`s, the rows that they bring, the end of their query, and `move-out`s; or rows by themselves, and such an end. */
class TransactionSearch {
  offset: LogOffset | undefined;
  unnamed: LogOffset | undefined;
  private bringer: Bringer;
  private hasRows = false;

  constructor(
    private readonly xid: Xid,
    private readonly lsn: Lsn,
  ) {}

  take({ offset, bytes }: LogEntry): void {
    const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const xids = xidsIn(line);
    if (xids !== undefined) this.takeNamed(offset, xids.includes(String(this.xid)), begins(line, MOVE_IN));
    else if (begins(line, SNAPSHOT_ENDS)) this.takeEnd(offset);
    else this.hasRows = true;
  }

  private takeNamed(offset: LogOffset, isOwn: boolean, isMoveIn: boolean): void {
    if (isOwn) this.offset = offset;
    this.bringer = isMoveIn ? (isOwn ? 'own' : 'other') : undefined;
    this.hasRows = false;
  }

  private takeEnd(offset: LogOffset): void {
    if (this.bringer === 'own') this.offset = offset;
    const isBehind = compareLsn(lsnOfOffset(offset), this.lsn) >= 0; // The query of a splice that tells it has seen its commit.
    if (this.bringer === undefined && this.hasRows && isBehind) this.unnamed = offset;
    this.bringer = undefined;
    this.hasRows = false;
  }
}

function behindOthers(lsn: Lsn): LogOffset {
  return lsn === LSN_ZERO ? SNAPSHOT_END : (`${lsnOf(BigInt(lsn) - 1n)}_inf` as LogOffset);
}

/** No value can hold this: within a string a quote stands behind a backslash. */
const XIDS = Buffer.from('"txids":[');
const CLOSE = 0x5d;
const MOVE_IN = Buffer.from('{"headers":{"event":"move-in"');
const SNAPSHOT_ENDS = Buffer.from('{"headers":{"control":"snapshot-end"');

/** Undefined for a line that names nobody. */
function xidsIn(line: Buffer): readonly string[] | undefined {
  const start = line.indexOf(XIDS);
  if (start < 0) return undefined;
  const from = start + XIDS.length;
  return line.toString('latin1', from, line.indexOf(CLOSE, from)).split(',');
}

function begins(line: Buffer, start: Buffer): boolean {
  return line.length >= start.length && line.compare(start, 0, start.length, 0, start.length) === 0;
}
