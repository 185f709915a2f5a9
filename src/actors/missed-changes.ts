/**
 * MissedChanges: what an operator reads when shapes ended because nobody can tell what a transaction did to their table.
 *
 * Nothing else would tell: the clients fetch their shapes anew and are right again. So the note names the table and the
 * transaction, and says what keeps it from happening again.
 */
import type { GapCause } from '../model/change.ts';
import type { Lsn } from '../model/lsn.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import { note } from './journal.ts';

export interface MissedChanges {
  readonly table: { readonly schema: string; readonly name: string };
  readonly why: GapCause;
  readonly xid: Xid;
  /** Of its commit. */
  readonly lsn: Lsn;
}

export function missedChangesNote({ table: { schema, name }, why, xid, lsn }: MissedChanges): ReturnType<typeof note> {
  const table = `${quoted(schema)}.${quoted(name)}`;
  return note('warn', 'changes.missed', { table, why, xid, lsn, advice: `The shapes on ${table} have ended: ${ADVICE[why](table, xid)}` });
}

const ADVICE: Readonly<Record<GapCause, (table: string, xid: Xid) => string>> = {
  replicaIdentity: (table, xid) =>
    `transaction ${xid} changed rows that Postgres did not send as they were before, because the table's replica identity is not FULL. ` +
    `Run ALTER TABLE ${table} REPLICA IDENTITY FULL; unless tables are published manually, the next request for the table does that.`,
  transactionTooLarge: (_, xid) =>
    `transaction ${xid} is larger than --max-txn-size. They are made anew from a snapshot when they are asked for. ` +
    'Write in smaller transactions, or raise the limit.',
  rowMalformed: (_, xid) =>
    `a row of transaction ${xid} does not fit the description of the table that Postgres had sent, or lacks a value. ` +
    'They are made anew from a snapshot when they are asked for.',
};

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
