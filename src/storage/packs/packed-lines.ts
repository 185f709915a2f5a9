/**
 * PackedLines: brings the last lines of shapes into packs, with a checkpoint, as long as they are few. Two files for each shape that has
 * one line more, each opened, synced and closed, would cost a hundred times as much as the line.
 *
 * Memory lets go when they are durable there, as with files; they count when a checkpoint says where they lie. A shape whose tail has grown
 * gets, or goes on with, its own files: these take in what lies in packs. Blocks that have become many, or whose pack is to go, become one.
 */
import { joinedBytes } from '../../base/joined-bytes.ts';
import { inTurns } from '../../base/turn.ts';
import { ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { OfferedLines } from '../shapes/filed-lines.ts';
import { indexEntriesIn } from '../shapes/line-pieces.ts';
import { extentOf, NO_BLOCKS, packPlaceOf, type TailBlock } from '../shapes/line-tail.ts';
import type { ShapeFiles } from '../shapes/shape-files.ts';
import { withTail, type ShapeCapture, type ShapeState, type StoredShape } from '../shapes/stored-shape.ts';
import type { PackEmptying } from './pack-emptying.ts';
import type { PackPlace } from './pack-paths.ts';
import type { Packs } from './packs.ts';

export interface BroughtLines {
  /** Their lines are durable, and their states tell where. */
  readonly captures: readonly ShapeCapture[];
  /** Whose lines are to be saved in files. */
  readonly others: readonly ShapeCapture[];
  /** What lies in packs of these does not hold. */
  readonly damaged: readonly ShapeCorruptError[];
}

/** On its way into a pack. */
interface Bringing extends OfferedLines {
  readonly capture: ShapeCapture;
  readonly files: ShapeFiles;
  /** What becomes one block with these lines. */
  readonly taken: readonly TailBlock[];
}

/** With more, whoever reads them all would be slow. */
const BLOCKS_MAX = 16;
/**
 * So many become one already, of some shapes in each checkpoint: each block is read for that, and many shapes come to it at once. It is
 * the turn of one in `BLOCKS_MANY` of all, and at least of `JOINED_MIN`: so all have had theirs before they come to `BLOCKS_MAX`.
 */
const BLOCKS_MANY = 8;
const JOINED_MIN = 500;
/** So many are written together: between two groups others have their turn. */
const GROUP = 128;
/** Likewise, so many are looked through. */
const AT_ONCE = 512;

export interface PackedLinesOptions {
  readonly packs: Packs;
  readonly filesOf: (shape: StoredShape) => ShapeFiles | undefined;
  readonly emptying: Pick<PackEmptying, 'moves'>;
  /** A tail has no more. */
  readonly tailBytesMax: number;
}

export class PackedLines {
  constructor(private readonly options: PackedLinesOptions) {}

  /** @throws {DiskError} nothing was brought, and the same may be brought again. */
  async bring(captures: readonly ShapeCapture[]): Promise<BroughtLines> {
    const brought = { captures: new Array<ShapeCapture>(), others: new Array<ShapeCapture>(), damaged: new Array<ShapeCorruptError>() };
    const bringing: Bringing[] = [];
    let end = (): void => {};
    const over = new Promise<void>((resolve) => (end = resolve));
    try {
      let turns = Math.max(JOINED_MIN, Math.ceil(captures.length / BLOCKS_MANY));
      await inTurns(captures, AT_ONCE, (capture) => {
        const files = this.options.filesOf(capture.shape);
        if (files === undefined || !this.mayTake(capture, files)) return void brought.others.push(capture);
        if (!this.isToBring(capture, files)) return void brought.captures.push(withTail(capture, files.tail));
        const offered = this.offered(capture, files, over, turns > 0 ? BLOCKS_MANY : BLOCKS_MAX);
        if (offered.taken.length >= BLOCKS_MANY) turns -= 1;
        bringing.push(offered);
      });
      const written: Bringing[] = [];
      const places = await this.options.packs.append(groupsOf(bringing, written, brought.damaged));
      await inTurns(written, AT_ONCE, (each, index) => {
        const place = places[index];
        if (place !== undefined) brought.captures.push(this.take(each, place));
      });
    } finally {
      end();
    }
    return brought;
  }

  /** A checkpoint counts the states of these. */
  counted(changed: readonly { readonly files: ShapeFiles | undefined; readonly state: ShapeState }[]): void {
    for (const { files, state } of changed) {
      for (const block of files?.releasedBy(state.lines.tail ?? NO_BLOCKS) ?? []) this.options.packs.release(packPlaceOf(block));
    }
  }

  private mayTake({ shape, state }: ShapeCapture, { tail }: ShapeFiles): boolean {
    if (!shape.filed.isSettled) return false;
    const newBytes = state.lines.bytes - shape.filed.end.bytes;
    return newBytes === 0 || extentOf(tail).bytes + newBytes <= this.options.tailBytesMax;
  }

  private isToBring({ shape, state }: ShapeCapture, { tail }: ShapeFiles): boolean {
    return state.lines.bytes > shape.filed.end.bytes || this.isMoved(shape, tail);
  }

  private isMoved(shape: StoredShape, tail: readonly TailBlock[]): boolean {
    return tail.some((block) => this.options.emptying.moves(shape, block));
  }

  private offered(capture: ShapeCapture, files: ShapeFiles, over: Promise<void>, blocksMax: number): Bringing {
    const { shape, state } = capture;
    const isWhole = files.tail.length >= blocksMax || this.isMoved(shape, files.tail);
    return { capture, files, taken: isWhole ? files.tail : NO_BLOCKS, ...shape.filed.offer(state.lines.bytes, over) };
  }

  private take({ capture, files, taken, ...offered }: Bringing, place: PackPlace): ShapeCapture {
    const block = blockAt(place, taken, offered);
    this.options.packs.refer(place);
    files.putTail(taken.length > 0 ? [block] : [...files.tail, block]);
    capture.shape.filed.take(offered);
    return withTail(capture, files.tail);
  }
}

/** @param written told of each that comes, in order. */
async function* groupsOf(
  bringing: readonly Bringing[],
  written: Bringing[],
  damaged: ShapeCorruptError[],
): AsyncGenerator<readonly Uint8Array[]> {
  for (let from = 0; from < bringing.length; from += GROUP) {
    const group: Uint8Array[] = [];
    for (const each of bringing.slice(from, from + GROUP)) {
      const bytes = each.taken.length === 0 ? newBlock(each) : await oneBlock(each, damaged);
      if (bytes === undefined) continue;
      group.push(bytes);
      written.push(each);
    }
    yield group;
  }
}

function newBlock({ files, batches, from }: Bringing): Uint8Array {
  const { index, lines } = files.lines.blockOf(batches, from);
  return joinedBytes([...index, ...lines]);
}

/** @returns undefined where what is there does not hold, or is nobody's any more. */
async function oneBlock({ files, batches, from }: Bringing, damaged: ShapeCorruptError[]): Promise<Uint8Array | undefined> {
  try {
    const before = await files.lines.readTail();
    const { index, lines } = files.lines.blockOf(batches, from);
    return joinedBytes([...(before?.index ?? []), ...index, ...(before?.lines ?? []), ...lines]);
  } catch (error) {
    if (error instanceof ShapeCorruptError) damaged.push(error);
    else if (!(error instanceof ShapeGoneError)) throw error;
    return undefined;
  }
}

function blockAt({ pack, at }: PackPlace, taken: readonly TailBlock[], { from, batches }: OfferedLines): TailBlock {
  const before = extentOf(taken);
  const bytes = batches.reduce((sum, batch) => sum + batch.bytes.length, before.bytes);
  const count = batches.reduce((sum, batch) => sum + indexEntriesIn(batch), before.count);
  return { pack, at, bytes, count, after: taken[0]?.after ?? from.end };
}
