/**
 * LogSearch: where a transaction stands in a shape's log. Only the log itself can say, for a line lies where its transaction committed,
 * or, of a shape that depends on others, in a splice before that, whose query had seen it already.
 */
import type { LogEntry } from '../../model/log-entry.ts';
import { lsnOfOffset, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import { compareLsn, LSN_ZERO, lsnOf, type Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { ToldShape } from './told-shape.ts';

/** So much of a log is looked through, from its end: some 100 ms. */
export const SEARCHED_BYTES_MAX = 32 * 1024 * 1024;
/** Of one transaction: behind so much it is said to end somewhere at its LSN. */
const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;

/** `isWhole`: nothing of the log was left out. */
export type Found = { readonly offset: LogOffset } | { readonly offset: undefined; readonly isWhole: boolean };

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

/** Wherever it stands. The last entry that names it is what counts: behind that, nothing of it comes any more. */
export async function findTransaction(shape: ToldShape, xid: Xid): Promise<Found> {
  const from = shape.tailFrom(SEARCHED_BYTES_MAX);
  let offset: LogOffset | undefined;
  for await (const entries of shape.entries(from)) {
    for (const entry of entries) if (names(entry, xid)) ({ offset } = entry);
  }
  return offset === undefined ? { offset, isWhole: from === SNAPSHOT_END } : { offset };
}

function behindOthers(lsn: Lsn): LogOffset {
  return lsn === LSN_ZERO ? SNAPSHOT_END : (`${lsnOf(BigInt(lsn) - 1n)}_inf` as LogOffset);
}

/** No value can hold this: within a string a quote stands behind a backslash. */
const XIDS = Buffer.from('"txids":[');
const CLOSE = 0x5d;

function names({ bytes }: LogEntry, xid: Xid): boolean {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = line.indexOf(XIDS);
  if (start < 0) return false;
  const from = start + XIDS.length;
  const end = line.indexOf(CLOSE, from);
  return line.toString('latin1', from, end).split(',').includes(String(xid));
}
