/**
 * LogWriter: brings frames to the segments in groups. A frame gets its place when it is put, so that positions are
 * known at once; the bytes go to the disk with the next `flush`, and count only when its sync has ended.
 *
 * Each group begins with a frame that says how far the log was durable before: so recovery can tell a tail that never
 * arrived from durable data that was damaged.
 *
 * A sync that failed is never repeated: the kernel may have dropped the pages and forgotten the error, and a second one would
 * promise what is not there. So a group that the disk refused is kept, and when the disk is tried again it is written anew: the log
 * is cut back to what was durable before it, what is there is held against its checksums, and the same bytes come to the same
 * places. What a stop finds in between is a torn tail like any other.
 */
import { GrowableBytes } from '../../base/growable-bytes.ts';
import { maxPosition, type LogPosition } from '../../model/log-position.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { DiskFile } from '../disk/disk.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { errorOf, LogCorruptError, passDiskError } from '../errors.ts';
import { FRAME_HEADER_BYTES, FRAME_KINDS, writeFrame, type FrameKind } from './frame.ts';
import { FrameMemory, type FrameRun } from './frame-memory.ts';
import { encodePosition } from './frame-payloads.ts';
import type { FrameSink } from './framed-log.ts';
import { SegmentCursor } from './segment-cursor.ts';
import type { Segments } from './segments.ts';
import type { RetainedLog } from './transaction-log.ts';

export interface Preamble {
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

/** Frames of one group that go to one segment. */
interface Stretch {
  /** Where its segment begins. */
  readonly first: LogPosition;
  readonly runs: FrameRun[];
}

const WRITE_BYTES = 1024 * 1024;
const STREAMED: ReadonlySet<FrameKind> = new Set([FRAME_KINDS.durable, FRAME_KINDS.changes, FRAME_KINDS.commit, FRAME_KINDS.held]);
const NO_XID = 0 as Xid;

export class LogWriter implements FrameSink {
  private group: Stretch[] = [];
  /** Of the stream's own frames. */
  private readonly streamed = new FrameMemory();
  /** Of all others: no reader keeps them, and none is to keep them with a transaction that lies between. */
  private readonly passing = new FrameMemory();
  /** Where runs are put together on their way to the disk: there is one write at a time. */
  private readonly outgoing = new GrowableBytes(0);
  private file: { readonly first: LogPosition; readonly file: DiskFile } | undefined;
  /** Behind the preamble of the last segment, when this writer began it. */
  private contentStart: LogPosition | undefined;
  private failure: Error | undefined;
  /** Before the group that was synced last. */
  private syncedBefore: LogPosition;

  constructor(
    private readonly segments: Segments,
    private readonly standing: DiskStanding,
    private readonly segmentBytesMax: number,
    /** What the segment at `first` begins with, before anything that refers to it. */
    private readonly preamble: (first: LogPosition) => Iterable<Preamble>,
    /** Behind the last frame. */
    public end: LogPosition,
    /** Where the segment of the last frame begins. */
    private first: LogPosition,
    /** Behind the last frame that a power cut would leave. */
    private synced: LogPosition,
  ) {
    this.syncedBefore = synced;
  }

  get retained(): RetainedLog {
    const { firsts } = this.segments;
    return { bytes: this.end - (firsts[0] ?? this.end), segments: firsts.length };
  }

  /** @throws whatever the disk threw that nobody tries again: from then on the log takes nothing. */
  put(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): void {
    this.makeWay(payload);
    this.place(kind, flags, xid, payload);
  }

  putKept(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): Uint8Array {
    this.makeWay(payload);
    const { memory, end } = this.place(kind, flags, xid, payload);
    return memory.subarray(end - payload.length, end);
  }

  testify(): void {
    this.place(FRAME_KINDS.durable, 0, NO_XID, encodePosition(this.synced));
  }

  /** Opens the log's first segment. */
  beginSegment(first: LogPosition): void {
    this.first = first;
    this.group.push({ first, runs: [] });
    for (const { kind, payload } of this.preamble(first)) this.place(kind, 0, NO_XID, payload);
    this.contentStart = this.end;
  }

  async flush(): Promise<void> {
    this.refuseAfterFailure();
    const group = this.group;
    const end = this.end;
    this.group = [];
    let wasRefused = false;
    try {
      await this.standing.insist(async () => {
        if (wasRefused) await this.goBack(group);
        wasRefused = true;
        await this.bring(group);
      });
    } catch (error) {
      this.failure = errorOf(error);
      throw error;
    }
    if (end === this.synced) return;
    this.segments.witness.tell(end);
    this.syncedBefore = this.synced;
    this.synced = end;
  }

  /** Removes the segments that lie before `position` as a whole. */
  async release(position: LogPosition): Promise<void> {
    for (const first of this.segments.firsts) {
      const next = this.segments.after(first);
      // The next segment repeats all layouts. Its head is durable: it begins behind a frame that came after the last sync, and
      // nobody has taken what is not durable, so who has come as far as its beginning has come past its head's sync.
      if (next === undefined || next > position) return;
      await this.segments.remove(first);
    }
  }

  async close(): Promise<void> {
    await this.file?.file.close();
    this.file = undefined;
    await this.segments.witness.close();
  }

