/** What serving a subset needs from the rest of the house. */
import type { StopSignal } from '../../base/stop-signal.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import type { OrderBy, SubsetFilter, SubsetLanguage } from '../../sql/subset.ts';
import type { Body } from '../shape-response.ts';

/** A part of a shape's rows: what it leaves out of it, in which order, and how much. */
export interface SubsetQuery {
  /** Undefined for every row of the shape. */
  readonly filter: SubsetFilter | undefined;
  /** Undefined for any order; never where there is a limit or an offset. */
  readonly order: OrderBy | undefined;
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}

/** Who asks for one. */
export interface SubsetReader {
  readonly handle: Handle;
  /** It begins with this answer, and holds nothing yet. */
  readonly isNew: boolean;
  /** From where the client reads the log. @param end of it now, before the snapshot is taken. */
  from(end: LogOffset): LogOffset;
  /** For one that begins, and cannot begin at `start`: from where else, behind that and at `end` at the latest. */
  fromBehind(start: LogOffset, end: LogOffset): LogOffset;
  /** Stands on each row. */
  readonly mark: number;
  readonly signal: StopSignal;
}

export interface SubsetSource {
  readonly language: SubsetLanguage;
  /** Of a shape with subqueries no part can be read while nobody follows it: before it has come back, or while it starts anew. */
  isFollowed(handle: Handle): boolean;
  /** Resolves when all rows are there, or so many that the rest must be streamed. */
  read(reader: SubsetReader, query: SubsetQuery): Promise<SubsetRead>;
}

export type SubsetRead =
  | {
      readonly outcome: 'rows';
      /** What the rows show: everything, at least, that the log held when they were asked for. */
      readonly pgSnapshot: PgSnapshot;
      readonly from: LogOffset;
      /** False: of what the client reads from there it must take all, also what its rows show. */
      readonly mayLeaveOut: boolean;
      /** JSON objects with commas between them. */
      readonly rows: Body;
    }
  /** The shape is over, or its table is another one than it was. */
  | { readonly outcome: 'over' }
  /** Rows have come to the shape or left it with the values of a subquery, behind what the client has read. */
  | { readonly outcome: 'moved' }
  /** 400: what is asked is at fault, which only Postgres could find. `code` is the SQLSTATE, or our own name for a condition. */
  | { readonly outcome: 'refused'; readonly status: 400 | 500 | 503; readonly code: string; readonly message: string };
