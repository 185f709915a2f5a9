/**
 * PgSnapshot: which transactions a Postgres snapshot sees, as `pg_current_snapshot()` tells it.
 *
 * The stream names a transaction by its 32-bit xid, the snapshot by 64-bit ids. Both are compared modulo 2^32: a
 * transaction that the stream brings is never 2^31 or more away from the snapshot it is held against.
 */
export type Xid = number & { readonly __brand: 'Xid' };

export interface PgSnapshot {
  /** Decimal text of the 64-bit id: every transaction below it had ended. */
  readonly xmin: string;
  /** Decimal text of the 64-bit id: no transaction from here on had begun to write. */
  readonly xmax: string;
  /** Between them: transactions that were still running. */
  readonly xip: readonly string[];
}

/** Reads `xmin:xmax:xip,xip`. @throws {RangeError} when `text` is not of that form. */
export function parsePgSnapshot(text: string): PgSnapshot {
  const match = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/.exec(text);
  if (match === null) throw new RangeError(`not a snapshot: ${text}`);
  const [, xmin = '', xmax = '', xip = ''] = match;
  return { xmin, xmax, xip: xip === '' ? [] : xip.split(',') };
}

/** True when the effects of `xid`, once committed, are part of what the snapshot's query returned. */
export function isVisible(xid: Xid, snapshot: PgSnapshot): boolean {
  if (precedes(xid, low32(snapshot.xmin))) return true;
  if (isBeyond(xid, snapshot)) return false;
  return !snapshot.xip.some((running) => low32(running) === xid);
}

/** True when `xid` was given out after the snapshot: then every visible transaction is already behind it in the log. */
export function isBeyond(xid: Xid, snapshot: PgSnapshot): boolean {
  return !precedes(xid, low32(snapshot.xmax));
}

function low32(xid64: string): Xid {
  return Number(BigInt.asUintN(32, BigInt(xid64))) as Xid;
}

function precedes(left: Xid, right: Xid): boolean {
  return ((left - right) | 0) < 0;
}
