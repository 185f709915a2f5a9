/**
 * LogReader: the durable log, read back from its frames. A frame that does not hold is an error, never skipped.
 *
 * What is read stays bounded: a large transaction comes in parts. A part is given out only once it is certain that its
 * transaction commits, since a receiver could not take it back: so before the first part its frames are looked through up
 * to the commit, once for all readers. That is remembered of it, and which layouts its changes have: so the one who takes
 * the log to all others can pass over it without a read.
 */
import { maxPosition, type LogPosition, type LogRange } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { LogBlock, LoggedTransaction } from '../../model/transaction.ts';
import { LogCorruptError } from '../errors.ts';
import { CONTINUED, FIRST, FRAME_KINDS, type Frame } from './frame.ts';
import { decodeCommit, decodeRecord } from './frame-payloads.ts';
import type { RecordAt } from './shape-record.ts';
import { inOnePiece, TransactionAssembler } from './transaction-assembler.ts';
import type { BlockSizes, Survey } from './transaction-log.ts';
import { surveyTransaction } from './transaction-survey.ts';

/** Where an engine finds its frames again. */
export interface FrameSource {
  /** The frames of a range that begins and ends between two of them. @throws {LogCorruptError} at one that does not hold. */
  frames(range: LogRange): AsyncIterable<Frame>;
}

/** Where a transaction lies that commits. */
export interface TransactionExtent {
  readonly xid: Xid;
  readonly lsn: Lsn;
  /** From here to `after` no other one commits: a reader has yet to take this one, wherever it stands between. */
  readonly behind: LogPosition;
  /** Before its first frame, or before one of its later ones. */
  readonly after: LogPosition;
  /** Behind its commit frame. */
  readonly end: LogPosition;
  /** Of its changes behind `after`: what is large for one reader is not for another. */
  readonly bytes: number;
  /** Of its changes; undefined while nobody has told or looked. */
  readonly layouts: ReadonlySet<number> | undefined;
}

/** Readers of more large transactions at the same time look through the log again. */
const EXTENTS_MAX = 16;

export class LogReader {
  /** Of transactions that were large for somebody, the newest last. */
  private extents: readonly TransactionExtent[] = [];

  constructor(private readonly source: FrameSource) {}

  /** What the log's `read` promises. */
  async read(range: LogRange, sizes: BlockSizes): Promise<LogBlock> {
    const { fillBytes, wholeBytesMax } = sizes;
    const extent = this.extentAt(range);
    if (extent !== undefined && extent.bytes > wholeBytesMax) return await this.readPart(extent, range, fillBytes);
    const assembler = new TransactionAssembler();
    const transactions: LoggedTransaction[] = [];
    let bytes = 0;
    for await (const frame of this.source.frames(range)) {
      if (assembler.isIdle && isContinuation(frame)) return await this.readLarge(range.after, range, sizes);
      const transaction = assembler.take(frame);
      if (transaction !== undefined) {
        transactions.push(transaction);
        bytes += bytesOf(transaction);
        if (bytes >= fillBytes) return { after: range.after, through: transaction.end, transactions };
      } else if (assembler.bytes > wholeBytesMax) {
        const last = transactions.at(-1);
        if (last !== undefined) return { after: range.after, through: last.end, transactions };
        return await this.readLarge(assembler.start, range, sizes);
      }
    }
    return { ...range, transactions };
  }

  /** A large transaction was committed: whoever reads it need not look for its end. */
  remember(extent: TransactionExtent): void {
    this.extents = [...this.extents, extent].slice(-EXTENTS_MAX);
  }

  /** What the log's `surveyed` promises. */
  surveyed(range: LogRange, wholeBytesMax: number): Survey | undefined {
    const extent = this.extentAt(range);
    if (extent?.layouts === undefined || extent.bytes <= wholeBytesMax) return undefined;
    return { through: extent.end, layouts: [...extent.layouts] };
  }

  /** What the log's `survey` promises. */
  async survey(range: LogRange, signal: AbortSignal): Promise<Survey> {
    const survey = await surveyTransaction(this, range, signal);
    const layouts = new Set(survey.layouts);
    this.extents = this.extents.map((extent) => (extent.end === survey.through ? { ...extent, layouts } : extent));
    return survey;
  }

  async *records(range: LogRange): AsyncGenerator<RecordAt> {
    for await (const frame of this.source.frames(range)) {
      if (frame.kind === FRAME_KINDS.record) yield { record: decodeRecord(frame.payload), end: frame.end };
    }
  }

  /** @param from before a frame of the transaction. */
  private async readLarge(from: LogPosition, { after, through }: LogRange, sizes: BlockSizes): Promise<LogBlock> {
    const known = this.extentAt({ after: from, through });
    const found = known ?? (await this.extentFrom(from, { after, through }));
    if ('abandonedBefore' in found) return { ...(await this.read({ after: found.abandonedBefore, through }, sizes)), after };
    if (known === undefined) this.remember(found);
    return { ...(await this.readPart(found, { after: from, through }, sizes.fillBytes)), after };
  }

  /** The large transaction inside which, or before which, a reader stands. */
  private extentAt({ after, through }: LogRange): TransactionExtent | undefined {
    return this.extents.find(({ behind, end }) => behind <= after && after < end && end <= through);
  }

  /** Where the transaction ends of which a frame begins at `from`; or where the log goes on when it never committed. */
  private async extentFrom(from: LogPosition, range: LogRange): Promise<TransactionExtent | { abandonedBefore: LogPosition }> {
    const { after: behind, through } = range;
    let xid: Xid | undefined;
    let bytes = 0;
    for await (const frame of this.source.frames({ after: from, through })) {
      const { kind, payload, end } = frame;
      if (kind === FRAME_KINDS.commit) {
        return { xid: frame.xid, lsn: decodeCommit(payload).lsn, behind, after: from, end, bytes, layouts: undefined };
      }
      if (kind !== FRAME_KINDS.changes) continue;
      if (xid !== undefined && (frame.flags & FIRST) !== 0) return { abandonedBefore: frame.start };
      if (xid !== undefined && frame.xid !== xid) throw new LogCorruptError(frame.start, 'changes belong to no transaction');
      xid = frame.xid;
      bytes += payload.length;
    }
    return { abandonedBefore: through };
  }

  private async readPart({ xid, lsn, after: start, end }: TransactionExtent, { after }: LogRange, fillBytes: number): Promise<LogBlock> {
    const fragments: Uint8Array[][] = [];
    const part = (through: LogPosition): LogBlock => ({
      after,
      through,
      transactions: [{ xid, lsn, end, isUnfinished: through < end, fragments: fragments.map(inOnePiece) }],
    });
    let bytes = 0;
    for await (const frame of this.source.frames({ after: maxPosition(after, start), through: end })) {
      const { kind, flags, payload } = frame;
      if (kind !== FRAME_KINDS.changes) continue;
      const continues = (flags & CONTINUED) !== 0;
      if (bytes >= fillBytes && !continues) return part(frame.start);
      if (continues) fragments.at(-1)?.push(payload);
      else fragments.push([payload]);
      bytes += payload.length;
    }
    return part(end);
  }
}

/** Changes that do not begin a transaction: a reader goes on in the middle of it. */
function isContinuation({ kind, flags }: Frame): boolean {
  return kind === FRAME_KINDS.changes && (flags & FIRST) === 0;
}

function bytesOf({ fragments }: LoggedTransaction): number {
  return fragments.reduce((sum, fragment) => sum + fragment.length, 0);
}
