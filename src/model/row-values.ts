/** RowValues: what the entry of a row says, in values, to whoever follows columns of a shape. */
import type { LogOffset } from './log-offset.ts';
import type { Xid } from './pg-snapshot.ts';

export interface RowValues {
  readonly operation: 'insert' | 'update' | 'delete';
  readonly key: string;
  /** Of the column that is followed; of several, a list. */
  readonly value: ToldValue | readonly ToldValue[];
  /** Of the transactions that did it; none for a row of the snapshot. */
  readonly xids: readonly Xid[];
  /** The last row that its transaction has in this log. Never true in the snapshot. */
  readonly isLast: boolean;
}

/** Undefined when the entry does not tell it, since it stayed or its row goes; null for NULL. */
export type ToldValue = string | null | undefined;

/** The same with its place, which comes from the log: see `LogEntry`. */
export interface PlacedRow extends RowValues {
  readonly offset: LogOffset;
}
