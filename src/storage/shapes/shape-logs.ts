/**
 * ShapeLogs: every shape's own log, as entries in the bytes that clients get. Derived from the transaction log, a
 * checkpoint of it, and never ahead of its durable end.
 *
 * A shape's log is a snapshot (chunks, in a file of its own or, where it is small, among others in a pack) and the lines of replicated
 * operations behind it. The last lines, and small snapshots that are new, live in memory; `checkpoint` brings them to the disk, together
 * with how far the transaction log has been taken. After a crash they are made again from the transaction log: same bytes at the same
 * offsets.
 */
import type { Forkable } from '../../base/fork.ts';
import type { EntryRuns, LogEntry } from '../../model/log-entry.ts';
import type { JoinedLines } from '../../model/joined-lines.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { PlacedLines } from '../../model/placed-lines.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { Splice } from '../log/shape-record.ts';
import type { PackPlace } from '../packs/pack-paths.ts';
import type { ChunkSums } from './piece.ts';
import type { MovedWriter } from './shape-store.ts';

/**
 * A copy, with what lies in memory, is for a checker that goes back to it. Who writes a snapshot, or waits for something,
 * goes on with the original alone. Logs on a disk refuse to be copied.
 */
export interface ShapeLogs extends Forkable<ShapeLogs> {
  /** How far every stored shape has taken the transaction log, by the last `advance`, or the last checkpoint before it. */
  readonly position: LogPosition;
  /**
   * Before here nobody needs the transaction log any more, by the last checkpoint and by where the shapes stand at this
   * instant: it also falls, when a snapshot sends its shape back.
   */
  readonly releasable: LogPosition;
  /** Bytes of the file that the checkpoints are in; 0 before this process has made one. */
  readonly checkpointBytes: number;
  /** The disk refuses what must be written, so it waits, and whoever must write may be silent. */
  readonly isHeldUp: boolean;
  /**
   * Bytes of lines, and of small snapshots, that are in memory only: what the next `checkpoint` would bring to the disk. Its caller keeps
   * them bounded.
   */
  readonly unsavedBytes: number;
  /** Resolves when there are more unsaved bytes than `bytesMax`, at once when there are already; and when `signal` is aborted. */
  whenUnsaved(bytesMax: number, signal: AbortSignal): Promise<void>;
  /** The collector says: every shape has taken the log up to `position`, except those that lag and read on from their own. */
  advance(position: LogPosition): void;

  /**
   * Begins a shape's log and appends `shape.created` to the transaction log.
   *
   * @param isInner it is made because another shape names it, and nobody has asked for it.
   * @throws when `handle` exists: a handle is never reused.
   */
  create(handle: Handle, definition: ShapeDefinition, dependsOn?: readonly Handle[], isInner?: boolean): ShapeLog;
  get(handle: Handle): ShapeLog | undefined;
  /** How many there are. */
  readonly count: number;
  all(): Iterable<ShapeLog>;
  /** Those that depend on the shape directly. Costs as much as they are, whatever number of others there is. */
  dependantsOf(handle: Handle): Iterable<ShapeLog>;
  /** Appends `shape.deleted`; readers find nothing from now on; its files go once the record is durable. Unknown handles change nothing. */
  delete(handle: Handle, why: string): void;

  /**
   * Brings all lines of a shape out of the memory, also those that nobody may see yet: so that a transaction may be larger
   * than the memory. They count only once they were published, and durable only with the next `checkpoint`.
   *
   * @throws {ShapeCorruptError} its files do not hold.
   * @throws {ShapeRefusedError} the device fails its files alone: nothing is lost, and the same call may be repeated, for a short time.
   * @throws {DiskError} a refusal: nothing is lost, and the same call may be repeated; any other: its owner must crash.
   */
  spill(handle: Handle): Promise<void>;
  /**
   * Brings what is in memory to the disk and remembers `position`, so that the transaction log before it (and before the
   * position of each lagging shape) can be released: `releasable` says how far. Does not release.
   *
   * @throws {CheckpointDeferredError} files of some shapes do not hold, or are refused; nothing was remembered: delete those that it names,
   * and call again.
   * @throws {DiskError} a refusal: nothing was remembered, and the same call may be repeated; any other: its owner must crash.
   */
  checkpoint(): Promise<void>;
  /** Files that nobody needs any more and that the device does not remove: of how many shapes. It is tried again now and then. */
  readonly leftCount: number;
  close(): Promise<void>;
}

