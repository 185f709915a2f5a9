/** TransactionAssembler: makes whole transactions of the log's frames, and finds any that does not add up. */
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { LoggedTransaction } from '../../model/transaction.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import { LogCorruptError } from '../errors.ts';
import { CONTINUED, FIRST, FRAME_KINDS, type Frame } from './frame.ts';
import { decodeCommit } from './frame-payloads.ts';

export class TransactionAssembler {
  private xid: Xid | undefined;
  /** Each in the pieces in which it lies in the log. */
  private fragments: Uint8Array[][] = [];
  private frameCount = 0;
  private openBytes = 0;
  private openStart = LOG_START;

  /** No transaction is open. */
  get isIdle(): boolean {
    return this.xid === undefined;
  }

  /** Bytes of changes in the open transaction. */
  get bytes(): number {
    return this.openBytes;
  }

  /** Before the first frame of the open transaction. */
  get start(): LogPosition {
    return this.openStart;
  }

  /** @returns the transaction that `frame` completes. */
  take(frame: Frame): LoggedTransaction | undefined {
    if (frame.kind === FRAME_KINDS.changes) this.takeChanges(frame);
    return frame.kind === FRAME_KINDS.commit ? this.commit(frame) : undefined;
  }

  private takeChanges(frame: Frame): void {
    if ((frame.flags & FIRST) !== 0) {
      this.begin(frame.xid);
      this.openStart = frame.start;
    }
    if (frame.xid !== this.xid) throw new LogCorruptError(frame.start, 'changes belong to no transaction');
    this.frameCount += 1;
    this.openBytes += frame.payload.length;
    if ((frame.flags & CONTINUED) === 0) this.fragments.push([frame.payload]);
    else this.fragments.at(-1)?.push(frame.payload);
  }

  private commit(frame: Frame): LoggedTransaction {
    const { lsn, frameCount } = decodeCommit(frame.payload);
    if (frame.xid !== this.xid || frameCount !== this.frameCount) {
      throw new LogCorruptError(frame.start, 'a commit does not fit its changes');
    }
    const transaction = { xid: frame.xid, lsn, end: frame.end, isUnfinished: false, fragments: this.fragments.map(inOnePiece) };
    this.begin(undefined);
    return transaction;
  }

  private begin(xid: Xid | undefined): void {
    this.xid = xid;
    this.fragments = [];
    this.frameCount = 0;
    this.openBytes = 0;
  }
}

export function inOnePiece(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}
