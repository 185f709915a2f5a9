/**
 * What must be there before the stream can start: the publication, complete, and the slot, made after it.
 *
 * A slot decodes each change with the catalogue of its moment: a slot that is older than the publication would fail on
 * changes from before it, so before the publication is made, an older slot is dropped. A new slot has seen nothing:
 * whoever kept shapes must drop them. So a slot is never made on the way: first it is told that it is missing, which a
 * crash cannot make forgotten, and it is made when that was noted.
 */
import type pg from 'pg';
import { lsnFromPostgres, type Lsn } from '../../model/lsn.ts';
import { typed } from '../connection/database-error.ts';
import { quoteName, quoteText } from '../connection/sql-text.ts';

export interface ReplicationNames {
  readonly slot: string;
  readonly publication: string;
  /** The slot ends with the connection that made it: none is ever gone on with. */
  readonly isSlotTemporary?: boolean;
}

export interface PreparedReplication {
  /** Up to here Postgres has forgotten for the slot; undefined when there is none that can be gone on with. */
  readonly confirmedLsn: Lsn | undefined;
  readonly systemId: string;
  readonly timeline: string;
  readonly serverTimeoutMs: number;
}

export type ReplicationProblem =
  | 'slot_of_another_kind'
  | 'publication_missing'
  | 'publication_incomplete'
  | 'wal_level_not_logical'
  | 'no_replication_right';

/** Retrying does not help: somebody must decide. The database is as it was. */
export class ReplicationSetupError extends Error {
  override readonly name = 'ReplicationSetupError';

  constructor(
    readonly code: ReplicationProblem,
    message: string,
  ) {
    super(message);
  }
}

/** The session settings under which values have the texts that clients expect; the snapshot uses the same. */
export const DISPLAY_SETTINGS = `SET bytea_output = 'hex'; SET DateStyle = 'ISO, DMY'; SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET IntervalStyle = 'iso_8601'`;

const PUBLISH_GENERATED_SINCE = 180_000;

/** @throws {ReplicationSetupError} @throws {WorldError} */
export async function prepareReplication(client: pg.Client, names: ReplicationNames): Promise<PreparedReplication> {
  return await typed(async () => {
    const [system] = await rows<{ systemid: string; timeline: number }>(client, 'IDENTIFY_SYSTEM');
    const server = await serverOf(client);
    if (server.walLevel !== 'logical') throw walLevelNotLogical(server.walLevel);
    await ensurePublication(client, names, server.version);
    const confirmed = await confirmedBySlot(client, names.slot);
    const confirmedLsn = names.isSlotTemporary === true ? undefined : confirmed;
    await client.query(DISPLAY_SETTINGS);
    return {
      confirmedLsn,
      systemId: String(system?.systemid),
      timeline: String(system?.timeline),
      serverTimeoutMs: server.timeoutMs,
    };
  });
}

export function startCommand({ slot, publication }: ReplicationNames): string {
  const names = quoteText(quoteName(publication));
  return `START_REPLICATION SLOT ${quoteName(slot)} LOGICAL 0/0 (proto_version '1', publication_names ${names})`;
}

/** @throws {ReplicationSetupError} unless the publication exists and passes on all four operations. */
async function verifyPublication(client: pg.Client, publication: string): Promise<void> {
  const [found] = await rows<{ complete: boolean }>(
    client,
    `SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AS complete FROM pg_publication WHERE pubname = ${quoteText(publication)}`,
  );
  if (found === undefined) {
    throw new ReplicationSetupError('publication_missing', `Publication "${publication}" not found in the database`);
  }
  if (!found.complete) {
    throw new ReplicationSetupError(
      'publication_incomplete',
      `Publication "${publication}" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE`,
    );
  }
}

async function serverOf(client: pg.Client): Promise<{ version: number; walLevel: string; timeoutMs: number }> {
  const [row] = await rows<{ version: string; wal_level: string; timeout: string }>(
    client,
    `SELECT current_setting('server_version_num') AS version, current_setting('wal_level') AS wal_level,
            (SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout') AS timeout`,
  );
  return { version: Number(row?.version), walLevel: row?.wal_level ?? '', timeoutMs: Number(row?.timeout) };
}

