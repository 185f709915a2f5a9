/**
 * LogHead: the end of the log at which things are appended, the same for every engine. It knows the open transaction,
 * the layouts and the last commit, and keeps the newest transactions for readers.
 *
 * A position inside an open transaction must never be handed out: a reader that went on from there would lose the
 * transaction's beginning. So the settled end stays before the open transaction until it commits or is abandoned.
 */
import { invariant } from '../../base/invariant.ts';
import type { LogPosition } from '../../model/log-position.ts';
import { compareLsn, LSN_ZERO, maxLsn, type Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { RelationLayout } from '../../model/relation.ts';
import { CONTINUED, FIRST, FRAME_KINDS, type FrameKind } from './frame.ts';
import { encodeCommit, encodeJson, encodeSource } from './frame-payloads.ts';
import type { Layouts } from './layouts.ts';
import type { RecentCommits } from './recent-commits.ts';
import type { ShapeRecord } from './shape-record.ts';
import type { TailCache } from './tail-cache.ts';
import { FRAME_BYTES_MAX } from './transaction-log.ts';

/** What the next sync makes durable. */
export interface Settled {
  readonly end: LogPosition;
  readonly lsn: Lsn;
  /** Which stream `lsn` belongs to: those of another one say nothing about it. */
  readonly stream: number;
}

/** Where an engine takes frames. */
export interface FrameSink {
  /** Behind the last frame. */
  readonly end: LogPosition;
  /** @returns the payload as the engine keeps it: the caller's bytes may change afterwards. */
  put(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): Uint8Array;
}

interface OpenTransaction {
  readonly xid: Xid;
  /** Before its first frame. */
  readonly after: LogPosition;
  frameCount: number;
  bytes: number;
  /** Dropped when they outgrow the cache. */
  fragments: Uint8Array[] | undefined;
}

const NO_XID = 0 as Xid;

export class LogHead {
  private open: OpenTransaction | undefined;
  private stream = 0;

  constructor(
    private readonly sink: FrameSink,
    private readonly layouts: Layouts,
    private readonly tail: TailCache,
    private readonly recent: RecentCommits,
    private commitLsn: Lsn,
    private streamSource: string,
  ) {}

  get lastCommitLsn(): Lsn {
    return this.commitLsn;
  }

  get source(): string {
    return this.streamSource;
  }

  get settled(): Settled {
    return { end: this.open === undefined ? this.sink.end : this.open.after, lsn: this.commitLsn, stream: this.stream };
  }

  /** The commit LSN that `durable` vouches for: none when the stream was restarted since. */
  durableLsn(durable: Settled): Lsn {
    return durable.stream === this.stream ? durable.lsn : LSN_ZERO;
  }

  appendLayout(layout: Omit<RelationLayout, 'id'>): number {
    const known = this.layouts.idOf(layout);
    if (known !== undefined) return known;
    const added = this.layouts.add(layout);
    this.sink.put(FRAME_KINDS.layout, 0, NO_XID, encodeJson(added));
    return added.id;
  }

  appendChanges(xid: Xid, changes: Uint8Array): void {
    invariant(this.open === undefined || this.open.xid === xid, 'one transaction is open at a time');
    this.open ??= { xid, after: this.sink.end, frameCount: 0, bytes: 0, fragments: [] };
    const kept = this.putChanges(this.open, changes);
    this.open.bytes += kept.length;
    if (this.open.bytes > this.tail.bytesMax) this.open.fragments = undefined;
    this.open.fragments?.push(kept);
  }

  appendCommit(xid: Xid, lsn: Lsn): void {
    const open = this.open;
    if (open === undefined) {
      this.commitLsn = maxLsn(this.commitLsn, lsn);
      return;
    }
    invariant(open.xid === xid, 'the transaction that commits is the open one');
    invariant(compareLsn(lsn, this.commitLsn) > 0, `commit LSNs grow: ${lsn} follows ${this.commitLsn}`);
    this.sink.put(FRAME_KINDS.commit, 0, xid, encodeCommit({ lsn, frameCount: open.frameCount }));
    this.commitLsn = lsn;
    this.open = undefined;
    const end = this.sink.end;
    this.recent.push(xid, open.after, end);
    if (open.fragments === undefined) this.tail.skip(end);
    else this.tail.push({ xid, lsn, end, fragments: open.fragments });
  }

  abandon(): void {
    this.open = undefined;
  }

  restart(source: string): void {
    invariant(this.open === undefined, 'no transaction is open when a stream begins');
    this.sink.put(FRAME_KINDS.restart, 0, NO_XID, encodeSource(source));
    this.streamSource = source;
    this.commitLsn = LSN_ZERO;
    this.stream += 1;
    this.recent.forget();
  }

  private putChanges(open: OpenTransaction, changes: Uint8Array): Uint8Array {
    const first = open.frameCount === 0 ? FIRST : 0;
    open.frameCount += 1;
    const kept = this.sink.put(FRAME_KINDS.changes, first, open.xid, changes.subarray(0, FRAME_BYTES_MAX));
    if (changes.length <= FRAME_BYTES_MAX) return kept;
    for (let at = FRAME_BYTES_MAX; at < changes.length; at += FRAME_BYTES_MAX) {
      open.frameCount += 1;
      this.sink.put(FRAME_KINDS.changes, CONTINUED, open.xid, changes.subarray(at, at + FRAME_BYTES_MAX));
    }
    return changes.slice(); // In one piece, as readers need it.
  }

  appendRecord(record: ShapeRecord): void {
    this.sink.put(FRAME_KINDS.record, 0, NO_XID, encodeJson(record));
  }
}
