/**
 * LineIndex: where each line of a shape's log ends in its file, and what verifies it, as entries of fixed width, so
 * that a read from any offset finds its place by binary search.
 *
 * ```
 * entry  u64 LSN · u40 position · u48 end of the line, its comma included
 *        u24 bytes of its piece up to there · u24 bytes of the piece behind · u24 entries of the piece behind this one
 *        u32 CRC-32 of the piece · u32 CRC-32 of all these
 * ```
 * All numbers are little endian. A search that believed a damaged entry would skip lines without a word: so each holds
 * by itself, in its own place, and in the index of its own shape and generation alone.
 *
 * A line that is longer than a piece has an entry for each of its pieces, with the same offset; the last one tells where the line ends.
 */
import { crc32 } from 'node:zlib';
import { invariant } from '../../base/invariant.ts';
import { lsnOf, type Lsn } from '../../model/lsn.ts';
import type { Handle } from '../../model/shape.ts';
import { crcOf } from '../crc-32.ts';
import type { DiskFile } from '../disk/disk.ts';
import { ShapeCorruptError } from '../errors.ts';
import type { LineAddress } from './line-buffer.ts';
import type { Piece } from './piece.ts';

export const INDEX_ENTRY_BYTES = 36;
const SUMMED_BYTES = 32;
/** So many entries are read at once when the search has come close. */
const BLOCK_ENTRIES = 1024;

/** A line, or the part of one, that ends in a piece. */
export interface LineEnd extends LineAddress {
  readonly end: number;
}

/** A piece and the entries of what ends in it. */
export interface IndexedPiece extends Piece {
  readonly lines: readonly LineEnd[];
}

/** A piece, found by a line in it. */
export interface FoundPiece {
  readonly piece: Piece;
  /** Number of the entry by which it was found. */
  readonly number: number;
  /** Number of the first entry of the piece behind. */
  readonly next: number;
}

/** Whose lines an index tells of: the first lines of the next generation are others. */
export interface IndexOwner {
  readonly handle: Handle;
  /** From 0 on. */
  readonly generation: number;
}

/** The entries of `piece`, of which the first one is the index's number `count`. */
export function encodeIndex({ at, bytes, sum, lines }: IndexedPiece, owner: IndexOwner, count: number): Buffer {
  const encoded = Buffer.allocUnsafe(lines.length * INDEX_ENTRY_BYTES);
  const seed = seedOf(owner);
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  let last: { readonly lsn: Lsn; readonly value: bigint } | undefined;
  lines.forEach(({ lsn, position, end }, index) => {
    const entry = index * INDEX_ENTRY_BYTES;
    if (last?.lsn !== lsn) last = { lsn, value: BigInt(lsn) }; // Thousands of lines may be of one transaction.
    view.setBigUint64(entry, last.value, true);
    encoded.writeUIntLE(position, entry + 8, 5);
    encoded.writeUIntLE(end, entry + 13, 6);
    encoded.writeUIntLE(end - at, entry + 19, 3);
    encoded.writeUIntLE(at + bytes - end, entry + 22, 3);
    encoded.writeUIntLE(lines.length - 1 - index, entry + 25, 3);
    encoded.writeUInt32LE(sum, entry + 28);
    encoded.writeUInt32LE(checksum(encoded, entry, seed + count + index), entry + 32);
  });
  return encoded;
}

/** Entries of an index that lie together. */
export interface IndexSpan {
  /** The number of the first one. */
  readonly first: number;
  /** Where its line begins. */
  readonly start: number;
  /** The number behind the last one that holds. */
  readonly end: number;
}

/** The index of one shape, or a span of it. */
export class LineIndex {
  private readonly handle: Handle;
  private readonly seed: number;

  constructor(
    /** Begins with the first entry of the span. */
    private readonly file: Pick<DiskFile, 'read'>,
    private readonly path: string,
    owner: IndexOwner,
    private readonly span: IndexSpan,
  ) {
    this.handle = owner.handle;
    this.seed = seedOf(owner);
  }