/** The old slot goes first: if we do not come further than that, the next attempt finds it missing. */
async function ensurePublication(client: pg.Client, { slot, publication }: ReplicationNames, version: number): Promise<void> {
  const exists = `SELECT FROM pg_publication WHERE pubname = ${quoteText(publication)}`;
  if ((await rows(client, exists)).length === 0) {
    await confirmedBySlot(client, slot);
    await dropSlot(client, slot);
    await createPublication(client, publication, version);
  }
  await verifyPublication(client, publication);
}

async function createPublication(client: pg.Client, publication: string, version: number): Promise<void> {
  const generated = version >= PUBLISH_GENERATED_SINCE ? ' WITH (publish_generated_columns = stored)' : '';
  try {
    await client.query(`CREATE PUBLICATION ${quoteName(publication)}${generated}`);
  } catch (error) {
    // Somebody was faster; or it is not permitted, and the verification says that it is missing.
    if (!hasState(error, '42710') && !hasState(error, '42501')) throw error;
  }
}

interface SlotRow {
  readonly plugin: string;
  readonly database: string;
  readonly mine: boolean;
  readonly wal_status: string | null;
  readonly confirmed: string;
}

/** @throws {ReplicationSetupError} for a slot that somebody else uses for something else. */
async function confirmedBySlot(client: pg.Client, slot: string): Promise<Lsn | undefined> {
  const [found] = await rows<SlotRow>(
    client,
    `SELECT plugin, database, database = current_database() AS mine, wal_status, confirmed_flush_lsn::text AS confirmed
     FROM pg_replication_slots WHERE slot_name = ${quoteText(slot)}`,
  );
  if (found === undefined) return undefined;
  if (found.plugin !== 'pgoutput' || !found.mine) throw foreignSlot(slot, found);
  if (found.wal_status === 'lost') return undefined; // Postgres has removed WAL that it still needed.
  return lsnFromPostgres(found.confirmed);
}

/**
 * Makes the slot anew, in place of one that cannot be gone on with. Waits for the transactions that are open now to
 * end; the statement ends with the connection.
 *
 * @returns where its stream begins.
 * @throws {ReplicationSetupError} @throws {WorldError}
 */
export async function createSlot(client: pg.Client, { slot, isSlotTemporary = false }: ReplicationNames): Promise<Lsn> {
  return await typed(async () => {
    await confirmedBySlot(client, slot);
    await dropSlot(client, slot);
    try {
      const [row] = await rows<{ consistent_point: string }>(
        client,
        `CREATE_REPLICATION_SLOT ${quoteName(slot)}${isSlotTemporary ? ' TEMPORARY' : ''} LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
      );
      return lsnFromPostgres(row?.consistent_point ?? '');
    } catch (error) {
      if (hasState(error, '42501')) throw noReplicationRight();
      throw error;
    }
  });
}

async function dropSlot(client: pg.Client, slot: string): Promise<void> {
  await client.query(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteText(slot)}`);
}

async function rows<Row extends pg.QueryResultRow>(client: pg.Client, sql: string): Promise<Row[]> {
  return (await client.query<Row>(sql)).rows;
}

function hasState(error: unknown, state: string): boolean {
  return error instanceof Error && 'code' in error && error.code === state;
}

function foreignSlot(slot: string, { plugin, database }: SlotRow): ReplicationSetupError {
  return new ReplicationSetupError(
    'slot_of_another_kind',
    `Replication slot "${slot}" belongs to plugin ${plugin} and database ${database}. Drop it, or choose another replication stream id.`,
  );
}

function walLevelNotLogical(walLevel: string): ReplicationSetupError {
  return new ReplicationSetupError(
    'wal_level_not_logical',
    `The server's wal_level is ${walLevel}. Set wal_level = logical and restart Postgres.`,
  );
}

function noReplicationRight(): ReplicationSetupError {
  return new ReplicationSetupError('no_replication_right', 'The role may not replicate: run ALTER ROLE … WITH REPLICATION.');
}