  private makeWay(payload: Uint8Array): void {
    this.refuseAfterFailure();
    if (this.group.length === 0) this.testify();
    if (this.isFull(payload.length)) this.beginSegment(this.end);
  }

  private refuseAfterFailure(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** A segment holds a frame at least behind its preamble, however small it may be. */
  private isFull(payloadBytes: number): boolean {
    if (this.end === this.contentStart) return false;
    return this.end - this.first + FRAME_HEADER_BYTES + payloadBytes > this.segmentBytesMax;
  }

  /** @returns the run that the frame is the end of. */
  private place(kind: FrameKind, flags: number, xid: Xid, payload: Uint8Array): FrameRun {
    let stretch = this.group.at(-1);
    if (stretch === undefined) this.group.push((stretch = { first: this.first, runs: [] }));
    const bytes = FRAME_HEADER_BYTES + payload.length;
    const last = stretch.runs.at(-1);
    const run = (STREAMED.has(kind) ? this.streamed : this.passing).extend(last, bytes);
    if (run !== last) stretch.runs.push(run);
    writeFrame(run.memory, run.end - bytes, this.end, { kind, flags, xid, payload });
    this.end = (this.end + bytes) as LogPosition;
    return run;
  }

  private async bring(group: readonly Stretch[]): Promise<void> {
    const [first, ...more] = group;
    if (first === undefined) return;
    if (more.length === 0 && isOnePiece(first)) {
      const file = this.openFile(first.first) ?? (await this.fileOf(first.first));
      return file.appendSynced(this.joined(first.runs));
    }
    for (const stretch of group) await this.write(stretch);
    await this.file?.file.sync();
  }

  /**
   * Leaves nothing of a group that was refused. Segments that begin with it go first, the last one before the others, each durably:
   * one that stayed behind a segment that is cut, or gone, would be a log with a gap.
   *
   * @throws {LogCorruptError} the disk has lost what it had made durable.
   */
  private async goBack(group: readonly Stretch[]): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.file.close().catch(passDiskError);
    const begun = group.map(({ first }) => first).filter((first) => first >= this.synced);
    for (const first of begun.toReversed()) {
      await this.segments.remove(first);
      await this.segments.disk.syncDirectory(this.segments.directory);
    }
    const first = this.segments.holding(this.synced);
    if (first !== undefined) await this.cut(first);
  }

  private async cut(first: LogPosition): Promise<void> {
    const file = await this.segments.disk.open(this.segments.pathOf(first), 'write');
    this.file = { first, file };
    const size = this.synced - first;
    const found = await this.wholeThrough(file, first);
    if (found < this.synced) throw new LogCorruptError(found, `it was durable up to ${this.synced}`);
    if (file.size > size) await file.truncate(size);
  }

  /** How far what was synced last holds. */
  private async wholeThrough(file: DiskFile, first: LogPosition): Promise<LogPosition> {
    const end = Math.min(this.synced, first + file.size) as LogPosition;
    const cursor = new SegmentCursor(file, first, maxPosition(first, this.syncedBefore), end);
    let frame = await cursor.read();
    while (typeof frame !== 'string') frame = await cursor.read();
    return cursor.position;
  }

  private async write({ first, runs }: Stretch): Promise<void> {
    const file = await this.fileOf(first);
    for (let from = 0; from < runs.length; ) {
      let to = from + 1;
      for (let bytes = bytesOf(runs[from]); to < runs.length; to += 1) {
        bytes += bytesOf(runs[to]);
        if (bytes > WRITE_BYTES) break;
      }
      await file.append(this.joined(runs.slice(from, to)));
      from = to;
    }
  }

  /** The bytes hold until the next are joined. */
  private joined(runs: readonly FrameRun[]): Uint8Array {
    const parts = runs.map(({ memory, start, end }) => memory.subarray(start, end));
    const [only] = parts;
    if (only !== undefined && parts.length === 1) return only;
    for (const part of parts) this.outgoing.appendBytes(part);
    return this.outgoing.lend();
  }

  /** Mostly it is: then the write is on its way when `flush` returns, and whoever asked for it does something else meanwhile. */
  private openFile(first: LogPosition): DiskFile | undefined {
    return this.file?.first === first ? this.file.file : undefined;
  }

  /** A segment is durable before the next one begins: so only the last one can have a torn tail. */
  private async fileOf(first: LogPosition): Promise<DiskFile> {
    const open = this.openFile(first);
    if (open !== undefined) return open;
    if (this.file !== undefined) {
      const { file } = this.file;
      await file.sync();
      this.file = undefined;
      await file.close();
    }
    const file = await this.segments.disk.open(this.segments.pathOf(first), 'write');
    this.file = { first, file };
    if (!this.segments.has(first)) {
      await file.truncate(0); // A file of this name can only be one whose removal a power cut undid.
      await this.segments.disk.syncDirectory(this.segments.directory);
      this.segments.add(first);
    }
    return file;
  }
}

/** Most groups are: they are written and synced on one way to the disk. */
function isOnePiece({ runs }: Stretch): boolean {
  return runs.reduce((bytes, run) => bytes + bytesOf(run), 0) <= WRITE_BYTES;
}

function bytesOf(run: FrameRun | undefined): number {
  return run === undefined ? 0 : run.end - run.start;
}
