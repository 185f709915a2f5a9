/** DataRowFields: where the values of a DataRow message lie. One object serves all rows of a query, so that a row makes none. */
import { RowFormatError } from './row-encoder.ts';

const NULL_SIZE = 0xffff_ffff;
const SIZE_BYTES = 4;

export class DataRowFields {
  private readonly starts: Int32Array;
  /** -1 for NULL. */
  private readonly ends: Int32Array;

  constructor(private readonly count: number) {
    this.starts = new Int32Array(count);
    this.ends = new Int32Array(count);
  }

  /** Reads the body of a message that lies between `start` and `end`. @throws {RowFormatError} it is not a row of so many columns. */
  read(bytes: Uint8Array, start: number, end: number): void {
    const { count, starts, ends } = this;
    if (end - start < 2 || uint16(bytes, start) !== count) throw new RowFormatError(`a row has not ${count} columns`);
    let at = start + 2;
    for (let index = 0; index < count; index += 1) {
      if (at + SIZE_BYTES > end) throw new RowFormatError('a row ends before its last column');
      const size = uint32(bytes, at);
      at += SIZE_BYTES;
      starts[index] = at;
      if (size !== NULL_SIZE) at += size;
      ends[index] = size === NULL_SIZE ? -1 : at;
      if (at > end) throw new RowFormatError('a row ends inside of a column');
    }
    if (at !== end) throw new RowFormatError(`a row ends ${end - at} bytes behind its last column`);
  }

  isNull(index: number): boolean {
    return this.ends[index] === -1;
  }

  startOf(index: number): number {
    return this.starts[index] ?? 0;
  }

  /** Of a column that is not NULL. */
  endOf(index: number): number {
    return this.ends[index] ?? 0;
  }
}

/** The values of one row, for who reads few. @throws {RowFormatError} it is not a row of so many columns. */
export function rowTexts(bytes: Uint8Array, start: number, end: number, count: number): readonly (string | null)[] {
  const fields = new DataRowFields(count);
  fields.read(bytes, start, end);
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => {
    return fields.isNull(index) ? null : row.toString('utf8', fields.startOf(index), fields.endOf(index));
  });
}

function uint16(bytes: Uint8Array, at: number): number {
  return (byteAt(bytes, at) << 8) | byteAt(bytes, at + 1);
}

function uint32(bytes: Uint8Array, at: number): number {
  return ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number; // Inside: the row was found to be long enough.
}
