/**
 * LineIndex: where each line of a shape's log ends in its file, as entries of fixed width, so that a read from any
 * offset finds its place by binary search.
 *
 * ```
 * entry  u64 LSN · u48 position · u48 end of the line, its comma included
 * ```
 * All numbers are little endian.
 */
import type { DiskFile } from './disk.ts';
import type { LineAddress, LineBatch } from './line-buffer.ts';

export const INDEX_ENTRY_BYTES = 20;
/** So many entries are read at once when the search has come close. */
const BLOCK_ENTRIES = 1024;

/** The index entries of `batches`, which begin at byte `start` of the log. */
export function encodeIndex(batches: readonly LineBatch[], start: number): Buffer {
  const bytes = Buffer.allocUnsafe(batches.reduce((sum, batch) => sum + batch.count, 0) * INDEX_ENTRY_BYTES);
  let at = 0;
  let batchStart = start;
  for (const batch of batches) {
    for (let index = 0; index < batch.count; index += 1) {
      const { lsn, position } = batch.addressAt(index);
      bytes.writeBigUInt64LE(BigInt(lsn), at);
      bytes.writeUIntLE(position, at + 8, 6);
      bytes.writeUIntLE(batchStart + batch.endOf(index), at + 14, 6);
      at += INDEX_ENTRY_BYTES;
    }
    batchStart += batch.bytes.length;
  }
  return bytes;
}

/** Where the first line behind `after` begins, among the first `count` lines. */
export async function lineStartBehind(file: DiskFile, count: number, after: LineAddress): Promise<number> {
  const target = { lsn: BigInt(after.lsn), position: after.position };
  let low = 0;
  let high = count;
  while (high - low > BLOCK_ENTRIES) {
    const middle = (low + high) >>> 1;
    const entry = await file.read(middle * INDEX_ENTRY_BYTES, INDEX_ENTRY_BYTES);
    if (isThrough(Buffer.from(entry), 0, target)) low = middle + 1;
    else high = middle;
  }
  const from = Math.max(0, low - 1); // The line before tells where the first one begins.
  const block = Buffer.from(await file.read(from * INDEX_ENTRY_BYTES, (high - from) * INDEX_ENTRY_BYTES));
  let start = 0;
  for (let at = 0; at < block.length && isThrough(block, at, target); at += INDEX_ENTRY_BYTES) start = block.readUIntLE(at + 14, 6);
  return start;
}

function isThrough(bytes: Buffer, at: number, target: { readonly lsn: bigint; readonly position: number }): boolean {
  const lsn = bytes.readBigUInt64LE(at);
  return lsn < target.lsn || (lsn === target.lsn && bytes.readUIntLE(at + 8, 6) <= target.position);
}
