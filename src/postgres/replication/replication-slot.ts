/**
 * The replication slot in Postgres: found, marked as made by Armature, made, dropped.
 *
 * A slot has no room for a mark, and whoever lost its storage knows nothing of the slot. So the mark is a line in the
 * comment of its publication: the one object that goes with the slot, lies in its database, and is ours as a rule,
 * since Armature makes it. A table or a schema of our own would need more rights and stand in everybody's way; a setting
 * of the role needs a superuser. Where the publication belongs to somebody else the slot stays without a mark, and only
 * its own storage may use it. The line names system and slot: copied with a dump it says nothing.
 *
 * The mark comes first. A service that is killed while it waits for its slot may leave one behind that it never heard of,
 * and without a mark the next instance would take that for somebody else's.
 */
import type pg from 'pg';
import { lsnFromPostgres, type Lsn } from '../../model/lsn.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { StreamNames } from '../../settings/stream-names.ts';
import { PUBLICATION_VERSION_SQL } from '../catalog/publication-version.ts';
import { type HeldLock, isHeldSql, LockLostError } from '../connection/held-lock.ts';
import { quoteName, quoteText } from '../connection/sql-text.ts';
import type { FoundDatabase, FoundPublication, FoundSlot } from './slot-standing.ts';
import { timelineHistory } from './timeline-history.ts';

/** The slot, its publication and the system that they lie in. @param client of a walsender. */
export async function findSlot(client: pg.Client, { slot, publication }: StreamNames): Promise<FoundDatabase> {
  const [system] = await rows<{ systemid: string; timeline: number; xlogpos: string; dbname: string }>(client, 'IDENTIFY_SYSTEM');
  const source = { systemId: String(system?.systemid), timeline: String(system?.timeline), database: String(system?.dbname), slot };
  return {
    source,
    history: await timelineHistory(client, source.timeline),
    walLsn: lsnFromPostgres(system?.xlogpos ?? ''),
    slot: await slotOf(client, slot),
    publication: await findPublication(client, publication, source),
  };
}

/** By which a walsender of ours is known, in whichever instance. */
export const STREAM_APPLICATION = 'armature replication';
/** A walsender ends as soon as it looks up from what it decodes. */
const END_MS_MAX = 5_000;

/**
 * A role may take another one as it comes (`ALTER ROLE … SET role`). Its sessions are known by the first, and may be one that the second
 * may not end. For the statements that are sent together with it.
 */
const AS_WHO_CAME_IN = 'SET LOCAL ROLE NONE';

/**
 * Ends a stream of ours from the slot, if there is one; resolves when it has ended, or does not within a few seconds. Only for who has the
 * lock: whoever streams without it was cut off, and does not know, and Postgres would keep the slot for it until `wal_sender_timeout`.
 *
 * @param lock Postgres must say that it is ours, so that one that was cut off, and comes back, does not end the stream of the holder.
 * @throws {LockLostError} nothing was done.
 */
export async function endStream(client: pg.Client, slot: string, lock?: HeldLock): Promise<void> {
  await client.query(`
    ${AS_WHO_CAME_IN}; SELECT pg_terminate_backend(pid, ${END_MS_MAX}) FROM pg_stat_activity WHERE pid = (
      SELECT active_pid FROM pg_replication_slots
       WHERE slot_name = ${quoteText(slot)} AND database = current_database() AND active_pid <> pg_backend_pid())
       AND application_name = ${quoteText(STREAM_APPLICATION)} AND usename = session_user AND ${heldSql(lock, slot)}`);
  await refuseUnlessHeld(client, slot, lock);
}

/** Left out where there is nobody whom the lock keeps away. */
function heldSql(lock: HeldLock | undefined, slot: string): string {
  return lock === undefined ? 'true' : isHeldSql(lock, slot);
}

async function refuseUnlessHeld(client: pg.Client, slot: string, lock: HeldLock | undefined): Promise<void> {
  const [held] = await rows<{ is: boolean }>(client, `SELECT ${heldSql(lock, slot)} AS is`);
  if (held?.is !== true) throw new LockLostError('the lock is not held any more: another instance may stream');
}

