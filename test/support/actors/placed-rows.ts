/** Rows of a shape's log as a follower of its column `value`, or of several, is told of them; each alone is one of the snapshot. */
import { offsetOf, snapshotChunkEnd } from '../../../src/model/log-offset.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { PlacedRow, ToldValue } from '../../../src/model/row-values.ts';

type Value = string | null | readonly ToldValue[];

export const inserted = (key: string, value: Value): PlacedRow => rowOf('insert', key, value);

/** The value after it; nothing for an update of other columns. */
export const updated = (key: string, value?: Value): PlacedRow => rowOf('update', key, value);

export const deleted = (key: string): PlacedRow => rowOf('delete', key, undefined);

/** An update of the primary key, as a shape's log tells it. */
export const rekeyed = (from: string, to: string, value: Value): readonly PlacedRow[] => [deleted(from), inserted(to, value)];

/** The rows of one transaction, in order; `open` leaves its end away, as a block that is cut does. */
export function committed(lsn: string, rows: readonly PlacedRow[], open?: 'open'): readonly PlacedRow[] {
  return rows.map((row, index) => ({
    ...row,
    offset: offsetOf(lsn as Lsn, 2 * index),
    xids: [Number(lsn) as Xid],
    isLast: index === rows.length - 1 && open === undefined,
  }));
}

function rowOf(operation: PlacedRow['operation'], key: string, value: Value | undefined): PlacedRow {
  return { offset: snapshotChunkEnd(0), operation, key, value, xids: [], isLast: false };
}