  /**
   * Where the first line behind `after` begins, and in which piece.
   *
   * @throws {ShapeCorruptError} when an entry on the way does not hold, or when there is no such line.
   */
  async lineBehind(after: LineAddress): Promise<FoundPiece & { readonly start: number }> {
    const target = { lsn: BigInt(after.lsn), position: after.position };
    const { first, start, end } = this.span;
    let low = first;
    let high = end;
    while (high - low > BLOCK_ENTRIES) {
      const middle = (low + high) >>> 1;
      if (isThrough(await this.entry(middle), target)) low = middle + 1;
      else high = middle;
    }
    const from = Math.max(first, low - 1); // The line before tells where the first one begins.
    const near = await this.read(from, Math.min(high + 1, end));
    const before = near.findLastIndex((entry) => isThrough(entry, target));
    const found = near[before + 1];
    if (found === undefined) throw new ShapeCorruptError(this.handle, `${this.path} has no entry behind ${after.lsn}_${after.position}`);
    return { ...pieceOf(found, from + before + 1), start: near[before]?.end ?? start };
  }

  /** The piece to which entry `index` belongs. */
  async pieceOfEntry(index: number): Promise<FoundPiece> {
    return pieceOf(await this.entry(index), index);
  }

  /** Lines `from` to, not including, `to`. */
  async lines(from: number, to: number): Promise<readonly LineEnd[]> {
    const entries = await this.read(from, to);
    return entries.map(({ lsn, position, end }) => ({ lsn: lsnOf(lsn), position, end }));
  }

  private async entry(index: number): Promise<IndexEntry> {
    const [entry] = await this.read(index, index + 1);
    invariant(entry !== undefined, 'as many entries as were asked for');
    return entry;
  }

  private async read(from: number, to: number): Promise<IndexEntry[]> {
    const { first, end } = this.span;
    if (to > end) throw new ShapeCorruptError(this.handle, `${this.path} ends before its lines do`);
    const read = await this.file.read((from - first) * INDEX_ENTRY_BYTES, (to - from) * INDEX_ENTRY_BYTES);
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    const entries: IndexEntry[] = [];
    for (let index = from; index < to; index += 1) entries.push(this.entryAt(bytes, (index - from) * INDEX_ENTRY_BYTES, index));
    return entries;
  }

  private entryAt(bytes: Buffer, at: number, index: number): IndexEntry {
    const isWhole = bytes.length >= at + INDEX_ENTRY_BYTES && bytes.readUInt32LE(at + 32) === checksum(bytes, at, this.seed + index);
    if (!isWhole) throw new ShapeCorruptError(this.handle, `entry ${index} of ${this.path} does not hold`);
    return {
      lsn: bytes.readBigUInt64LE(at),
      position: bytes.readUIntLE(at + 8, 5),
      end: bytes.readUIntLE(at + 13, 6),
      before: bytes.readUIntLE(at + 19, 3),
      behind: bytes.readUIntLE(at + 22, 3),
      entriesBehind: bytes.readUIntLE(at + 25, 3),
      sum: bytes.readUInt32LE(at + 28),
    };
  }
}

interface IndexEntry {
  readonly lsn: bigint;
  readonly position: number;
  readonly end: number;
  /** Bytes of the piece, up to the end and from there on. */
  readonly before: number;
  readonly behind: number;
  readonly entriesBehind: number;
  readonly sum: number;
}

function pieceOf({ end, before, behind, entriesBehind, sum }: IndexEntry, index: number): FoundPiece {
  return { piece: { at: end - before, bytes: before + behind, sum }, number: index, next: index + entriesBehind + 1 };
}

function isThrough(entry: IndexEntry, target: Pick<IndexEntry, 'lsn' | 'position'>): boolean {
  return entry.lsn < target.lsn || (entry.lsn === target.lsn && entry.position <= target.position);
}

function seedOf({ handle, generation }: IndexOwner): number {
  return crc32(generation === 0 ? handle : `${handle}.${generation}`);
}

function checksum(bytes: Buffer, at: number, seed: number): number {
  return crcOf(bytes, at, at + SUMMED_BYTES, seed % 2 ** 32);
}
