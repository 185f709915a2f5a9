/**
 * Preflight: looks at a database before the service starts, so that what is wrong with it is said once, in a sentence
 * that tells what to do, and not by a retry that never ends.
 *
 * It changes nothing in the database. A message never contains the password, nor the URL that holds it.
 */
import type pg from 'pg';
import { systemClock, type Clock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { findSlot } from '../replication/replication-slot.ts';
import { NOTHING_STORED, standingOf, type SlotSettings, type StoredStream } from '../replication/slot-standing.ts';
import { connect, farewell, type ConnectOptions } from './connection.ts';
import {
  CertificateRefusedError, DatabaseRefusedError, isAnswer, isPassing, typed, worldError, type DatabaseUnreachableError, type WorldError,
} from './database-error.ts';
import { stepInTime, until } from './silence.ts';
import { NOT_REPLICATING_SQL } from './replication-right.ts';
import { liftedTimeLimits, liftTimeLimits } from './time-limits.ts';
import { type DatabaseProblem, type DatabaseTarget, isProblem, parseDatabaseUrl } from '../../settings/database-url.ts';

export interface PreflightOptions extends SlotSettings {
  /** The slot that the service will use; when it exists, no free one is needed. Left out, slots are not counted. */
  readonly slot?: string;
  /** Its publication, which tells whose the slot is. Left out, nobody asks. */
  readonly publication?: string;
  /** What the publication publishes is an operator's business, whoever owns it. */
  readonly isManual?: boolean;
  /** What the storage has of the slot's stream, or will say of it once it is open. `unknown`: so is whose the slot is. */
  readonly stored?: StoredStream | Promise<StoredStream | 'unknown'>;
  /** For each connection, and again for what is asked over it. Default 10,000 ms. */
  readonly timeoutMs?: number;
  /** Aborted when nobody waits for an answer any longer: then Postgres counts as one that cannot be reached. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

const VERSION_MIN = 140_000;
const TIMEOUT_MS = 10_000;
const UNREACHABLE = 'database_unreachable';
/** After a failover that is under way it is a matter of time. */
const STANDBY = 'server_is_standby';

/**
 * @returns undefined when the service can start with this database; also when that cannot be found out now, and is a matter of time:
 * Postgres has no room or is just starting, or this storage followed it before and it is away. Who connects later asks the same.
 * @throws what `stored` rejects with, when it is asked for.
 */
export async function preflight(database: string | DatabaseTarget, options: PreflightOptions = {}): Promise<DatabaseProblem | undefined> {
  const target = typeof database === 'string' ? parseDatabaseUrl(database) : database;
  if (isProblem(target)) return target;
  try {
    const facts = await through(await session(target, options), options, (client) => factsOf(client, options));
    const problem = problemOf(facts, target, options);
    if (problem !== undefined) return problem.code === STANDBY && (await hasFollowed(options)) ? undefined : problem;
    const stored = facts.has_slot ? await options.stored : undefined; // No connection waits for it.
    if (stored === 'unknown') return undefined;
    const opening = session(target, options, { replication: 'database' });
    const sender = await opening.catch((error: unknown) => senderProblem(error, target));
    return isProblem(sender) ? sender : await through(sender, options, (client) => slotProblem(client, options, stored));
  } catch (error) {
    const refused = worldError(error);
    if (refused === undefined) throw error;
    const met = connectProblem(refused, target);
    const isMatterOfTime = isPassing(refused) || (met.code === UNREACHABLE && (await hasFollowed(options)));
    return isMatterOfTime ? undefined : met;
  }
}

/** Where another instance has the storage, that one follows the database. */
export async function hasFollowed({ stored = NOTHING_STORED }: Pick<PreflightOptions, 'stored'>): Promise<boolean> {
  const known = await stored;
  return known === 'unknown' || known.source !== undefined;
}

/** @throws {WorldError} no connection is left open. */
function session(target: DatabaseTarget, options: PreflightOptions, kind: Pick<ConnectOptions, 'replication'> = {}): Promise<pg.Client> {
  const { timeoutMs = TIMEOUT_MS } = options;
  return inTime(options, (signal) => connect(target, { applicationName: 'armature preflight', timeoutMs, signal, ...kind }));
}

async function through<Result>(
  client: pg.Client,
  options: PreflightOptions,
  ask: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  try {
    return await inTime(options, (signal) => until(signal, client, typed(() => ask(client))));
  } finally {
    await farewell(client, options.clock ?? systemClock);
  }
}

function inTime<Result>(
  { signal = new AbortController().signal, clock = systemClock, timeoutMs = TIMEOUT_MS }: PreflightOptions,
  step: (given: AbortSignal) => Promise<Result>,
): Promise<Result> {
  return stepInTime(signal, clock, timeoutMs, step);
}

interface Facts {
  readonly version: number;
  readonly version_text: string;
  readonly wal_level: string;
  readonly is_standby: boolean;
  /** A role of ours that may not; null when there is none. */
  readonly not_replicating: string | null;
  readonly has_slot: boolean;
  /** The other database that the slot belongs to. */
  readonly slot_elsewhere: string | null;
  readonly slots_left: number;
  readonly senders_left: number;
  /** Nobody has made it, and the role may not. */
  readonly lacks_publication: boolean;
  /** It does not publish everything, and the role may not mend that, or is not to. */
  readonly has_part_of_publication: boolean;
}

const FACTS_SQL = `
  SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_text,
         current_setting('wal_level') AS wal_level, pg_is_in_recovery() AS is_standby,
         ${NOT_REPLICATING_SQL} AS not_replicating,
         EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1) AS has_slot,
         (SELECT database FROM pg_replication_slots WHERE slot_name = $1 AND database IS DISTINCT FROM current_database())
           AS slot_elsewhere,
         current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots)::int AS slots_left,
         current_setting('max_wal_senders')::int - (SELECT count(*) FROM pg_stat_replication)::int AS senders_left,
         $2::text IS NOT NULL AND NOT has_database_privilege(current_database(), 'CREATE')
           AND NOT EXISTS (SELECT FROM pg_publication WHERE pubname = $2) AS lacks_publication,
         EXISTS (SELECT FROM pg_publication WHERE pubname = $2 AND NOT (pubinsert AND pubupdate AND pubdelete AND pubtruncate)
           AND ($3 OR NOT pg_has_role(pubowner, 'USAGE'))) AS has_part_of_publication`;

async function factsOf(client: pg.Client, { slot, publication, isManual = false }: PreflightOptions): Promise<Facts> {
  await client.query(`BEGIN READ ONLY; ${liftedTimeLimits(true)}`); // It may be a pooler, whose session others have next.
  const [facts] = (await client.query<Facts>(FACTS_SQL, [slot ?? null, publication ?? null, isManual])).rows;
  await client.query('COMMIT');
  invariant(facts !== undefined, 'a SELECT without FROM has a row');
  return facts;
}

function problemOf(facts: Facts, target: DatabaseTarget, { slot, publication = '' }: PreflightOptions): DatabaseProblem | undefined {
  if (facts.version < VERSION_MIN) {
    return problem('server_too_old', `The server is Postgres ${facts.version_text}. Armature needs Postgres 14 or newer.`);
  }
  if (facts.is_standby) {
    return problem(STANDBY, 'The server is a standby, where nothing can be published. Name its primary in the database URL.');
  }
  if (facts.wal_level !== 'logical') {
    return problem(
      'wal_level_not_logical',
      `The server's wal_level is ${facts.wal_level}. Run ALTER SYSTEM SET wal_level = 'logical' and restart Postgres.`,
    );
  }
  const { not_replicating: role } = facts;
  if (role !== null) {
    return problem('no_replication_right', `The role "${role}" may not replicate. Run ALTER ROLE "${role}" WITH REPLICATION.`);
  }
  if (facts.slot_elsewhere !== null) {
    return problem(
      'slot_elsewhere',
      `The replication slot "${slot}" of this server belongs to its database "${facts.slot_elsewhere}". ` +
        'Give this service a replication stream id of its own (--replication-stream-id, or ARMATURE_REPLICATION_STREAM_ID).',
    );
  }
  return publicationProblem(facts, target, publication) ?? capacityProblem(facts, slot);
}

/** What the role can mend by itself is no problem. */
function publicationProblem(facts: Facts, { user, database }: DatabaseTarget, publication: string): DatabaseProblem | undefined {
  if (facts.lacks_publication) {
    return problem(
      'publication_missing',
      `Publication "${publication}" not found in the database, and the role "${user}" may not make it. ` +
        `Run CREATE PUBLICATION "${publication}", or GRANT CREATE ON DATABASE "${database}" TO "${user}".`,
    );
  }
  if (facts.has_part_of_publication) {
    return problem(
      'publication_incomplete',
      `Publication "${publication}" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE. ` +
        `Run ALTER PUBLICATION "${publication}" SET (publish = 'insert, update, delete, truncate') as its owner.`,
    );
  }
  return undefined;
}

/** Only a walsender tells of which system it is. */
async function slotProblem(
  client: pg.Client,
  options: PreflightOptions,
  stored: StoredStream = NOTHING_STORED,
): Promise<DatabaseProblem | undefined> {
  const { slot, publication } = options;
  if (slot === undefined || publication === undefined) return undefined;
  await liftTimeLimits(client);
  const judged = standingOf(await findSlot(client, { slot, publication }), stored, options);
  return judged.standing === 'refused' ? problem(judged.code, judged.why) : undefined;
}

function capacityProblem({ has_slot, slots_left, senders_left }: Facts, slot: string | undefined): DatabaseProblem | undefined {
  if (slot !== undefined && !has_slot && slots_left < 1) {
    return problem(
      'no_free_replication_slot',
      'All replication slots of the server are taken. Drop an unused one, or raise max_replication_slots and restart Postgres.',
    );
  }
  if (senders_left < 1) {
    return problem(
      'no_free_wal_sender',
      'All WAL senders of the server are taken. Stop a replication client, or raise max_wal_senders and restart Postgres.',
    );
  }
  return undefined;
}

/** @throws the error, unless an ordinary connection of the same kind may come about, as one did a moment before. */
function senderProblem(error: unknown, { host, port }: DatabaseTarget): DatabaseProblem {
  const refused = worldError(error);
  if (refused === undefined || !isAnswer(refused) || isPassing(refused)) throw error;
  return problem(
    'no_stream',
    `Postgres at ${host}:${port} takes no connection that streams: ${refused.message}. If that is a pooler (PgBouncer, say), name ` +
      'Postgres itself in the database URL, and the pooler as --pooled-database-url; else a line in pg_hba.conf must let the role in.',
  );
}

/** Why no connection came about, and what to do. */
export function connectProblem(error: WorldError, target: DatabaseTarget): DatabaseProblem {
  if (error instanceof DatabaseRefusedError) return refusalProblem(error, target);
  if (error instanceof CertificateRefusedError) return certificateProblem(error, target);
  return /SSL|TLS|certificate/i.test(error.message) ? tlsProblem(error, target) : unreachableProblem(error, target);
}

function refusalProblem(error: DatabaseRefusedError, { host, port, user, database }: DatabaseTarget): DatabaseProblem {
  switch (error.code) {
    case '28P01':
      return problem(
        'authentication_failed',
        `Postgres at ${host}:${port} does not accept the password of user "${user}". Check user and password in the database URL.`,
      );
    case '28000':
      return problem(
        'authentication_failed',
        `Postgres at ${host}:${port} does not let user "${user}" in: ${error.message}. ` +
          "Check the user, sslmode and the server's pg_hba.conf.",
      );
    case '3D000':
      return problem(
        'database_missing',
        `There is no database "${database}" at ${host}:${port}. Create it, or name another one at the end of the database URL.`,
      );
    default:
      return problem('database_refused', `Postgres at ${host}:${port} refuses: ${error.message}.`);
  }
}

function tlsProblem(error: DatabaseUnreachableError, { host, port, sslMode }: DatabaseTarget): DatabaseProblem {
  return problem(
    'tls_failed',
    `No encrypted connection to ${host}:${port} (sslmode=${sslMode}): ${error.message}. ` +
      'Enable TLS on the server, or use sslmode=disable where that is safe.',
  );
}

function certificateProblem(error: CertificateRefusedError, { host, port, sslMode, ca }: DatabaseTarget): DatabaseProblem {
  const trusted = ca === undefined ? 'the authorities that Node trusts, for there is no CA certificate file' : 'the CA certificate file';
  const checked = sslMode === 'verify-ca' ? `${trusted} (sslmode=verify-ca)` : `${trusted}, and against its host`;
  return problem(
    'certificate_refused',
    `The certificate of Postgres at ${host}:${port} is not to be trusted: ${error.message}. It was held against ${checked}. ` +
      'Name the certificate of who signed it (--database-ca-certificate-file, or ARMATURE_DATABASE_CA_CERTIFICATE_FILE).',
  );
}

function unreachableProblem(error: DatabaseUnreachableError, { host, port }: DatabaseTarget): DatabaseProblem {
  if (/password/i.test(error.message)) {
    return problem(
      'authentication_failed',
      `Postgres at ${host}:${port} wants a password. Put it into the database URL: postgresql://user:password@host/database.`,
    );
  }
  return problem(
    UNREACHABLE,
    `Postgres at ${host}:${port} cannot be reached: ${reasonOf(error)}. Check host and port of the database URL, and that the server runs.`,
  );
}

function reasonOf({ message }: DatabaseUnreachableError): string {
  if (message.includes('ECONNREFUSED')) return 'nothing listens there';
  if (message.includes('ENOTFOUND') || message.includes('EAI_AGAIN')) return 'the host name is unknown';
  return /^(?:timeout|Postgres has been silent)/.test(message) ? 'no answer in time' : message;
}

function problem(code: string, message: string): DatabaseProblem {
  return { code, message };
}
