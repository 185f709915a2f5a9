/**
 * MoveEvent: tells clients in one line which rows came or went with the values of a subquery. They find them by their tags: see
 * `RowTags`.
 *
 * A line is made in one piece, so it has a bound; a client takes several events, one after the other, as it takes one. Where each ends
 * is part of the log's format: lines that are made again must be the same.
 */
import type { Xid } from '../model/pg-snapshot.ts';
import type { TagPattern } from './row-tags.ts';

export type MoveKind = 'move-in' | 'move-out';

/** Of one event: some 280 kB. */
export const EVENT_PATTERNS_MAX = 5_000;

const encoder = new TextEncoder();

/** @param xids of the transactions that moved the values. */
export function moveEventLine(event: MoveKind, patterns: readonly TagPattern[], xids: readonly Xid[]): Uint8Array {
  return encoder.encode(JSON.stringify({ headers: { event, patterns, txids: xids } }));
}
