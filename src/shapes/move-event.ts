/**
 * MoveEvent: tells clients in one line which rows came or went with the values of a subquery. They find them by their tags: see
 * `RowTags`.
 */
import type { Xid } from '../model/pg-snapshot.ts';
import type { TagPattern } from './row-tags.ts';

export type MoveKind = 'move-in' | 'move-out';

const encoder = new TextEncoder();

/** @param xids of the transactions that moved the values. */
export function moveEventLine(event: MoveKind, patterns: readonly TagPattern[], xids: readonly Xid[]): Uint8Array {
  return encoder.encode(JSON.stringify({ headers: { event, patterns, txids: xids } }));
}
