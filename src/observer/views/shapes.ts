/** Forms: shapes in a list, and all of one. docs/observer.md says what holds for all of them. */
import type { ProcessLink } from './processes.ts';
import type { RecordingView } from './service.ts';

/** `/api/shapes?search=&sort=&order=&limit=&after=`. */
export interface ShapesView {
  readonly atMs: number;
  readonly total: number;
  readonly matched: number;
  readonly rows: readonly ShapeRow[];
  readonly next: string | null;
  /** Up to here, in bytes of the transaction log, all shapes have come that do not lag. */
  readonly position: number;
  /** Before here nobody needs the transaction log any more. */
  readonly releasable: number;
  readonly durableEnd: number;
  /** The shape that is furthest behind and so holds our transaction log back, and not the slot. Null: nobody. */
  readonly pinnedBy: PinnedBy | null;
  /** What is used of the limits that are set, as it was some seconds ago; null where none is. */
  readonly limits: LimitsView | null;
}

/** What is not limited has no `limit`, and nothing is `used` before it was looked for the first time. */
export interface LimitsView {
  readonly shapes: { readonly used?: number; readonly limit?: number };
  readonly bytes: { readonly used?: number; readonly limit?: number };
  readonly unreadSeconds?: { readonly limit: number };
  /** Shapes that a limit has ended since the service began. */
  readonly ended: LimitEventsView;
  /** New shapes that found no room. */
  readonly refused: LimitEventsView;
}

export interface LimitEventsView {
  readonly count: number;
  /** ISO 8601. */
  readonly lastAt?: string;
  readonly lastWhy?: string;
}

/** A shape, and its place in the transaction log. */
export interface PinnedBy {
  readonly handle: string;
  readonly position: number;
}

export interface ShapeRow {
  readonly handle: string;
  /** `schema.table`, quoted where Postgres would. */
  readonly table: string;
  /** As the client wrote it; null for every row. */
  /** Null: all rows. In a row and in a graph at most 500 characters, then `…`. */
  readonly where: string | null;
  /** Null: all. */
  readonly columns: readonly string[] | null;
  readonly offset: string;
  readonly snapshot: 'awaited' | 'writing' | 'complete';
  /** Of the Consumer: `live`; null while there is none. */
  readonly state: string | null;
  /** Made for other shapes only. */
  readonly isInner: boolean;
  /** Bytes of its log: the snapshot and what came behind. Null while that is not known. */
  readonly bytes: number | null;
  /**
   * Rows that it holds, counted in its log while somebody looks, up to where that has come. Null: not counted yet, more than 32 MiB would
   * have to be looked through, or it cannot be told: a log of changes alone, one with events that name rows by patterns.
   */
  readonly rows: number | null;
  /** What it costs. */
  readonly work: ShapeWork;
  /** Requests that wait for it, event streams included. */
  readonly clients: number;
  /** Bytes of the transaction log behind which it stands; 0 when it goes along with the others. */
  readonly lagBytes: number;
  /** When the shape was made. */
  readonly sinceMs: number;
}

/** Of its Consumer, since the service began; what was made again after a restart counts again. */
export interface ShapeWork {
  /** Changes that became lines of its log, and the bytes of these. */
  readonly lines: number;
  readonly bytes: number;
  /** Of all lines that were made in the last minute, or half of it, the part that was for this shape; null when there were none. */
  readonly share: number | null;
}

/** `/api/shape?handle=`; 404 `unknown_shape`. */
export interface ShapeView extends ShapeRow {
  readonly atMs: number;
  readonly replica: 'default' | 'full';
  readonly log: 'full' | 'changes_only';
  readonly params: readonly string[];
  readonly primaryKey: readonly string[];
  readonly snapshotBytes: number | null;
  /** Bytes of lines behind the snapshot. */
  readonly lineBytes: number | null;
  /** Its place in the transaction log. */
  readonly position: number;
  /** While it lags: it holds what Postgres had logged up to here. */
  readonly waitsAt: string | null;
  /** It holds our transaction log back: nothing behind `position` can be released. */
  readonly pinsLog: boolean;
  readonly consumer: ProcessLink | null;
  readonly materializers: readonly ProcessLink[];
  /** Of how many shapes that it depends on there are moves that it has yet to take. Null for one that depends on none. */
  readonly bufferedMoves: number | null;
  /** The shapes that it depends on, directly and through others, and those that depend on it: at most 200 nodes. */
  readonly graph: ShapeGraph;
  /** The last that changed it while somebody looked, newest first, at most 20. */
  readonly transactions: readonly ShapeTransaction[];
  readonly recording: RecordingView;
}

export interface ShapeGraph {
  readonly nodes: readonly Pick<ShapeRow, 'handle' | 'table' | 'where' | 'state'>[];
  /** `from` looks up values of `to`, in that column. */
  readonly edges: readonly { readonly from: string; readonly to: string; readonly column: string }[];
  /** Nodes that were left out. */
  readonly left: number;
}

export interface ShapeTransaction {
  readonly atMs: number;
  readonly lsn: string;
  /** Of its last line. */
  readonly offset: string;
}
