/**
 * What must be there before the stream can start: the publication, complete, and the slot, made after it.
 *
 * A slot decodes each change with the catalogue of its moment: a slot that is older than the publication would fail on
 * changes from before it, so before the publication is made, an older slot is dropped. A new slot has seen nothing:
 * whoever kept shapes must drop them. So a slot is never made on the way: first it is told that it is missing, which a
 * crash cannot make forgotten, and it is made when that was noted. What is there is judged before anything is altered.
 *
 * Whoever prepares has the lock, so no other instance may stream from the slot any more: one that does was cut off, and is ended. Postgres
 * is asked whether it still has it, for it may itself be the one that was cut off, and hear of that last.
 */
import type pg from 'pg';
import { LSN_ZERO, type Lsn } from '../../model/lsn.ts';
import type { StreamSource } from '../../model/stream-source.ts';
import type { StreamNames } from '../../settings/stream-names.ts';
import { typed } from '../connection/database-error.ts';
import type { HeldLock } from '../connection/held-lock.ts';
import { watchForOurDeath } from '../connection/orphan-watch.ts';
import { quoteName, quoteText } from '../connection/sql-text.ts';
import { liftTimeLimits } from '../connection/time-limits.ts';
import { dropSlot, endStream, findPublication, findSlot, makeSlot, markSlot } from './replication-slot.ts';
import { standingOf, type FoundDatabase, type SlotSettings, type StoredStream } from './slot-standing.ts';

export interface ReplicationNames extends StreamNames, SlotSettings {
  /** What the publication publishes is an operator's business. */
  readonly isManual?: boolean;
  /** Asked after before a stream is ended, or a slot dropped; without it who calls vouches that there is no other instance. */
  readonly lock?: HeldLock;
}

export interface PreparedReplication {
  /** With the publication, where it is continued. */
  readonly source: StreamSource;
  /** What is stored says the same of the source: else that must be noted before the stream goes on. */
  readonly isNoted: boolean;
  readonly standing: 'continued' | 'new' | 'lost';
  /** The stream goes on, on another timeline. */
  readonly hasSwitched: boolean;
  /** Why what is stored cannot be carried on, in a sentence without its full stop; empty when it can. */
  readonly why: string;
  /** Up to here Postgres has forgotten for the slot. */
  readonly confirmedLsn: Lsn;
  /** There is a slot of the name that must go before one is made. */
  readonly isInTheWay: boolean;
  /** Whoever has another storage can see that Armature made the slot, or is about to; true for one that ends with its connection. */
  readonly isMarked: boolean;
  readonly serverTimeoutMs: number;
}

export type ReplicationProblem =
  | 'slot_of_another_kind'
  | 'slot_not_ours'
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

const DISPLAY_SETTINGS = [
  "bytea_output = 'hex'", "DateStyle = 'ISO, DMY'", "TimeZone = 'UTC'", 'extra_float_digits = 1', "IntervalStyle = 'iso_8601'",
];

/** Has values the texts that clients expect, in the stream and in snapshots: for the session, or up to the end of the transaction. */
export function displaySettings(scope: 'SESSION' | 'LOCAL'): string {
  return DISPLAY_SETTINGS.map((setting) => `SET ${scope} ${setting}`).join('; ');
}

const PUBLISH_GENERATED_SINCE = 180_000;

/** @throws {ReplicationSetupError} @throws {WorldError} */
export async function prepareReplication(
  client: pg.Client,
  names: ReplicationNames,
  stored: StoredStream,
): Promise<PreparedReplication> {
  return await typed(async () => {
    await watchForOurDeath(client); // One that still waits, for a slot or for who alters the publication, keeps the next service from it.
    await liftTimeLimits(client);
    const server = await serverOf(client);
    if (server.walLevel !== 'logical') throw walLevelNotLogical(server.walLevel);
    await endStream(client, names.slot, names.lock); // Before it is judged: until then it may confirm more.
    const found = await findSlot(client, names);
    const judged = standingOf(found, stored, names);
    if (judged.standing === 'refused') throw new ReplicationSetupError(judged.code, judged.why);
    const { source, slot, publication } = found;
    if (publication === undefined && isLeftToOperator(names, stored)) throw publicationMissing(names.publication);
    if (publication === undefined) await makePublication(client, names, found, server.version);
    if ((await findPublication(client, names.publication, source)) === undefined) throw publicationMissing(names.publication);
    await client.query(displaySettings('SESSION'));
    const isContinued = judged.standing === 'continued' && publication !== undefined;
    const hasSwitched = judged.standing === 'continued' && judged.hasSwitched;
    return {
      source: isContinued ? { ...source, publication: publication.version } : source,
      isNoted: stored.source?.publication !== undefined && !hasSwitched,
      standing: judged.standing,
      hasSwitched,
      why: judged.standing === 'continued' ? '' : judged.why,
      confirmedLsn: slot?.confirmedLsn ?? LSN_ZERO,
      isInTheWay: publication !== undefined && slot?.isTemporary === false,
      isMarked: publication?.isMarked === true || names.isSlotTemporary === true || (await markSlot(client, names.publication, source)),
      serverTimeoutMs: server.timeoutMs,
    };
  });
}