/** Entry by entry, a piece at a time; as a list where all of them are in memory. */
export type EntryGroups = readonly Iterable<LogEntry>[] | AsyncIterable<Iterable<LogEntry>>;

export interface ShapeLog {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  /** The inner shapes, in the order of `definition.dependencies`. */
  readonly dependsOn: readonly Handle[];
  /** It was made because another shape names it, and no client has asked for it since. */
  readonly isInner: boolean;
  /** A client asks for it. The first time this appends `shape.requested`, durable with the next sync: lost, it costs a client a refetch. */
  noteRequest(): void;
  /** Offset of the last entry that readers may see; `0_inf` while no operation was replicated. */
  readonly end: LogOffset;
  /** Bytes of the lines that readers may see, behind the snapshot. */
  readonly lineBytes: number;
  /** Bytes of the snapshot, as far as it has come. */
  readonly snapshotBytes: number;
  /** Bytes that it takes of the disk, or will take with the next checkpoint: snapshot, lines and index. */
  readonly storedBytes: number;
  /**
   * What lies up to here was compacted: of a row's updates there may be the last one alone, which tells what those before it told.
   * `0_inf` where nothing was. Whoever has read to any place before reads on from there.
   */
  readonly compactedThrough: LogOffset;
  /**
   * How far this shape has taken the transaction log (see `Pace`): a replay leaves out transactions that end at or before it.
   * A new shape stands alone where it was created, or where its snapshot sent it back to, until a `publish` reaches
   * `ShapeLogs.position`. From then on it goes along with the others, until its next Consumer begins with `discard`.
   */
  readonly position: LogPosition;
  /**
   * While it lags: it holds what Postgres had logged up to here, and what its own lines tell, but perhaps nothing else. What
   * all others hold says nothing about it. Undefined while it goes along.
   */
  readonly waitsAt: Lsn | undefined;
  /**
   * Up to where the shape has published by itself, where it needs no Consumer before something touches it: its snapshot is whole, it goes
   * along with the others, and it depends on none. Undefined for any other.
   */
  readonly restsAt: LogPosition | undefined;
  /** The LSN of the last entry; undefined for a shape that depends on others: moves may be to come that lie before its entries. */
  readonly reached: Lsn | undefined;
  readonly snapshot: SnapshotState;
  /**
   * While it is set, transactions that this snapshot sees are left out. It is undefined from the first transaction on that was
   * logged after the snapshot. Kept across restarts.
   */
  readonly filterBy: PgSnapshot | undefined;

  // The snapshot's writer: one, from the query to the end.
  /**
   * Called once, when the query's snapshot is known and before any row. Sets `position` back to before the first transaction
   * of the log that the snapshot does not see: its Consumer begins there.
   */
  beginSnapshot(pgSnapshot: PgSnapshot): SnapshotWriter;

  // Views: for each dependency, by which version of its values the next line is chosen. None for a shape without dependencies.
  readonly views: readonly LogOffset[];
  /** Likewise behind the last splice that is recorded. */
  readonly recordedViews: readonly LogOffset[];
  /** All splices begin behind here, also those that brought no line, and so does every line that comes now. */
  readonly placedBehind: LogOffset;
  /**
   * An earlier process may have shown readers what comes of the log up to here, perhaps more than was saved: it must be made again as it
   * was, so no view changes before but by a splice that is recorded.
   */
  readonly shownThrough: LogPosition;
  /**
   * The same of the lines that readers see: a replay begins with these. While the snapshot is written, those by which its rows are
   * chosen. No older ones are asked about.
   */
  readonly storedViews: readonly LogOffset[];
  /** By which the lines end that readers see; those of the snapshot are chosen by older ones where it is still being written. */
  readonly publishedViews: readonly LogOffset[];
  /** Of a shape without rows: those of its snapshot are chosen by these. */
  beginViews(views: readonly LogOffset[]): void;
  /** Recorded, and with its lines still to be made when the shape stands at its place. */
  readonly nextSplice: Splice | undefined;
  /** For the rows that the next splice to be recorded brings. */
  beginMoved(): MovedWriter;
  /**
   * The rows of `nextSplice` from byte `at` on, which is 0 or where the part before ended: it may end in the middle of a line.
   *
   * @throws {ShapeCorruptError | ShapeGoneError} as a read does.
   */
  readMoved(at: number): Promise<Uint8Array>;
  /** The same of few rows, which the record has; undefined where there are none. @throws {ShapeCorruptError} likewise. */
  readMovedNow(at: number): Uint8Array | undefined;
  /** Appends the record. It must be durable before a line of it is published. */
  recordSplice(splice: Omit<Splice, 'number'>): Splice;
  /** The lines of `nextSplice` were appended: its views hold from here on, and what its query saw is left out. */
  takeSplice(): void;

