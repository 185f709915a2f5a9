/**
 * LSN: a position in Postgres's write-ahead log, an unsigned 64-bit number.
 *
 * A JavaScript number is too small for it and a BigInt does not print as JSON, so outside of arithmetic an LSN is
 * its decimal text, without sign or leading zero. That is also its form on the wire.
 */
export type Lsn = string & { readonly __brand: 'Lsn' };

export const LSN_ZERO = '0' as Lsn;
export const LSN_MAX = '18446744073709551615' as Lsn;

export function lsnOf(value: bigint): Lsn {
  return BigInt.asUintN(64, value).toString() as Lsn;
}

/** Reads Postgres's own notation, `16/B374D848`. @throws {RangeError} when `text` is not of that form. */
export function lsnFromPostgres(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text);
  if (match === null) throw new RangeError(`not an LSN: ${text}`);
  return lsnOf((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`));
}

/** Postgres's own notation, which an operator can look up and search for. */
export function lsnToPostgres(lsn: Lsn): string {
  const value = BigInt(lsn);
  return `${(value >> 32n).toString(16)}/${(value & 0xffff_ffffn).toString(16)}`.toUpperCase();
}

/** Negative, zero or positive, as for `Array.prototype.sort`. */
export function compareLsn(left: Lsn, right: Lsn): number {
  return compareDecimal(left, right);
}

export function maxLsn(left: Lsn, right: Lsn): Lsn {
  return compareDecimal(left, right) < 0 ? right : left;
}

export function minLsn(left: Lsn, right: Lsn): Lsn {
  return compareDecimal(left, right) < 0 ? left : right;
}

/** Orders two unsigned decimal texts without leading zeros by their value. */
export function compareDecimal(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
