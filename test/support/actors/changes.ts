/** Changes in the bytes in which they are logged, written from plain rows: the tests' own encoder, kept simple on purpose. */
import { CHANGE_HEADER_BYTES, CHANGE_KINDS, GAP_CAUSES, type GapCause, HAS_NEW, HAS_OLD, Tuple } from '../../../src/model/change.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { LogBlock, LoggedTransaction } from '../../../src/model/transaction.ts';

/** A row's values as Postgres's text, in the order of its layout. */
export type Row = readonly (string | null)[];

export type RowChange =
  | { readonly kind: 'insert'; readonly new: Row }
  | { readonly kind: 'update'; readonly old: Row; readonly new: Row }
  | { readonly kind: 'delete'; readonly old: Row }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'gap'; readonly cause: GapCause };

export type PlacedChange = RowChange & { readonly layoutId: number; readonly position: number };

const encoder = new TextEncoder();

export function changeBytes(change: PlacedChange): Uint8Array {
  const old = 'old' in change ? tupleBytes(change.old) : new Uint8Array();
  const current = 'new' in change ? tupleBytes(change.new) : new Uint8Array();
  const cause = 'cause' in change ? [GAP_CAUSES.indexOf(change.cause)] : [];
  const bytes = new Uint8Array(CHANGE_HEADER_BYTES + old.length + current.length + cause.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - 4, true);
  view.setUint8(4, CHANGE_KINDS[change.kind]);
  view.setUint8(5, (old.length > 0 ? HAS_OLD : 0) | (current.length > 0 ? HAS_NEW : 0));
  view.setUint32(6, change.layoutId, true);
  view.setUint32(10, change.position, true);
  bytes.set(old, CHANGE_HEADER_BYTES);
  bytes.set(current, CHANGE_HEADER_BYTES + old.length);
  bytes.set(cause, CHANGE_HEADER_BYTES);
  return bytes;
}

export function tupleOf(row: Row): Tuple {
  const bytes = tupleBytes(row);
  return new Tuple(bytes, new DataView(bytes.buffer), 0);
}

/** Changes of one layout, two positions apart from 0 on. */
export function transactionOf(
  { xid, lsn }: { readonly xid: number; readonly lsn: string },
  changes: readonly RowChange[],
  layoutId = 1,
): LoggedTransaction {
  return placedTransaction({ xid, lsn }, changes.map((change, index) => ({ ...change, layoutId, position: 2 * index })));
}

export function placedTransaction(
  { xid, lsn }: { readonly xid: number; readonly lsn: string },
  changes: readonly PlacedChange[],
): LoggedTransaction {
  return {
    xid: xid as Xid,
    lsn: lsn as Lsn,
    end: Number(lsn) as LogPosition,
    isUnfinished: false,
    fragments: [joined(changes.map(changeBytes))],
  };
}

export function blockOf(transactions: readonly LoggedTransaction[]): LogBlock {
  return { after: 0 as LogPosition, through: transactions.length as LogPosition, transactions };
}

function tupleBytes(row: Row): Uint8Array {
  const values = row.map((value) => encoder.encode(JSON.stringify(value)));
  const content = joined(values);
  const bytes = new Uint8Array(6 + 4 * row.length + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length - 4, true);
  view.setUint16(4, row.length, true);
  let end = 0;
  values.forEach((value, index) => {
    end += value.length;
    view.setUint32(6 + 4 * index, end, true);
  });
  bytes.set(content, 6 + 4 * row.length);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
