/**
 * RowWriter: the rows of a query, written as inserts in the bytes of `model/change.ts`, with the requested columns as their tuple: for
 * whoever has to look at a row before he makes something of it. They belong to no layout and no transaction: their layout and their
 * position are 0.
 */
import { CHANGE_HEADER_BYTES, CHANGE_KINDS, HAS_NEW } from '../../model/change.ts';
import { DataRowFields } from './data-row-fields.ts';
import { GrowableBytes } from '../../base/growable-bytes.ts';
import { type RowEncoder, RowFormatError } from './row-encoder.ts';
import { encodeBoolean, encodeCopyField, encodeNull, encodeText, endOfPlainField, isCopyNull } from './value-encoder.ts';

/** Most queries bring a few rows; a snapshot soon has what it needs. */
const FIRST_BYTES = 4 * 1024;
const NEWLINE = 0x0a;
const TUPLE_HEADER_BYTES = 6;

export class RowWriter implements RowEncoder<Uint8Array> {
  private readonly out = new GrowableBytes(FIRST_BYTES);
  private readonly isBoolean: readonly boolean[];
  private readonly fields: DataRowFields;

  /** @param isBoolean for each requested column, whether a snapshot spells it out as `true` or `false`. */
  constructor(isBoolean: readonly boolean[]) {
    this.isBoolean = isBoolean;
    this.fields = new DataRowFields(isBoolean.length);
  }

  get size(): number {
    return this.out.length;
  }

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

  dataRow(bytes: Uint8Array, start: number, end: number): void {
    this.fields.read(bytes, start, end);
    const ends = this.begin();
    const values = this.out.length;
    for (let index = 0; index < this.isBoolean.length; index += 1) {
      this.dataField(index, bytes);
      this.out.setUint32(ends + 4 * index, this.out.length - values);
    }
    this.finish(ends);
  }

  take(): Uint8Array {
    return this.out.take();
  }

  private copyField(index: number, bytes: Uint8Array, start: number, end: number): number {
    if (this.isBoolean[index] !== true || isCopyNull(bytes, start, end)) return encodeCopyField(this.out, bytes, start, end);
    encodeBoolean(this.out, bytes, start);
    return endOfPlainField(bytes, start, end);
  }

  private dataField(index: number, bytes: Uint8Array): void {
    const { fields, out } = this;
    if (fields.isNull(index)) encodeNull(out);
    else if (this.isBoolean[index] === true) encodeBoolean(out, bytes, fields.startOf(index));
    else encodeText(out, bytes, fields.startOf(index), fields.endOf(index));
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
