/**
 * PgSnapshot: which transactions a Postgres snapshot sees, as `pg_current_snapshot()` tells it.
 *
 * The stream names a transaction by its 32-bit xid, the snapshot by 64-bit ids, of which the xid is the lower half. Both
 * are compared modulo 2^32: a transaction that the stream brings is never 2^31 or more away from the snapshot.
 */
import { compareLsn, type Lsn } from './lsn.ts';

export type Xid = number & { readonly __brand: 'Xid' };

export interface PgSnapshot {
  /** Decimal text of the 64-bit id: every transaction below it had ended. */
  readonly xmin: string;
  /** Decimal text of the 64-bit id: no transaction from here on had ended; some may have been running. */
  readonly xmax: string;
  /** Between them: transactions that were still running. */
  readonly xip: readonly string[];
  /** Where the WAL ended when the snapshot had been taken: whatever it sees was committed before. */
  readonly insertLsn: Lsn;
}

/** Reads `xmin:xmax:xip,xip`. @throws {RangeError} when `text` is not of that form. */
export function parsePgSnapshot(text: string, insertLsn: Lsn): PgSnapshot {
  const match = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/.exec(text);
  if (match === null) throw new RangeError(`not a snapshot: ${text}`);
  const [, xmin = '', xmax = '', xip = ''] = match;
  return { xmin, xmax, xip: xip === '' ? NOBODY : xip.split(','), insertLsn };
}

/** As it mostly is; each of many thousand shapes keeps a snapshot. */
const NOBODY: readonly string[] = [];

/** True when the effects of `xid`, once committed, are part of what the snapshot's query returned. */
export function isVisible(xid: Xid, snapshot: PgSnapshot): boolean {
  return visibilityOf(snapshot)(xid);
}

/** `isVisible` for many transactions: the snapshot's ids are read once. */
function visibilityOf(snapshot: PgSnapshot): (xid: Xid) => boolean {
  const low = low32(snapshot.xmin);
  const { from, running } = unseenBy(snapshot);
  const isRunning = new Set(running);
  return (xid) => precedes(xid, low) || (precedes(xid, from) && !isRunning.has(xid));
}

/** True when `snapshot` sees all that `earlier` sees. By their 64-bit ids: the one may have been taken long ago. */
export function seesAllOf(earlier: PgSnapshot, { xmax, xip }: PgSnapshot): boolean {
  const from = BigInt(earlier.xmax);
  return BigInt(xmax) >= from && xip.every((xid) => BigInt(xid) >= from || earlier.xip.includes(xid));
}

/** Whom a snapshot does not see: those `from` an id on, and before it those that were `running`. */
export function unseenBy({ xmax, xip }: PgSnapshot): { readonly from: Xid; readonly running: readonly Xid[] } {
  return { from: low32(xmax), running: xip.map(low32) };
}

/**
 * True when `lsn` was written after the snapshot: whatever the snapshot sees lies before it in the WAL.
 *
 * No xid can tell this, for Postgres logs a commit first and shows it to others a moment later. Say that transaction 12
 * has logged its commit at 100 and is not shown yet; 10 logs its commit at 110 and is shown at once. A snapshot taken
 * now has xmax 11: it sees 10 and not 12. The stream brings 12 first; whoever concludes from 12 ≥ xmax that nothing
 * visible can follow, and stops filtering there, takes 10 a second time.
 */
export function isBeyond(lsn: Lsn, snapshot: PgSnapshot): boolean {
  return compareLsn(lsn, snapshot.insertLsn) > 0;
}

function low32(xid64: string): Xid {
  return Number(BigInt.asUintN(32, BigInt(xid64))) as Xid;
}

/** Whether `left` was given out before `right`. */
export function precedes(left: Xid, right: Xid): boolean {
  return ((left - right) | 0) < 0;
}
