/**
 * LineWriter: bytes, one after the other, until a line or a transaction is whole.
 *
 * The buffer is reused. What `take` gives is an exact copy, so that a line kept in memory keeps nothing else alive; what
 * `lend` gives is the buffer itself.
 */
const FIRST_BYTES = 4 * 1024;
/** Lines that were larger give the buffer back, instead of holding it for ever; of a block, or of a part, they hardly are. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
/** Below this a loop is faster than a call into the engine's memory copy. */
const LOOP_BYTES_MAX = 64;

export class LineWriter {
  private buffer = new Uint8Array(FIRST_BYTES);
  private length = 0;

  get size(): number {
    return this.length;
  }

  append(bytes: Uint8Array): void {
    this.appendRange(bytes, 0, bytes.length);
  }

  /** Appends the bytes from `start` up to, not including, `end`. */
  appendRange(bytes: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size);
    const { buffer, length } = this;
    if (size > LOOP_BYTES_MAX) {
      buffer.set(bytes.subarray(start, end), length);
    } else {
      for (let index = 0; index < size; index += 1) buffer[length + index] = bytes[start + index] ?? 0;
    }
    this.length = length + size;
  }

  appendByte(byte: number): void {
    this.reserve(1);
    this.buffer[this.length] = byte;
    this.length += 1;
  }

  /** @param value a safe integer, not negative. */
  appendNumber(value: number): void {
    const digits = String(value);
    this.reserve(digits.length);
    for (let index = 0; index < digits.length; index += 1) this.buffer[this.length + index] = digits.charCodeAt(index);
    this.length += digits.length;
  }

  /** Forgets what was appended: the line that was being written will not be. */
  clear(): void {
    this.length = 0;
  }

  /** @returns everything appended since the last call, in memory that the next line is written to; the writer is empty again. */
  lend(): Uint8Array {
    const lent = this.buffer.subarray(0, this.length);
    this.length = 0;
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = new Uint8Array(FIRST_BYTES);
    return lent;
  }

  /** @returns a copy of everything appended since the last call; the writer is empty again. */
  take(): Uint8Array {
    return this.lend().slice();
  }

  private reserve(size: number): void {
    if (this.length + size <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + size));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}
