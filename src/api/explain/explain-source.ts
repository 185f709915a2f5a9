/** What it takes to say why a row is in a shape, or is not, and where a transaction stands. */
import type { LogOffset } from '../../model/log-offset.ts';
import type { PgSnapshot, Xid } from '../../model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import type { ExplainLanguage } from '../../sql/where-explanation.ts';
import type { Membership } from '../../sql/where.ts';
import type { KeyValue } from './row-key.ts';
import type { ToldShape } from './told-shape.ts';
import type { TransactionSource } from './transaction-source.ts';

export interface ExplainSource {
  /** In which filters are written. */
  readonly language: ExplainLanguage;
  readonly transactions: TransactionSource;
  /** Undefined for a handle that no shape has. */
  shape(handle: Handle): ToldShape | undefined;
  /** What the subqueries of a shape select, as its log has it. Undefined while nobody who keeps it can be asked. */
  selected(handle: Handle): ToldSelection | undefined;
  /** The row as Postgres has it now, and what else the shape reads of it: one query, bounded in time. */
  readRow(row: AskedDatabaseRow): Promise<RowRead>;
}

export interface AskedDatabaseRow {
  readonly definition: ShapeDefinition;
  /** Undefined for a shape that there is not. */
  readonly handle: Handle | undefined;
  readonly key: readonly KeyValue[];
  readonly signal: AbortSignal;
}

export type RowRead =
  | {
      readonly outcome: 'row';
      /** By column, as Postgres writes them; undefined when there is no such row. */
      readonly row: Readonly<Record<string, string | null>> | undefined;
      readonly pgSnapshot: PgSnapshot;
      /** The shape held something by then that the snapshot does not show. */
      readonly isAhead: boolean;
    }
  /** The table is another one than it was, or there is none. */
  | { readonly outcome: 'over' }
  | { readonly outcome: 'refused'; readonly status: 400 | 500 | 503; readonly code: string; readonly message: string };

export interface ToldSelection {
  readonly isMember: Membership;
  /** @param member as `Membership` has it. */
  member(subquery: number, member: string): ToldMember;
}

export interface ToldMember {
  /** The shape whose rows are selected from. */
  readonly handle: Handle;
  /** By the last version that is known of that shape: what the shape itself has not taken yet. */
  readonly isSelectedNow: boolean;
  /** The last transaction by which it came or went; undefined where that was before what is remembered. */
  readonly turned: { readonly offset: LogOffset; readonly txids: readonly Xid[] } | undefined;
  /** From here on it is remembered, in the log of that shape. */
  readonly rememberedFrom: LogOffset;
}
