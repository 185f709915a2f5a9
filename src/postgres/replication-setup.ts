/**
 * What must be there before the stream can start: the publication, complete, and the slot, made after it.
 *
 * A slot decodes each change with the catalogue of its moment: a slot that is older than the publication would fail on
 * changes from before it, so when the publication had to be made, an older slot is dropped and made anew. A new
 * slot has seen nothing: whoever kept shapes must drop them, and is told so by `slotCreated`.
 */
import type pg from 'pg';
import { lsnFromPostgres, type Lsn } from '../model/lsn.ts';
import { DatabaseRefusedError, typed } from './database-error.ts';
import { quoteName, quoteText } from './sql-text.ts';

export interface ReplicationNames {
  readonly slot: string;
  readonly publication: string;
}

export interface PreparedReplication {
  readonly slotCreated: boolean;
  /** Up to here Postgres has forgotten for this slot. */
  readonly confirmedLsn: Lsn;
  readonly systemId: string;
  readonly timeline: string;
  readonly serverTimeoutMs: number;
}

export type ReplicationProblem =
  | 'slot_invalidated'
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
    const publicationCreated = await ensurePublication(client, names.publication, server.version);
    if (publicationCreated) await dropSlot(client, names.slot);
    const slot = await ensureSlot(client, names.slot);
    await client.query(DISPLAY_SETTINGS);
    return {
      ...slot,
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

/** @returns true when it was made now. */
async function ensurePublication(client: pg.Client, publication: string, version: number): Promise<boolean> {
  const exists = `SELECT FROM pg_publication WHERE pubname = ${quoteText(publication)}`;
  const isMissing = (await rows(client, exists)).length === 0;
  const created = isMissing && (await createPublication(client, publication, version));
  await verifyPublication(client, publication);
  return created;
}

async function createPublication(client: pg.Client, publication: string, version: number): Promise<boolean> {
  const generated = version >= PUBLISH_GENERATED_SINCE ? ' WITH (publish_generated_columns = stored)' : '';
  try {
    await client.query(`CREATE PUBLICATION ${quoteName(publication)}${generated}`);
    return true;
  } catch (error) {
    if (hasState(error, '42710')) return false; // Somebody was faster: their slot, if any, is theirs to answer for.
    if (hasState(error, '42501')) return false; // Not permitted: the verification says that it is missing.
    throw error;
  }
}

interface SlotRow {
  readonly plugin: string;
  readonly database: string;
  readonly mine: boolean;
  readonly wal_status: string | null;
  readonly confirmed: string;
}

async function ensureSlot(client: pg.Client, slot: string): Promise<Pick<PreparedReplication, 'slotCreated' | 'confirmedLsn'>> {
  const [found] = await rows<SlotRow>(
    client,
    `SELECT plugin, database, database = current_database() AS mine, wal_status, confirmed_flush_lsn::text AS confirmed
     FROM pg_replication_slots WHERE slot_name = ${quoteText(slot)}`,
  );
  if (found === undefined) return { slotCreated: true, confirmedLsn: await createSlot(client, slot) };
  if (found.plugin !== 'pgoutput' || !found.mine) throw foreignSlot(slot, found);
  if (found.wal_status === 'lost') throw invalidatedSlot(slot);
  return { slotCreated: false, confirmedLsn: lsnFromPostgres(found.confirmed) };
}

/** Waits for the transactions that are open now to end; the statement ends with the connection. */
async function createSlot(client: pg.Client, slot: string): Promise<Lsn> {
  try {
    const [row] = await rows<{ consistent_point: string }>(
      client,
      `CREATE_REPLICATION_SLOT ${quoteName(slot)} LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
    );
    return lsnFromPostgres(row?.consistent_point ?? '');
  } catch (error) {
    if (hasState(error, '42501')) throw noReplicationRight();
    throw error;
  }
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

export function invalidatedSlot(slot: string): ReplicationSetupError {
  return new ReplicationSetupError(
    'slot_invalidated',
    `Replication slot "${slot}" was invalidated: Postgres has removed WAL that it still needed. Drop the slot; the shapes must be made anew.`,
  );
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

/** A refusal to start that says, in Postgres's words, that the slot's WAL is gone. */
export function isSlotLost(error: unknown): boolean {
  return error instanceof DatabaseRefusedError && error.code === '55000' && /can no longer (?:get changes|access)|invalidat/.test(error.message);
}
