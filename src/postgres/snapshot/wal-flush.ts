/** Brings the WAL to the disk by a commit of our own, which waits for no standby: nobody is told what a crash of Postgres may undo. */
import { lsnToPostgres, type Lsn } from '../../model/lsn.ts';

/** A commit that waits for the disk alone takes along all WAL before it. Nobody gets the message: the publication carries none. */
export const FLUSH_WAL = flushed('');

/** The same for what lies before `lsn`; nothing is written when that has come to the disk meanwhile. */
export function flushWalBefore(lsn: Lsn): string {
  return flushed(` WHERE pg_current_wal_flush_lsn() < '${lsnToPostgres(lsn)}'::pg_lsn`);
}

function flushed(unless: string): string {
  return `BEGIN READ WRITE; SET LOCAL synchronous_commit = 'local'; SELECT pg_logical_emit_message(true, 'armature', '')${unless}; COMMIT`;
}
