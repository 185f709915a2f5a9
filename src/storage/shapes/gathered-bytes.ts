/** GatheredBytes: bytes that come one behind the other and stay in memory, to be read from any place. */
export class GatheredBytes {
  private parts: { readonly start: number; readonly bytes: Uint8Array }[] = [];
  private total = 0;

  get size(): number {
    return this.total;
  }

  /** Takes a copy. */
  append(bytes: Uint8Array): void {
    const copy = Buffer.allocUnsafeSlow(bytes.length); // Not of the pool, all of which a few bytes would keep.
    copy.set(bytes);
    this.parts.push({ start: this.total, bytes: copy });
    this.total += bytes.length;
  }

  /** Shorter than `length` only at the end. */
  read(at: number, length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    const first = this.parts.findLastIndex(({ start }) => start <= at);
    for (const part of this.parts.slice(first)) {
      if (part.start >= at + length) break;
      parts.push(part.bytes.subarray(Math.max(0, at - part.start), at + length - part.start));
    }
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  clone(): GatheredBytes {
    const copy = new GatheredBytes();
    copy.parts = [...this.parts];
    copy.total = this.total;
    return copy;
  }
}
