/** Lines of a shape's log with one column `value`, as a follower reads them. */
import type { ShapeMessage } from '../../../src/storage/shapes/shape-blocks.ts';

type Value = string | null;

export const inserted = (key: string, value: Value): ShapeMessage => ({
  key,
  value: { id: key, value },
  headers: { operation: 'insert' },
});

/** The value after it; nothing for an update of other columns. */
export const updated = (key: string, value?: Value): ShapeMessage => ({
  key,
  value: value === undefined ? { id: key, note: 'changed' } : { id: key, value },
  headers: { operation: 'update' },
});

export const deleted = (key: string): ShapeMessage => ({ key, value: { id: key }, headers: { operation: 'delete' } });

/** An update of the primary key, as a shape's log tells it. */
export const rekeyed = (from: string, to: string, value: Value): readonly ShapeMessage[] => [deleted(from), inserted(to, value)];

/** The messages of one transaction, in order; `open` leaves its end away, as a block that is cut does. */
export function committed(lsn: string, messages: readonly ShapeMessage[], open?: 'open'): readonly ShapeMessage[] {
  return messages.map((message, index) => ({
    ...message,
    headers: {
      ...message.headers,
      lsn,
      op_position: 2 * index,
      txids: [Number(lsn)],
      ...(index === messages.length - 1 && open === undefined ? { last: true as const } : {}),
    },
  }));
}
