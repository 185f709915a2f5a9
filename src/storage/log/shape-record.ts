/** ShapeRecord: one step in the life of a shape, as the transaction log keeps it. Plain JSON. */
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { ChunkSums } from '../shapes/piece.ts';

export type ShapeRecord =
  /** `position`: how far the shape counts as having taken the log when it begins. A replay must start it there again. */
  | ({ readonly type: 'shape.created'; readonly handle: Handle } & CreatedShape)
  | ({ readonly type: 'shape.snapshotCompleted'; readonly handle: Handle } & CompletedSnapshot)
  | ({ readonly type: 'shape.spliced'; readonly handle: Handle } & Splice)
  /** A client asked for an inner shape itself: from now on it stays without dependants. */
  | { readonly type: 'shape.requested'; readonly handle: Handle }
  | { readonly type: 'shape.deleted'; readonly handle: Handle; readonly why: string };

export interface CreatedShape {
  readonly definition: ShapeDefinition;
  /** The inner shapes, in the order of `definition.dependencies`. Left out where there are none. */
  readonly dependsOn?: readonly Handle[];
  /** Made because an outer shape names it, and no client has asked for it. Left out where one has. */
  readonly isInner?: true;
  /** JSON bytes at which the shape's chunks close, whatever the setting says later: the end of a chunk must never move. */
  readonly chunkBytesMax: number;
  readonly position: LogPosition;
}

/** The snapshot's rows are here, or on the disk, whole, up to the `snapshot-end`; of each chunk its size and what verifies it. */
export interface CompletedSnapshot {
  readonly chunks: readonly ChunkSums[];
  readonly pgSnapshot: PgSnapshot;
  /** Where the shape goes on in the log: no later than its creation, and before every transaction that the snapshot does not see. */
  readonly position: LogPosition;
  /** The versions of the values by which the rows were chosen, one for each dependency. Left out where there are none. */
  readonly views?: readonly LogOffset[];
  /** The bytes of all chunks as base64, while they are few. They are in no file then, until a checkpoint brings them into a pack. */
  readonly fewRows?: string;
}

/** The views of a shape change, and what comes into its log with that: see `docs/dependent-shapes.md`. */
export interface Splice {
  /** The how manieth of its shape, from 1. */
  readonly number: number;
  /** The shape has taken the log up to here. */
  readonly place: LogPosition;
  /** How far transactions are to be looked for that the query saw; `place` where there was none. */
  readonly through: LogPosition;
  /** From here on, one version for each dependency. */
  readonly views: readonly LogOffset[];
  /** What the query saw; null where none was needed. */
  readonly pgSnapshot: PgSnapshot | null;
  /** Its entries stand behind this, and behind all that the shape's log has. */
  readonly first: LogOffset;
  /** What the query brought: lines, in the shape's file of this number if they are not here. Null for nothing. */
  readonly rows: ChunkSums | null;
  /** The bytes of `rows` as base64, while they are few. */
  readonly fewRows?: string;
}

/** A record and the position behind it. */
export interface RecordAt {
  readonly record: ShapeRecord;
  readonly end: LogPosition;
}
