/** SubscribedRows: the rows of a shape, out of its messages. They change at an up-to-date only: in between they are nobody's truth. */
import type { ChangeMessage, Row, ShapeMessage } from './shape-message.ts';

/**
 * Yields the rows by their keys whenever they are whole again. It is one map, which is brought up to date before it is yielded again, and
 * another one behind a `must-refetch`: whoever keeps it copies it.
 */
export async function* subscribedRows(messages: AsyncIterable<ShapeMessage>): AsyncGenerator<ReadonlyMap<string, Row>, void, undefined> {
  let rows = new Map<string, Row>();
  let isShown = false;
  let pending: ChangeMessage[] = [];
  for await (const message of messages) {
    if ('key' in message) {
      if (isShown) pending.push(message);
      else apply(rows, message);
    } else if (message.headers.control === 'must-refetch') {
      [rows, pending, isShown] = [new Map(), [], false];
    } else if (message.headers.control === 'up-to-date') {
      for (const change of pending) apply(rows, change);
      [pending, isShown] = [[], true];
      yield rows;
    }
  }
}

function apply(rows: Map<string, Row>, { key, value, headers }: ChangeMessage): void {
  switch (headers.operation) {
    case 'insert':
      return void rows.set(key, value);
    case 'update':
      return void rows.set(key, { ...rows.get(key), ...value });
    case 'delete':
      return void rows.delete(key);
  }
}
