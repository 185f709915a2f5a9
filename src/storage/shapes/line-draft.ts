/**
 * LineDraft: lines that nobody sees yet, laid out as they will be. Each is copied as it comes, so its writer may use the same
 * memory again; no object is made of it.
 */
import type { Lsn } from '../../model/lsn.ts';
import type { PlacedLines } from '../../model/placed-lines.ts';
import { LineBatch } from './line-buffer.ts';

const COMMA = 0x2c;
const NOTHING = Buffer.alloc(0);
/** A batch keeps at most this share of its memory unused: many batches are small, and stay until the next checkpoint. */
const WASTE_MAX = 1 / 8;

export class LineDraft {
  private bytes = NOTHING;
  private length = 0;
  /** How much the last batch had: the next one is often as large. */
  private expected = 0;
  private lsns: Lsn[] = [];
  private positions: number[] = [];
  private ends: number[] = [];

  append(lsn: Lsn, position: number, line: Uint8Array): void {
    this.reserve(line.length + 1);
    this.bytes.set(line, this.length);
    this.length += line.length + 1;
    this.bytes[this.length - 1] = COMMA;
    this.lsns.push(lsn);
    this.positions.push(position);
    this.ends.push(this.length);
  }

  appendAll(lsn: Lsn, { bytes, ends, positions }: PlacedLines): void {
    const { length: before } = this;
    this.reserve(bytes.length);
    this.bytes.set(bytes, before);
    this.length += bytes.length;
    for (let index = 0; index < ends.length; index += 1) {
      this.lsns.push(lsn);
      this.positions.push(positions[index] ?? 0);
      this.ends.push(before + (ends[index] ?? 0));
    }
  }

  /** @returns what was appended since it was last taken or cleared; undefined when that is nothing. */
  take(): LineBatch | undefined {
    if (this.length === 0) return undefined;
    const used = this.bytes.subarray(0, this.length);
    const isExact = used.length >= this.bytes.length * (1 - WASTE_MAX);
    const batch = new LineBatch(this.lsns, this.positions, this.ends, isExact ? used : Buffer.from(used));
    this.expected = this.length;
    this.clear();
    return batch;
  }

  clone(): LineDraft {
    const copy = new LineDraft();
    copy.bytes = Buffer.from(this.bytes); // It is still written to.
    copy.length = this.length;
    copy.expected = this.expected;
    [copy.lsns, copy.positions, copy.ends] = [[...this.lsns], [...this.positions], [...this.ends]];
    return copy;
  }

  clear(): void {
    this.bytes = NOTHING;
    this.length = 0;
    [this.lsns, this.positions, this.ends] = [[], [], []];
  }

  private reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    // One line alone, as most transactions bring it, takes what it needs.
    const larger = Buffer.allocUnsafeSlow(this.length === 0 ? Math.max(size, this.expected) : Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
