/** Where the memory comes from. */
export type Memory = (bytes: number) => ArrayBufferLike;

export const ownMemory: Memory = (bytes) => new ArrayBuffer(bytes);
/** Other threads see it too, and it is no burden to their collectors of garbage. */
export const sharedMemory: Memory = (bytes) => new SharedArrayBuffer(bytes);

const WORD_BYTES = 4;
const NOTHING = new Uint8Array(0);
const NO_VIEW = new DataView(NOTHING.buffer);
/** Of more, the engine's own copy is faster. */
const SHORT_BYTES_MAX = 512;

/** FixedText: bytes as words, the last of which is filled up with zeros. */
export class FixedText {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly length: number;

  constructor(...parts: readonly Uint8Array[]) {
    this.length = parts.reduce((sum, { length }) => sum + length, 0);
    const view = new DataView(new ArrayBuffer(Math.ceil(this.length / WORD_BYTES) * WORD_BYTES));
    for (const [index, byte] of parts.flatMap((part) => [...part]).entries()) view.setUint8(index, byte);
    this.bytes = new Uint8Array(view.buffer, 0, this.length);
    this.words = Int32Array.from({ length: view.byteLength / WORD_BYTES }, (_, index) => view.getInt32(index * WORD_BYTES, true));
  }
}

const encoder = new TextEncoder();

export function textOf(text: string): FixedText {
  return new FixedText(encoder.encode(text));
}

/** GrowableBytes: a buffer that is written from its start and used again; it grows by doubling and never shrinks. */
export class GrowableBytes {
  /** Valid up to `length`; replaced when it grows, so never keep a reference across a write. */
  bytes: Uint8Array;
  length = 0;
  /** Of `bytes`, for whole words. */
  view: DataView;
  /** What was copied from last. */
  private source: Uint8Array = NOTHING;
  private sourceView: DataView = NO_VIEW;

  constructor(
    capacity: number,
    private readonly memory: Memory = ownMemory,
  ) {
    this.bytes = new Uint8Array(memory(capacity));
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` bytes behind the end. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(this.memory(Math.max(needed, this.bytes.length * 2)));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  /** Of `source`: it is asked for with each value of a row, and thousands of rows lie in the same bytes. */
  viewOf(source: Uint8Array): DataView {
    if (source !== this.source) {
      this.source = source;
      this.sourceView = new DataView(source.buffer, source.byteOffset, source.byteLength);
    }
    return this.sourceView;
  }

  appendByte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  /** For a short text, a call of `set` would take longer than the copy. */
  append({ words, length }: FixedText): void {
    this.reserve(words.length * WORD_BYTES);
    const { view, length: at } = this;
    for (let index = 0; index < words.length; index += 1) view.setInt32(at + index * WORD_BYTES, words[index] as number, true);
    this.length += length;
  }

  appendBytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  /** Appends what lies in `source` from `start` to `end`. */
  appendRange(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    if (end - start > SHORT_BYTES_MAX) this.bytes.set(source.subarray(start, end), this.length);
    else this.copy(source, this.viewOf(source), start, end);
    this.length += end - start;
  }

  /** Once more what was written from `start` to `end`. */
  appendAgain(start: number, end: number): void {
    this.reserve(end - start);
    this.copy(this.bytes, this.view, start, end);
    this.length += end - start;
  }

  /** Leaves `count` bytes to be filled in later, and says where they begin. */
  skip(count: number): number {
    this.reserve(count);
    const start = this.length;
    this.length += count;
    return start;
  }

  setUint8(at: number, value: number): void {
    this.bytes[at] = value;
  }

  setUint16(at: number, value: number): void {
    this.view.setUint16(at, value, true);
  }

  setUint32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  getUint32(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** A copy of what was written; nothing stays. */
  take(): Uint8Array {
    return this.lend().slice();
  }

  /** What was written, in memory that is written to next; nothing stays. */
  lend(): Uint8Array {
    const lent = this.bytes.subarray(0, this.length);
    this.clear();
    return lent;
  }

  /** Nothing stays, nor is anything held that was copied from. */
  clear(): void {
    this.length = 0;
    this.source = NOTHING;
    this.sourceView = NO_VIEW;
  }

  /** Word by word, and the rest byte by byte: of what is short, a call of `set` would take longer. */
  private copy(source: Uint8Array, words: DataView, start: number, end: number): void {
    const { bytes, view } = this;
    let at = start;
    let to = this.length;
    for (const last = end - WORD_BYTES; at <= last; at += WORD_BYTES, to += WORD_BYTES) view.setInt32(to, words.getInt32(at, true), true);
    for (; at < end; at += 1, to += 1) bytes[to] = source[at] as number; // Inside: the caller gave the bounds.
  }
}