async function slotOf(client: pg.Client, slot: string): Promise<FoundSlot | undefined> {
  const [found] = await rows<Omit<FoundSlot, 'confirmedLsn'> & { readonly confirmed: string }>(
    client,
    `SELECT plugin, database, temporary AS "isTemporary", two_phase AS "isTwoPhase", active_pid AS "activePid",
            coalesce(wal_status = 'lost', false) AS "isLost", coalesce(confirmed_flush_lsn, '0/0')::text AS confirmed
     FROM pg_replication_slots WHERE slot_name = ${quoteText(slot)}`,
  );
  if (found === undefined) return undefined;
  const { confirmed, ...slotFound } = found;
  return { ...slotFound, confirmedLsn: lsnFromPostgres(confirmed) };
}

/** As it is now; undefined when it is not there. */
export async function findPublication(client: pg.Client, publication: string, source: StreamSource): Promise<FoundPublication | undefined> {
  const [found] = await rows<{ comment: string | null; isComplete: boolean; version: string }>(
    client,
    `SELECT obj_description(p.oid, 'pg_publication') AS comment, ${PUBLICATION_VERSION_SQL} AS version,
            pubinsert AND pubupdate AND pubdelete AND pubtruncate AS "isComplete"
     FROM pg_publication p WHERE pubname = ${quoteText(publication)}`,
  );
  if (found === undefined) return undefined;
  const { comment, ...publicationFound } = found;
  return { ...publicationFound, isMarked: comment?.split('\n').includes(markOf(source)) === true };
}

function markOf({ systemId, slot }: StreamSource): string {
  return `Armature made the replication slot ${slot} of system ${systemId}.`;
}

/** Behind what the comment says already, which never leaves the server. @returns false when the publication belongs to somebody else. */
export async function markSlot(client: pg.Client, publication: string, source: StreamSource): Promise<boolean> {
  const comment = `concat_ws(chr(10), obj_description(oid, 'pg_publication'), ${quoteText(markOf(source))})`;
  await client.query(`
    DO $do$ DECLARE command text;
    BEGIN
      FOR command IN SELECT format('COMMENT ON PUBLICATION %I IS %L', pubname, ${comment}) FROM pg_publication
        WHERE pubname = ${quoteText(publication)} AND pg_has_role(pubowner, 'USAGE')
      LOOP EXECUTE command; END LOOP;
    END $do$`);
  return (await findPublication(client, publication, source))?.isMarked === true;
}

/** @returns where its stream begins. */
export async function makeSlot(client: pg.Client, slot: string, isTemporary: boolean): Promise<Lsn> {
  const canFailOver = !isTemporary && (await knowsFailover(client));
  const options = canFailOver ? `(SNAPSHOT 'nothing', FAILOVER true)` : 'NOEXPORT_SNAPSHOT';
  const [row] = await rows<{ consistent_point: string }>(
    client,
    `CREATE_REPLICATION_SLOT ${quoteName(slot)}${isTemporary ? ' TEMPORARY' : ''} LOGICAL pgoutput ${options}`,
  );
  return lsnFromPostgres(row?.consistent_point ?? '');
}

/** From Postgres 17 on a standby can have a copy of the slot, and go on with it when it takes over. */
async function knowsFailover(client: pg.Client): Promise<boolean> {
  const [server] = await rows<{ version: string }>(client, `SELECT current_setting('server_version_num') AS version`);
  return Number(server?.version) >= FAILOVER_SINCE;
}

const FAILOVER_SINCE = 170_000;

/** Nothing happens when it is gone already. @throws {LockLostError} the lock is not ours: it was left alone, unless that came since. */
export async function dropSlot(client: pg.Client, slot: string, lock?: HeldLock): Promise<void> {
  await client.query(`
    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
     WHERE slot_name = ${quoteText(slot)} AND ${heldSql(lock, slot)}`);
  await refuseUnlessHeld(client, slot, lock);
}

async function rows<Row extends pg.QueryResultRow>(client: pg.Client, sql: string): Promise<Row[]> {
  return (await client.query<Row>(sql)).rows;
}