export function startCommand({ slot, publication }: ReplicationNames): string {
  const names = quoteText(quoteName(publication));
  return `START_REPLICATION SLOT ${quoteName(slot)} LOGICAL 0/0 (proto_version '1', publication_names ${names})`;
}

/**
 * Lets the publication pass on all four operations, where it does not. Before the slot is made: what is decoded from then on is whole.
 *
 * @returns its version.
 * @throws {ReplicationSetupError}
 */
async function completePublication(client: pg.Client, { publication, isManual = false }: ReplicationNames, source: StreamSource) {
  const found = await findPublication(client, publication, source);
  if (found === undefined) throw publicationMissing(publication);
  if (found.isComplete) return found.version;
  if (isManual) throw publicationIncomplete(publication);
  try {
    await client.query(`ALTER PUBLICATION ${quoteName(publication)} SET (publish = 'insert, update, delete, truncate')`);
  } catch (error) {
    if (hasState(error, '42501')) throw publicationIncomplete(publication);
    throw error;
  }
  const completed = await findPublication(client, publication, source);
  if (completed === undefined) throw publicationMissing(publication); // Somebody was faster.
  return completed.version;
}

function publicationMissing(publication: string): ReplicationSetupError {
  return new ReplicationSetupError('publication_missing', `Publication "${publication}" not found in the database`);
}

function publicationIncomplete(publication: string): ReplicationSetupError {
  return new ReplicationSetupError(
    'publication_incomplete',
    `Publication "${publication}" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE`,
  );
}

async function serverOf(client: pg.Client): Promise<{ version: number; walLevel: string; timeoutMs: number }> {
  const [row] = await rows<{ version: string; wal_level: string; timeout: string }>(
    client,
    `SELECT current_setting('server_version_num') AS version, current_setting('wal_level') AS wal_level,
            (SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout') AS timeout`,
  );
  return { version: Number(row?.version), walLevel: row?.wal_level ?? '', timeoutMs: Number(row?.timeout) };
}

/** Who drops one that has been streamed, to make it anew, would find ours in the way, and that it publishes nothing. */
function isLeftToOperator({ isManual = false }: ReplicationNames, { source, damaged }: StoredStream): boolean {
  return isManual && (source ?? damaged?.source) !== undefined;
}

/** The old slot goes first: if we do not come further than that, the next attempt finds it missing. */
async function makePublication(client: pg.Client, names: ReplicationNames, { slot }: FoundDatabase, version: number): Promise<void> {
  if (slot?.isTemporary === false) await dropSlot(client, names.slot, names.lock);
  await createPublication(client, names.publication, version);
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

/**
 * Makes the slot, in place of the one that `prepared` found and that cannot be gone on with. One that somebody has made
 * since is left alone, and refused by Postgres. Waits for the transactions that are open now to end; the statement ends
 * with the connection. The publication is complete by then.
 *
 * @returns where its stream begins, and whose it is.
 * @throws {ReplicationSetupError} @throws {WorldError}
 */
export async function createSlot(client: pg.Client, names: ReplicationNames, prepared: PreparedReplication): Promise<MadeSlot> {
  const { slot, isSlotTemporary = false } = names;
  return await typed(async () => {
    const publication = await completePublication(client, names, prepared.source); // Where that is refused, the slot stays.
    if (prepared.isInTheWay) await dropSlot(client, slot, names.lock);
    try {
      const lsn = await makeSlot(client, slot, isSlotTemporary);
      return { lsn, source: { ...prepared.source, publication } };
    } catch (error) {
      if (hasState(error, '42501')) throw noReplicationRight();
      throw error;
    }
  });
}

export interface MadeSlot {
  readonly lsn: Lsn;
  readonly source: StreamSource;
}

async function rows<Row extends pg.QueryResultRow>(client: pg.Client, sql: string): Promise<Row[]> {
  return (await client.query<Row>(sql)).rows;
}

function hasState(error: unknown, state: string): boolean {
  return error instanceof Error && 'code' in error && error.code === state;
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
