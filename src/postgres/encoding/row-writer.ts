/**
 * RowWriter: the rows of a snapshot, written as inserts in the bytes of `model/change.ts`, with the requested columns as
 * their tuple. They belong to no layout and no transaction: their layout and their position are 0.
 */
import { CHANGE_HEADER_BYTES, CHANGE_KINDS, HAS_NEW } from '../../model/change.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { encodeBoolean, encodeCopyField, encodeNull, encodeText, endOfPlainField, isCopyNull } from './value-encoder.ts';

/** What Postgres sent is not a row of the columns that were asked for. */
export class RowFormatError extends Error {
  override readonly name = 'RowFormatError';
}

/** Most queries bring a few rows; a snapshot soon has what it needs. */
const FIRST_BYTES = 4 * 1024;
const NEWLINE = 0x0a;
const TUPLE_HEADER_BYTES = 6;
const NULL_SIZE = 0xffff_ffff;

export class RowWriter {
  readonly out = new GrowableBytes(FIRST_BYTES);
  private readonly isBoolean: readonly boolean[];

  /** @param isBoolean for each requested column, whether a snapshot spells it out as `true` or `false`. */
  constructor(isBoolean: readonly boolean[]) {
    this.isBoolean = isBoolean;
  }

  /** Adds one line of COPY text, its newline included. @throws {RowFormatError} */
  copyLine(bytes: Uint8Array, start: number, lineEnd: number): void {
    const end = lineEnd - 1;
    if (bytes[end] !== NEWLINE) throw new RowFormatError('a COPY line without its end');
    const count = this.isBoolean.length;
    const ends = this.begin();
    const values = this.out.length;
    let at = start;
    for (let index = 0; index < count; index += 1) {
      if (index > 0) at += 1; // The tab, or, where columns are missing, past the end.
      at = this.copyField(index, bytes, at, end);
      this.out.setUint32(ends + 4 * index, this.out.length - values);
    }
    if (at !== end) throw new RowFormatError(`a COPY line has not ${count} columns`);
    this.finish(ends);
  }

  /** Adds the row of a DataRow message whose body lies between `start` and `end`. @throws {RowFormatError} */
  dataRow(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const count = this.isBoolean.length;
    if (end - start < 2 || view.getUint16(start) !== count) throw new RowFormatError(`a row has not ${count} columns`);
    const ends = this.begin();
    const values = this.out.length;
    let at = start + 2;
    for (let index = 0; index < count; index += 1) {
      const size = at + 4 <= end ? view.getUint32(at) : end;
      at += 4;
      at = this.dataField(index, bytes, at, size);
      this.out.setUint32(ends + 4 * index, this.out.length - values);
    }
    if (at !== end) throw new RowFormatError(`a row ends ${end - at} bytes behind its last column`);
    this.finish(ends);
  }

  private copyField(index: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.isBoolean[index] !== true || isCopyNull(bytes, start, end)) return encodeCopyField(this.out, bytes, start, end);
    encodeBoolean(this.out, bytes, start);
    return endOfPlainField(bytes, start, end);
  }

  private dataField(index: number, bytes: Uint8Array, start: number, size: number): number {
    if (size === NULL_SIZE) {
      encodeNull(this.out);
      return start;
    }
    if (this.isBoolean[index] === true) encodeBoolean(this.out, bytes, start);
    else encodeText(this.out, bytes, start, start + size);
    return start + size;
  }

  /** @returns where the ends of the values go. */
  private begin(): number {
    return this.out.skip(CHANGE_HEADER_BYTES + TUPLE_HEADER_BYTES + 4 * this.isBoolean.length) + CHANGE_HEADER_BYTES + TUPLE_HEADER_BYTES;
  }

  private finish(ends: number): void {
    const { out } = this;
    const tuple = ends - TUPLE_HEADER_BYTES;
    const change = tuple - CHANGE_HEADER_BYTES;
    out.setUint32(tuple, out.length - tuple - 4);
    out.setUint16(tuple + 4, this.isBoolean.length);
    out.setUint32(change, out.length - change - 4);
    out.setUint8(change + 4, CHANGE_KINDS.insert);
    out.setUint8(change + 5, HAS_NEW);
    out.setUint32(change + 6, 0);
    out.setUint32(change + 10, 0);
  }
}