  // The log's writer: the shape's Consumer alone.
  /** Adds a copy of a line behind the log; nobody sees it before `publish`. Lines at or below `end` are dropped: a replay is idempotent. */
  append(lsn: Lsn, position: number, line: Uint8Array): void;
  /** The same of lines of one transaction. */
  appendAll(lsn: Lsn, lines: PlacedLines): void;
  /**
   * Shows readers all lines so far: called at the end of a transaction, or of several.
   *
   * @param pace `behind` while the others go on without waiting for this shape: it lags, however far it has come.
   */
  publish(position: LogPosition, pace?: 'behind'): LogOffset;
  /**
   * The others go on without it: from here on the shape lags.
   *
   * @param at how far in Postgres's log all have come that do not lag; zero when that is not known.
   */
  leavePace(at: Lsn): void;
  /** A Consumer begins: forgets the lines that the last one did not publish. From here on the shape lags. */
  discard(at: Lsn): void;
  stopFiltering(): void;

  // The collector.
  /** False between the next two: a position that all have passed says nothing about this shape, and no `publish` has it go along. */
  readonly isBrought: boolean;
  /** Nothing is brought to the shape's Consumer any more, which does not know yet. From here on the shape lags. @param at as above. */
  leaveBehind(at: Lsn): void;
  /** The Consumer has registered: from now on it is brought what comes. */
  bringAgain(): void;

  // Readers: any number.
  /** What `read` comes to now. It is read by nobody, and not noted as read. */
  outcome(after: LogOffset): ShapeRead['outcome'];
  /** What a request from `after` gets, decided at once and from one instant. */
  read(after: LogOffset): ShapeRead;
  /**
   * For who looks at the last entries: from where to read so that these are no more than `bytesMax`, or those since the last chunk closed.
   * `0_inf` where all operations lie behind it.
   */
  tailFrom(bytesMax: number): LogOffset;
}

export type SnapshotState =
  | { readonly state: 'awaited' }
  | { readonly state: 'writing'; readonly pgSnapshot: PgSnapshot; readonly chunkCount: number }
  | WholeSnapshotState;

export interface WholeSnapshotState {
  readonly state: 'complete';
  readonly pgSnapshot: PgSnapshot;
  readonly chunks: readonly ChunkSums[];
  /** Where its bytes lie, if they have no file of their own. */
  readonly packed?: PackPlace;
  /** Its bytes as base64, as its record has them, while no checkpoint counts them elsewhere. */
  readonly fewRows?: string;
}

export interface SnapshotWriter {
  /** Appends rows, each a JSON line without a separator; readable at once. Await it: it resolves when more may be written. */
  write(lines: readonly Uint8Array[]): Promise<void>;
  /** The same of lines that lie there already as they lie in the file. The bytes are the caller's again when it resolves. */
  writeJoined(lines: JoinedLines): Promise<void>;
  /**
   * Appends `snapshot-end`, makes all durable, then appends `shape.snapshotCompleted` to the transaction log and syncs it. The record of a
   * small one has its bytes, and that alone makes them durable.
   */
  complete(): Promise<void>;
  /** Gives up: the shape will be deleted. */
  abort(error: Error): void;
}

export type ShapeRead =
  /** What lies behind `after` up to `end`, possibly nothing; `upToDate` when nothing lies behind that. */
  | {
      readonly outcome: 'entries';
      /** For whoever sends them on: few large buffers. */
      readonly runs: EntryRuns;
      /** The runs are one and the same for all who ask for them, for as long as they are asked for: what is made of them may be kept. */
      readonly areKept: boolean;
      /**
       * The same one by one, for whoever reads what they say: never much more than a piece in memory at a time.
       *
       * @param bytes where to begin: that of an `EntryPlace` with the offset `after`.
       */
      entries(bytes: number): EntryGroups;
      readonly end: LogOffset;
      readonly upToDate: boolean;
    }
  /** `after` lies beyond `end`. */
  | { readonly outcome: 'beyond' }
  /** The snapshot has not begun: ask the Consumer to say when. */
  | { readonly outcome: 'notStarted' };
