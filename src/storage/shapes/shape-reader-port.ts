/**
 * Shape reader: brings a part of a shape's log into memory, in values, for a process that follows the shape.
 *
 * A block never holds an entry behind the offset that was asked for: what lies there is announced to the follower by
 * itself, and would be applied twice. And it never holds more than a bounded number of bytes, or one entry, so that the
 * memory of a follower does not grow with the history that it reads. While the disk fails as a whole, whoever asked waits.
 */
import { invariant } from '../../base/invariant.ts';
import { placeAt, refuseKind, UnreadableEntryError, type EntryPlace, type EntryRange, type LogEntry } from '../../model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, isInSnapshot, snapshotChunkIndex, type LogOffset } from '../../model/log-offset.ts';
import type { PlacedRow, RowValues } from '../../model/row-values.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, PortSpec } from '../../otp/process.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { ShapeCorruptError, ShapeGoneError } from '../errors.ts';
import type { ShapeBlocks } from './shape-blocks.ts';
import type { EntryGroups, ShapeLog, ShapeLogs } from './shape-logs.ts';

export const BLOCK_BYTES_MAX = 256 * 1024;

/** What is written in rows is known to the room that writes them. */
export interface RowReader {
  /** @param line a row's entry. @throws {UnreadableEntryError} */
  read(line: Uint8Array): RowValues;
}

/**
 * @param readerOf for whoever follows `column`.
 * @param blockBytesMax of the lines in a block, commas included.
 */
export function shapeReaderPort(
  { shapes, disk }: { readonly shapes: Pick<ShapeLogs, 'get'>; readonly disk: Pick<DiskStanding, 'insist'> },
  blocks: ShapeBlocks,
  readerOf: (column: string) => RowReader,
  blockBytesMax = BLOCK_BYTES_MAX,
): PortSpec {
  const draftOf = ({ column, after }: Parameters): BlockDraft => new BlockDraft(after, readerOf(column), blockBytesMax);
  const handOver = ({ owner, after }: Parameters, block: Block): Message => {
    blocks.put(owner, block, block.rows);
    return { type: 'history.blockRead', after, through: block.through };
  };
  return {
    name: '@shape-reader',
    open: ({ send }) => ({
      /** The way from a move to those who look its values up leads through here: what has just been published is in memory. */
      atOnce: {
        readBlock(request) {
          const asked = parameters(request);
          const block = keptBlock(shapes.get(asked.handle), draftOf(asked), asked.through);
          return block && handOver(asked, block);
        },
      },
      requests: {
        async readBlock(request) {
          const asked = parameters(request);
          const { handle, through } = asked;
          const condemn = (why: string): void => send(`@consumer/${handle}`, { type: 'stop', cause: { delete: why, isDamaged: true } });
          const block = await unlessDamaged(condemn, () => disk.insist(() => readBlock(shapes.get(handle), draftOf(asked), through)));
          return block === undefined ? { type: 'history.isGone' } : handOver(asked, block);
        },
      },
    }),
  };
}

type Block = EntryRange & { readonly rows: readonly PlacedRow[] };

/**
 * @param condemn told when the shape's bytes are damaged: its end is then on its way to everybody who follows it.
 * @returns undefined when the shape was deleted, before or meanwhile, or is condemned.
 */
async function unlessDamaged(condemn: (why: string) => void, reading: () => Promise<Block | undefined>): Promise<Block | undefined> {
  try {
    return await reading();
  } catch (error) {
    if (error instanceof ShapeCorruptError || error instanceof UnreadableEntryError) condemn(error.message);
    else if (!(error instanceof ShapeGoneError)) throw error;
    return undefined;
  }
}

async function readBlock(log: ShapeLog | undefined, draft: BlockDraft, through: LogOffset): Promise<Block | undefined> {
  const read = log?.read(draft.after.offset);
  if (read === undefined) return undefined;
  invariant(read.outcome === 'entries', 'a follower reads only what it was told can be read');
  for await (const entries of read.entries(draft.after.bytes)) {
    const full = draft.filled([entries], through);
    if (full !== undefined) return full;
  }
  return draft.endAt(firstOf(read.end, through));
}

/** @returns undefined for what is not in memory, and where only `readBlock` has an answer. */
function keptBlock(log: ShapeLog | undefined, draft: BlockDraft, through: LogOffset): Block | undefined {
  const { offset } = draft.after;
  if (log === undefined || offset === BEFORE_ALL || snapshotChunkIndex(offset) !== undefined) return undefined;
  const read = log.read(offset);
  if (read.outcome !== 'entries') return undefined;
  const groups = read.entries(draft.after.bytes);
  return isKept(groups) ? unlessUnreadable(() => draft.filled(groups, through) ?? draft.endAt(firstOf(read.end, through))) : undefined;
}

function unlessUnreadable(reading: () => Block): Block | undefined {
  try {
    return reading();
  } catch (error) {
    if (error instanceof UnreadableEntryError) return undefined;
    throw error;
  }
}

function isKept(groups: EntryGroups): groups is readonly Iterable<LogEntry>[] {
  return Array.isArray(groups);
}

function firstOf(end: LogOffset, through: LogOffset): EntryPlace {
  return placeAt(compareOffsets(end, through) < 0 ? end : through);
}

/** A block while it is filled. */
class BlockDraft {
  private readonly rows: PlacedRow[] = [];
  private bytes = 0;
  /** Behind the last entry taken. */
  place: EntryPlace;

  constructor(
    readonly after: EntryPlace,
    private readonly reader: RowReader,
    private readonly bytesMax: number,
  ) {
    this.place = after;
  }

  /** @returns the block, once it is full or has come to its end. */
  filled(groups: Iterable<Iterable<LogEntry>>, through: LogOffset): Block | undefined {
    for (const entries of groups) {
      for (const entry of entries) {
        if (compareOffsets(entry.offset, through) > 0) return this.endAt(placeAt(through));
        if (!this.hasRoomFor(entry)) return this.endAt(this.place);
        this.take(entry);
      }
    }
    return undefined;
  }

  endAt(through: EntryPlace): Block {
    return { after: this.after, through, rows: this.rows };
  }

  /** The first entry has room, whatever its size: else it could never be read. */
  private hasRoomFor({ bytes }: LogEntry): boolean {
    return this.bytes === 0 || this.bytes + bytes.length + 1 <= this.bytesMax;
  }

  private take({ kind, offset, bytes }: LogEntry): void {
    if (kind === 'row') this.rows.push({ offset, ...this.reader.read(bytes) });
    else if (kind !== 'control') refuseKind(kind); // A control tells no row.
    this.bytes += bytes.length + 1;
    this.place = isInSnapshot(offset) ? { offset: this.after.offset, bytes: this.after.bytes + this.bytes } : placeAt(offset);
  }
}

interface Parameters {
  readonly owner: string;
  readonly handle: Handle;
  readonly column: string;
  readonly after: EntryPlace;
  readonly through: LogOffset;
}

function parameters({ owner, handle, column, after, through }: Message): Parameters {
  const areNamed = [owner, handle, column, through].every((part) => typeof part === 'string');
  invariant(areNamed, 'a block has an owner, a handle, a column, a place and an offset');
  return {
    owner: owner as string,
    handle: handle as Handle,
    column: column as string,
    after: after as EntryPlace,
    through: through as LogOffset,
  };
}
