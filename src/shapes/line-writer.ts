/**
 * LineWriter: bytes, one after the other, until a line or a transaction is whole.
 *
 * The buffer is reused. What `take` gives is an exact copy, so that a line kept in memory keeps nothing else alive; what
 * `lend` gives is the buffer itself.
 */
import { GrowableBytes, type FixedText } from '../base/growable-bytes.ts';

const FIRST_BYTES = 4 * 1024;
/** Lines that were larger give the buffer back, instead of holding it for ever; of a block, or of a part, they hardly are. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

export class LineWriter {
  private out = new GrowableBytes(FIRST_BYTES);

  get size(): number {
    return this.out.length;
  }

  append(text: FixedText): void {
    this.out.append(text);
  }

  appendBytes(bytes: Uint8Array): void {
    this.out.appendBytes(bytes);
  }

  /** Appends the bytes from `start` up to, not including, `end`. */
  appendRange(bytes: Uint8Array, start: number, end: number): void {
    this.out.appendRange(bytes, start, end);
  }

  appendByte(byte: number): void {
    this.out.appendByte(byte);
  }

  /** @param value a safe integer, not negative. */
  appendNumber(value: number): void {
    this.appendText(String(value));
  }

  /** @param text of ASCII. */
  appendText(text: string): void {
    const { out } = this;
    const start = out.skip(text.length);
    const { bytes } = out;
    for (let index = 0; index < text.length; index += 1) bytes[start + index] = text.charCodeAt(index);
  }

  /** Once more what was appended from `start` up to, not including, `end`. */
  appendAgain(start: number, end: number): void {
    this.out.appendAgain(start, end);
  }

  /** Forgets what was appended behind `size`. */
  cut(size: number): void {
    this.out.length = size;
  }

  /** Forgets what was appended: the line that was being written will not be. */
  clear(): void {
    this.out.clear();
  }

  /** @returns everything appended since the last call, in memory that the next line is written to; the writer is empty again. */
  lend(): Uint8Array {
    const lent = this.out.lend();
    if (this.out.bytes.length > KEPT_BYTES_MAX) this.out = new GrowableBytes(FIRST_BYTES);
    return lent;
  }

  /** @returns a copy of everything appended since the last call; the writer is empty again. */
  take(): Uint8Array {
    return this.lend().slice();
  }
}
