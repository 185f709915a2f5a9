/** Where the memory comes from. */
export type Memory = (bytes: number) => ArrayBufferLike;

export const ownMemory: Memory = (bytes) => new ArrayBuffer(bytes);
/** Other threads see it too, and it is no burden to their collectors of garbage. */
export const sharedMemory: Memory = (bytes) => new SharedArrayBuffer(bytes);

/** GrowableBytes: a buffer that is written from its start and used again; it grows by doubling and never shrinks. */
export class GrowableBytes {
  /** Valid up to `length`; replaced when it grows, so never keep a reference across a write. */
  bytes: Uint8Array;
  length = 0;
  private view: DataView;

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

  appendByte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  append(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
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
    const taken = this.bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }
}
