/**
 * LineTail: the last lines of a shape that have left the memory, as long as they are few. They lie in packs, with those of other shapes: a
 * block for each checkpoint that brought some. What lies before them is in the shape's own files, where it has any.
 *
 * A block is what the two files would have of these lines: first the entries of the index, with the numbers and places that they have in
 * the whole log, then the lines. So it is verified as they are, holds at its own place in the log of its own shape alone, and may come
 * behind what is in the files, or become one with other blocks, as it is.
 */
import { invariant } from '../../base/invariant.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { PackPlace } from '../packs/pack-paths.ts';
import { addressOf, compareAddresses, type LineAddress, type LineBatch } from './line-buffer.ts';
import { encodeIndex, INDEX_ENTRY_BYTES, LineIndex, type IndexOwner } from './line-index.ts';
import { piecesOf } from './line-pieces.ts';
import type { LinesPart } from './lines-part.ts';
import { verified, type Piece } from './piece.ts';
import type { ShapeFileAccess } from './shape-file-access.ts';

/** Plain JSON. */
export interface TailBlock {
  /** The number of the pack. */
  readonly pack: number;
  /** Where it begins in the pack. */
  readonly at: number;
  /** Of its lines. */
  readonly bytes: number;
  /** Entries of the index. */
  readonly count: number;
  /** Of the last line before it. */
  readonly after: LogOffset;
}

/** Of lines: their bytes, and their entries in an index. */
interface Extent {
  readonly bytes: number;
  readonly count: number;
}

export const NO_BLOCKS: readonly TailBlock[] = [];

/** All of it, with its entries. */
export function packPlaceOf({ pack, at, bytes, count }: TailBlock): PackPlace {
  return { pack, at, bytes: count * INDEX_ENTRY_BYTES + bytes };
}

export function extentOf(blocks: readonly TailBlock[]): Extent {
  return blocks.reduce((sum, { bytes, count }) => ({ bytes: sum.bytes + bytes, count: sum.count + count }), { bytes: 0, count: 0 });
}

/** The two halves of blocks, each as it would stand in its file. */
export interface BlockBytes {
  readonly index: readonly Uint8Array[];
  readonly lines: readonly Uint8Array[];
}

/** Of lines that come behind `place`. */
export function encodeBlock(batches: readonly LineBatch[], place: Extent, owner: IndexOwner): BlockBytes {
  return { index: [...indexOf(batches, place, owner)], lines: batches.map(({ bytes }) => bytes) };
}

export function* indexOf(batches: readonly LineBatch[], { bytes, count }: Extent, owner: IndexOwner): Generator<Buffer> {
  let number = count;
  for (const piece of piecesOf(batches, bytes)) {
    yield encodeIndex(piece, owner, number);
    number += piece.lines.length;
  }
}

/** A block, and what lies before it in the log. */
interface Placed extends Extent {
  readonly block: TailBlock;
}

export class LineTail {
  constructor(
    private readonly access: ShapeFileAccess,
    private readonly generation: number,
    /** What is in the files. */
    private readonly filedBytes: number,
    private readonly filedCount: number,
    /** In their order, one at least. */
    readonly blocks: readonly TailBlock[],
  ) {}

  /** That in which the first line behind `address` lies; undefined when that is in the files. */
  blockBehind(address: LineAddress): TailBlock | undefined {
    const found = this.blocks.findLast(({ after }) => compareAddresses(addressOf(after), address) <= 0);
    return found ?? (this.filedCount === 0 ? this.blocks[0] : undefined);
  }

  /** That which has entry `number`; likewise. */
  blockOf(number: number): TailBlock | undefined {
    return this.placed.findLast(({ count }) => count <= number)?.block;
  }

  /** @throws {ShapeGoneError | ShapeCorruptError} also when its pack is not there. */
  async read(block: TailBlock): Promise<BlockPart> {
    const { access, generation } = this;
    const before = this.placed.find((placed) => placed.block === block);
    invariant(before !== undefined, 'what is read is one of these');
    const { pack, at, bytes } = packPlaceOf(block);
    const path = access.paths.packs.pathOf(pack);
    const read = await access.reading(path, (file) => file.read(at, bytes));
    return new BlockPart(read, path, { handle: access.handle, generation }, block, before);
  }

  /** All of it. @throws as `read`. */
  async whole(): Promise<BlockBytes> {
    const whole: { index: Uint8Array[]; lines: Uint8Array[] } = { index: [], lines: [] };
    for (const block of this.blocks) {
      const part = await this.read(block);
      const { index, lines } = await part.whole();
      whole.index.push(...index);
      whole.lines.push(...lines);
    }
    return whole;
  }

  /** Made for who asks: most tails are never read, and every shape would keep it. */
  private get placed(): readonly Placed[] {
    let [bytes, count] = [this.filedBytes, this.filedCount];
    return this.blocks.map((block) => {
      const placed = { block, bytes, count };
      [bytes, count] = [bytes + block.bytes, count + block.count];
      return placed;
    });
  }
}

/** A block in memory. */
export class BlockPart implements LinesPart {
  private readonly index: LineIndex;
  private readonly indexBytes: number;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly path: string,
    private readonly owner: IndexOwner,
    readonly block: TailBlock,
    private readonly before: Extent,
  ) {
    this.indexBytes = block.count * INDEX_ENTRY_BYTES;
    const entries = { read: (at: number, length: number) => Promise.resolve(bytes.subarray(at, Math.min(at + length, this.indexBytes))) };
    const span = { first: before.count, start: before.bytes, end: before.count + block.count };
    this.index = new LineIndex(entries, path, owner, span);
  }

  has(number: number): boolean {
    return number >= this.before.count && number < this.before.count + this.block.count;
  }

  readIndex<T>(action: (index: LineIndex) => Promise<T>): Promise<T> {
    return action(this.index);
  }

  async readPiece(piece: Piece): Promise<Uint8Array> {
    const from = this.indexBytes + piece.at - this.before.bytes;
    const inPack = { ...piece, at: this.block.at + from }; // What is told of damage names the place in the pack.
    return verified(this.bytes.subarray(from, from + piece.bytes), this.path, this.owner.handle, inPack, 0);
  }

  /** As it is, when all of it was found to hold. @throws {ShapeCorruptError} */
  async whole(): Promise<BlockBytes> {
    const { before, block, bytes, indexBytes } = this;
    const end = before.count + block.count;
    await this.index.lines(before.count, end);
    for (let number = before.count; number < end; ) {
      const { piece, next } = await this.index.pieceOfEntry(number);
      await this.readPiece(piece);
      number = next;
    }
    return { index: [bytes.subarray(0, indexBytes)], lines: [bytes.subarray(indexBytes)] };
  }
}
