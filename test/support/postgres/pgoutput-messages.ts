/** Messages of pgoutput, protocol version 1, built by hand from the manual: the parser's counterpart. */
export const UNCHANGED = Symbol('unchanged TOAST');
export const BINARY = Symbol('a binary value');
export type Value = string | null | typeof UNCHANGED | typeof BINARY;

function bytes(...parts: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

function u8(value: number): Buffer {
  return Buffer.from([value]);
}

function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value >>> 0);
  return buffer;
}

function u64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(value);
  return buffer;
}

function cString(text: string): Buffer {
  return bytes(text, u8(0));
}

function tuple(values: readonly Value[]): Buffer {
  return bytes(u16(values.length), ...values.map(valueOf));
}

function valueOf(value: Value): Buffer {
  if (value === null) return Buffer.from('n');
  if (value === UNCHANGED) return Buffer.from('u');
  if (value === BINARY) return bytes('b', u32(1), u8(7));
  return bytes('t', u32(Buffer.byteLength(value)), value);
}

export function begin(finalLsn: bigint, xid: number): Buffer {
  return bytes('B', u64(finalLsn), u64(1n), u32(xid));
}

export function commit(lsn: bigint, endLsn: bigint): Buffer {
  return bytes('C', u8(0), u64(lsn), u64(endLsn), u64(1n));
}

export function origin(): Buffer {
  return bytes('O', u64(1n), cString('elsewhere'));
}

export function type(): Buffer {
  return bytes('Y', u32(90_000), cString('public'), cString('mood'));
}

export function relation({ oid, name, columns }: { oid: number; name: string; columns: readonly string[] }): Buffer {
  const described = columns.map((column) => bytes(u8(1), cString(column), u32(25), u32(-1)));
  return bytes('R', u32(oid), cString('public'), cString(name), 'f', u16(columns.length), ...described);
}

export function insert(oid: number, row: readonly Value[]): Buffer {
  return bytes('I', u32(oid), 'N', tuple(row));
}

export function update(oid: number, old: readonly Value[] | undefined, row: readonly Value[], marker: 'K' | 'O' = 'O'): Buffer {
  return bytes('U', u32(oid), ...(old === undefined ? [] : [marker, tuple(old)]), 'N', tuple(row));
}

export function remove(oid: number, old: readonly Value[], marker: 'K' | 'O' = 'O'): Buffer {
  return bytes('D', u32(oid), marker, tuple(old));
}

export function truncate(oids: readonly number[]): Buffer {
  return bytes('T', u32(oids.length), u8(0), ...oids.map(u32));
}
