/**
 * LineIndex: where each line of a shape's log ends in its file, as entries of fixed width, so that a read from any
 * offset finds its place by binary search.
 *
 * ```
 * entry  u64 LSN · u48 position · u48 end of the line, its comma included · u32 CRC-32 of these and the line's number
 * ```
 * All numbers are little endian. A search that believed a damaged entry would skip lines without a word.
 */
import { crc32 } from 'node:zlib';
import type { Handle } from '../../model/shape.ts';
import type { DiskFile } from '../disk.ts';
import { ShapeCorruptError } from '../errors.ts';
import type { LineAddress, LineBatch } from './line-buffer.ts';

export const INDEX_ENTRY_BYTES = 24;
/** So many entries are read at once when the search has come close. */
const BLOCK_ENTRIES = 1024;

/** The index entries of `batches`, which follow `count` lines and `start` bytes. */
export function encodeIndex(batches: readonly LineBatch[], count: number, start: number): Buffer {
  const bytes = Buffer.allocUnsafe(batches.reduce((sum, batch) => sum + batch.count, 0) * INDEX_ENTRY_BYTES);
  let at = 0;
  let batchStart = start;
  for (const batch of batches) {
    for (let index = 0; index < batch.count; index += 1) {
      const { lsn, position } = batch.addressAt(index);
      bytes.writeBigUInt64LE(BigInt(lsn), at);
      bytes.writeUIntLE(position, at + 8, 6);
      bytes.writeUIntLE(batchStart + batch.endOf(index), at + 14, 6);
      bytes.writeUInt32LE(checksum(bytes, at, count + at / INDEX_ENTRY_BYTES), at + 20);
      at += INDEX_ENTRY_BYTES;
    }
    batchStart += batch.bytes.length;
  }
  return bytes;
}

/** The index of one shape, of which the first `count` entries hold. */
export class LineIndex {
  constructor(
    private readonly file: DiskFile,
    private readonly handle: Handle,
    private readonly count: number,
  ) {}

  /** Where the first line behind `after` begins. @throws {ShapeCorruptError} when an entry on the way does not hold. */
  async lineStartBehind(after: LineAddress): Promise<number> {
    const target = { lsn: BigInt(after.lsn), position: after.position };
    let low = 0;
    let high = this.count;
    while (high - low > BLOCK_ENTRIES) {
      const middle = (low + high) >>> 1;
      const [entry] = await this.read(middle, middle + 1);
      if (entry !== undefined && isThrough(entry, target)) low = middle + 1;
      else high = middle;
    }
    const near = await this.read(Math.max(0, low - 1), high); // The line before tells where the first one begins.
    return near.findLast((entry) => isThrough(entry, target))?.end ?? 0;
  }

  private async read(from: number, to: number): Promise<IndexEntry[]> {
    const bytes = Buffer.from(await this.file.read(from * INDEX_ENTRY_BYTES, (to - from) * INDEX_ENTRY_BYTES));
    const entries: IndexEntry[] = [];
    for (let index = from; index < to; index += 1) entries.push(this.entryAt(bytes, (index - from) * INDEX_ENTRY_BYTES, index));
    return entries;
  }

  private entryAt(bytes: Buffer, at: number, index: number): IndexEntry {
    const isWhole = bytes.length >= at + INDEX_ENTRY_BYTES && bytes.readUInt32LE(at + 20) === checksum(bytes, at, index);
    if (!isWhole) throw new ShapeCorruptError(this.handle, `entry ${index} of its index does not hold`);
    return { lsn: bytes.readBigUInt64LE(at), position: bytes.readUIntLE(at + 8, 6), end: bytes.readUIntLE(at + 14, 6) };
  }
}

interface IndexEntry {
  readonly lsn: bigint;
  readonly position: number;
  readonly end: number;
}

function isThrough(entry: IndexEntry, target: Omit<IndexEntry, 'end'>): boolean {
  return entry.lsn < target.lsn || (entry.lsn === target.lsn && entry.position <= target.position);
}

function checksum(bytes: Buffer, at: number, index: number): number {
  return crc32(bytes.subarray(at, at + 20), index % 2 ** 32);
}
