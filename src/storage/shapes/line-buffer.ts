/**
 * LineBuffer: the last lines of a shape's log, in memory, laid out as they are sent: each line with a comma behind it.
 * Every reader of the same lines gets views of the same memory.
 */
import { invariant } from '../../base/invariant.ts';
import type { EntryRun, LogEntry } from '../../model/log-entry.ts';
import { lsnOfOffset, offsetOf, positionOfOffset, type LogOffset } from '../../model/log-offset.ts';
import { compareLsn, type Lsn } from '../../model/lsn.ts';

/** An offset in two parts, so that a search builds no text. */
export interface LineAddress {
  readonly lsn: Lsn;
  /** Infinity for `<lsn>_inf`. */
  readonly position: number;
}

/** Everything in the snapshot counts as one place: before every line. */
export function addressOf(offset: LogOffset): LineAddress {
  return { lsn: lsnOfOffset(offset), position: positionOfOffset(offset) };
}

export function compareAddresses(left: LineAddress, right: LineAddress): number {
  return compareLsn(left.lsn, right.lsn) || Math.sign(left.position - right.position) || 0;
}

/** Lines that were taken together, or merged since. Never empty, never changed. */
export class LineBatch {
  /** @param bytes as long as its last line says. */
  constructor(
    private readonly lsns: readonly Lsn[],
    private readonly positions: readonly number[],
    /** Where each line ends in `bytes`, its comma included. */
    private readonly ends: readonly number[],
    readonly bytes: Buffer,
  ) {}

  static merged(left: LineBatch, right: LineBatch): LineBatch {
    return new LineBatch(
      [...left.lsns, ...right.lsns],
      [...left.positions, ...right.positions],
      [...left.ends, ...right.ends.map((end) => end + left.bytes.length)],
      Buffer.concat([left.bytes, right.bytes]),
    );
  }

  get count(): number {
    return this.ends.length;
  }

  get last(): LineAddress {
    return this.addressAt(this.count - 1);
  }

  get lastOffset(): LogOffset {
    return this.offsetAt(this.count - 1);
  }

  /** Of line `index`. */
  offsetAt(index: number): LogOffset {
    const { lsn, position } = this.addressAt(index);
    return offsetOf(lsn, position);
  }

  addressAt(index: number): LineAddress {
    return { lsn: this.lsns[index] ?? ('0' as Lsn), position: this.positions[index] ?? 0 };
  }

  /** Where line `index` ends in `bytes`; 0 for -1. */
  endOf(index: number): number {
    return this.ends[index] ?? 0;
  }

  /** The lines behind `after`, up to and with `through`; undefined when there are none. */
  between(after: LineAddress, through: LineAddress): BatchPart | undefined {
    const from = this.countThrough(after);
    const to = this.countThrough(through);
    return from < to ? { batch: this, from, to } : undefined;
  }

  /** How many lines lie at or before `address`. */
  private countThrough(address: LineAddress): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareAddresses(this.addressAt(middle), address) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Lines `from` to, not including, `to` of a batch. */
interface BatchPart {
  readonly batch: LineBatch;
  readonly from: number;
  readonly to: number;
}

/** Lines of one batch as a reader gets them. */
export class LineRun implements EntryRun {
  readonly kind = 'row';

  constructor(
    private readonly part: BatchPart,
    readonly goesOn: boolean,
  ) {}

  /** Of its last line. */
  get end(): LogOffset {
    return this.part.batch.offsetAt(this.part.to - 1);
  }

  /** A view. */
  get bytes(): Uint8Array {
    const { batch, from, to } = this.part;
    return batch.bytes.subarray(batch.endOf(from - 1), batch.endOf(to - 1));
  }

  *entries(): Generator<LogEntry> {
    const { batch, from, to } = this.part;
    for (let index = from; index < to; index += 1) {
      const bytes = batch.bytes.subarray(batch.endOf(index - 1), batch.endOf(index) - 1);
      yield { kind: this.kind, offset: batch.offsetAt(index), bytes };
    }
  }
}

const MERGED_BYTES_MAX = 256 * 1024;

/** Most shapes have none, for most of the time. */
const NO_BATCHES: LineBatch[] = [];
Object.freeze(NO_BATCHES);

export class LineBuffer {
  private batches = NO_BATCHES;
  /** How many batches from the front are being saved: those are not merged any more. */
  private sealed = 0;
  private byteCount = 0;

  get bytes(): number {
    return this.byteCount;
  }

  /** Merges small batches as they come, each byte a few times at most: a reader then gets few pieces. */
  push(batch: LineBatch): void {
    this.byteCount += batch.bytes.length;
    if (this.batches === NO_BATCHES) this.batches = [];
    let merged = batch;
    for (let last = this.batches.at(-1); last !== undefined && this.mayMerge(last, merged); last = this.batches.at(-1)) {
      merged = LineBatch.merged(last, merged);
      this.batches.pop();
    }
    this.batches.push(merged);
  }

  clone(): LineBuffer {
    const copy = new LineBuffer();
    if (this.batches.length > 0) copy.batches = [...this.batches];
    copy.sealed = this.sealed;
    copy.byteCount = this.byteCount;
    return copy;
  }

  /** What there is now, to be saved and then dropped. */
  seal(): readonly LineBatch[] {
    this.sealed = this.batches.length;
    return this.batches.slice();
  }

  /** So many as have `bytes` together: these end with a batch that was sealed. */
  firstBatches(bytes: number): readonly LineBatch[] {
    let [count, left] = [0, bytes];
    for (; left > 0; count += 1) left -= this.batches[count]?.bytes.length ?? Infinity;
    invariant(left === 0 && count <= this.sealed, 'what is sealed ends with a batch');
    return this.batches.slice(0, count);
  }

  /** Drops the first `count` batches. */
  drop(count: number): void {
    if (count === 0) return;
    for (const batch of this.batches.splice(0, count)) this.byteCount -= batch.bytes.length;
    if (this.batches.length === 0) this.batches = NO_BATCHES;
    this.sealed -= count;
  }

  /** The lines behind `after`, up to and with `through`. */
  runs(after: LogOffset, through: LogOffset): readonly LineRun[] {
    const from = addressOf(after);
    const to = addressOf(through);
    const parts: BatchPart[] = [];
    for (let index = this.batchBehind(from); index < this.batches.length; index += 1) {
      const part = this.batches[index]?.between(from, to);
      if (part === undefined) break;
      parts.push(part);
    }
    return parts.map((part, index) => new LineRun(part, index < parts.length - 1));
  }

  /** The first of these lines: so many as `bytesMax` hold, and one at least. @returns undefined when there are none. */
  firstRun(after: LogOffset, through: LogOffset, bytesMax: number): LineRun | undefined {
    const from = addressOf(after);
    const part = this.batches[this.batchBehind(from)]?.between(from, addressOf(through));
    if (part === undefined) return undefined;
    const { batch } = part;
    const start = batch.endOf(part.from - 1);
    let to = part.from + 1;
    while (to < part.to && batch.endOf(to) - start <= bytesMax) to += 1;
    return new LineRun({ batch, from: part.from, to }, batch.offsetAt(to - 1) !== through);
  }

  private mayMerge(last: LineBatch, next: LineBatch): boolean {
    const bytes = last.bytes.length + next.bytes.length;
    return this.batches.length > this.sealed && last.bytes.length <= 2 * next.bytes.length && bytes <= MERGED_BYTES_MAX;
  }

  /** The first batch with a line behind `address`. */
  private batchBehind(address: LineAddress): number {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const batch = this.batches[middle];
      if (batch !== undefined && compareAddresses(batch.last, address) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
