/** ToldShape: a shape as who wonders about it sees it: how far it has come, and what stands in its log. Each value is of the moment. */
import type { LogEntry } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';

export interface ToldShape {
  readonly handle: Handle;
  readonly definition: ShapeDefinition;
  /** Offset of the last entry that readers may see. */
  readonly end: LogOffset;
  /** Of transactions up to here the log may not tell all any more that they did, or no more than that. `0_inf` where it does. */
  readonly compactedThrough: LogOffset;
  /** How far it has taken the transaction log. */
  readonly position: LogPosition;
  /** While it is behind the others: it holds what Postgres had logged up to here. */
  readonly waitsAt: Lsn | undefined;
  readonly snapshot: ToldSnapshot;
  /** From where to read so that the operations behind are no more than `bytesMax`, or those since the last chunk closed. */
  tailFrom(bytesMax: number): LogOffset;
  /** What lies behind `after` up to the end of the log, entry by entry. Throws what a read throws: see `ReadableLogs`. */
  entries(after: LogOffset): AsyncIterable<Iterable<LogEntry>>;
}

export type ToldSnapshot =
  | { readonly state: 'awaited' }
  | { readonly state: 'writing'; readonly pgSnapshot: PgSnapshot }
  | { readonly state: 'complete'; readonly pgSnapshot: PgSnapshot; readonly bytes: number };
