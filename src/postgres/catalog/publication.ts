/**
 * Publication: which tables the stream carries, and whether it carries their old rows.
 *
 * A table is published before it gets its replica identity, each table in a short transaction of its own: the other
 * order, or several tables at once, deadlocks with the DDL of others. What is already as it should be is left alone,
 * so that neither rights nor locks are needed for it. In manual mode nothing is ever altered, only checked.
 */
import type pg from 'pg';
import { DatabaseRefusedError, typed, worldError } from '../connection/database-error.ts';
import { type DatabasePool, PoolTimeoutError } from '../connection/pool.ts';
import { quoteName, quoteTable } from '../connection/sql-text.ts';

export interface TableName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/** Why a table is not published; the message is the client's. The table and the publication are as they were. */
export class PublicationRefusedError extends Error {
  override readonly name = 'PublicationRefusedError';

  constructor(
    readonly code: PublicationProblem,
    message: string,
    /** 503: may be mended by an operator, or by waiting; 409: the shape is of a table that is not there any more. */
    readonly status: 409 | 503 = 503,
  ) {
    super(message);
  }
}

export type PublicationProblem =
  | 'lock_timeout'
  | 'connection_not_available'
  | 'pool_queue_timeout'
  | 'table_dropped'
  | 'table_not_published'
  | 'replica_identity_not_full'
  | 'publication_missing'
  | 'publication_incomplete'
  | 'refused';

export interface Publication {
  /** The table is published with its old rows when this resolves. @throws {PublicationRefusedError} */
  add(table: TableName): Promise<void>;
  /** The table is not published any more; a table that is gone is not an error. @throws {PublicationRefusedError} */
  drop(table: TableName): Promise<void>;
  /** @throws {PublicationRefusedError} */
  list(): Promise<TableName[]>;
}

export interface PublicationOptions {
  readonly pool: DatabasePool;
  readonly publication: string;
  /** The tables are an operator's business. */
  readonly isManual: boolean;
}

const LOCK_TIMEOUT = '5s';

export function createPublication({ pool, publication, isManual }: PublicationOptions): Publication {
  return {
    add: (table) => inTransaction(pool, (client) => (isManual ? verify : add)(client, publication, table)),
    drop: (table) => (isManual ? Promise.resolve() : inTransaction(pool, (client) => drop(client, publication, table))),
    list: () => inTransaction(pool, (client) => list(client, publication)),
  };
}

/** How a table stands. */
interface Standing {
  readonly isPartitioned: boolean;
  readonly isPublished: boolean;
  /** Ordinary tables, itself or its partitions, whose replica identity is not FULL. */
  readonly notFull: readonly { readonly schema: string; readonly name: string }[];
}

async function add(client: pg.PoolClient, publication: string, table: TableName): Promise<void> {
  const standing = await standingOf(client, publication, table);
  if (!standing.isPublished) await publish(client, publication, table, standing);
  for (const part of standing.notFull) await makeFull(client, part);
  if (!standing.isPublished) await awaitWriters(client, table, standing);
}

/**
 * What a transaction wrote before the table was published is never streamed, and a snapshot taken while it is open does
 * not see it either. So those that have written must end before ours commits: adding a table waits for nobody, and only
 * a change of the replica identity would, where there is one to make. Last, since a lock that is raised invites deadlock.
 */
async function awaitWriters(client: pg.PoolClient, table: TableName, { isPartitioned }: Standing): Promise<void> {
  const only = isPartitioned ? '' : 'ONLY ';
  const outcome = await attempt(client, `LOCK TABLE ${only}${quoteTable(table)} IN SHARE MODE`);
  if (outcome !== undefined) throw outcome;
}

async function publish(client: pg.PoolClient, publication: string, table: TableName, { isPartitioned }: Standing): Promise<void> {
  // Of a table that others inherit from, itself alone: its snapshot leaves them out as well.
  const only = isPartitioned ? '' : 'ONLY ';
  const outcome = await attempt(client, `ALTER PUBLICATION ${quoteName(publication)} ADD TABLE ${only}${quoteTable(table)}`);
  if (outcome === undefined || outcome.code === ALREADY_THERE) return;
  if (outcome.code === NO_PRIVILEGE) throw notPublished(publication, table, 'and Electric lacks privileges to add it');
  throw outcome;
}

async function makeFull(client: pg.PoolClient, table: { readonly schema: string; readonly name: string }): Promise<void> {
  const outcome = await attempt(client, `ALTER TABLE ONLY ${quoteTable(table)} REPLICA IDENTITY FULL`);
  if (outcome?.code === NO_PRIVILEGE) throw notFull(table);
  if (outcome !== undefined) throw outcome;
}

async function verify(client: pg.PoolClient, publication: string, table: TableName): Promise<void> {
  const { isPublished, notFull: [first] } = await standingOf(client, publication, table);
  if (!isPublished) {
    throw notPublished(publication, table, 'and the ELECTRIC_MANUAL_TABLE_PUBLISHING setting prevents Electric from adding it');
  }
  if (first !== undefined) throw notFull(first);
}

async function drop(client: pg.PoolClient, publication: string, table: TableName): Promise<void> {
  const outcome = await attempt(client, `ALTER PUBLICATION ${quoteName(publication)} DROP TABLE ${quoteTable(table)}`);
  if (outcome !== undefined && !GONE_ALREADY.has(outcome.code)) throw outcome;
}

async function list(client: pg.PoolClient, publication: string): Promise<TableName[]> {
  const { rows } = await client.query<TableName>(LIST_SQL, [publication]);
  return rows;
}

const ALREADY_THERE = '42710';
const NO_PRIVILEGE = '42501';
/** Not a member, or no such table or schema. */
const GONE_ALREADY = new Set(['42704', '42P01', '3F000']);

/** Also the tables of a publication FOR ALL TABLES, or of a schema. */
const LIST_SQL = `
  SELECT c.oid::int8::float8 AS oid, t.schemaname AS schema, t.tablename AS name
  FROM pg_publication_tables t
  JOIN pg_namespace n ON n.nspname = t.schemaname
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
  WHERE t.pubname = $1
  ORDER BY t.schemaname, t.tablename`;

interface StandingRow {
  readonly oid: number | null;
  readonly kind: string | null;
  readonly published: boolean | null;
  readonly complete: boolean | null;
  readonly not_full: { readonly schema: string; readonly name: string }[];
}

const STANDING_SQL = `
  SELECT c.oid::int8::float8 AS oid, c.relkind AS kind,
         p.puballtables
           OR EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid)
           OR EXISTS (SELECT FROM pg_publication_tables t WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname) AS published,
         p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS complete,
         (SELECT coalesce(json_agg(json_build_object('schema', ln.nspname, 'name', l.relname) ORDER BY l.oid), '[]')
          FROM (SELECT c.oid AS relid UNION SELECT relid FROM pg_partition_tree(c.oid)) tree
          JOIN pg_class l ON l.oid = tree.relid AND l.relkind = 'r' AND l.relreplident <> 'f'
          JOIN pg_namespace ln ON ln.oid = l.relnamespace) AS not_full
  FROM (SELECT 1) one
  LEFT JOIN pg_namespace n ON n.nspname = $2
  LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = $3 AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_publication p ON p.pubname = $1`;

/** @throws {PublicationRefusedError} when there is nothing that the table could stand in. */
async function standingOf(client: pg.PoolClient, publication: string, table: TableName): Promise<Standing> {
  const [row] = (await client.query<StandingRow>(STANDING_SQL, [publication, table.schema, table.name])).rows;
  if (row === undefined || row.oid !== table.oid) throw dropped(table);
  if (row.complete === null) throw new PublicationRefusedError('publication_missing', `Publication "${publication}" not found in the database`);
  if (!row.complete) {
    throw new PublicationRefusedError(
      'publication_incomplete',
      `Publication "${publication}" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE`,
    );
  }
  return { isPartitioned: row.kind === 'p', isPublished: row.published === true, notFull: row.not_full };
}

/** Runs a statement so that its refusal leaves the transaction usable. @returns the refusal. */
async function attempt(client: pg.PoolClient, sql: string): Promise<DatabaseRefusedError | undefined> {
  await client.query('SAVEPOINT attempt');
  try {
    await typed(() => client.query(sql));
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT attempt');
    return error;
  }
}

async function inTransaction<Result>(pool: DatabasePool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  try {
    const outcome = await pool.use(async (client) => {
      await client.query(`BEGIN; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
      const settledWork = await settled(work(client));
      await client.query('error' in settledWork ? 'ROLLBACK' : 'COMMIT');
      return settledWork;
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  } catch (error) {
    throw refusal(error);
  }
}

/** A refusal by Postgres or by us leaves the connection usable, once rolled back; anything else is thrown on. */
async function settled<Result>(work: Promise<Result>): Promise<{ result: Result } | { error: Error }> {
  try {
    return { result: await work };
  } catch (error) {
    const known = error instanceof PublicationRefusedError ? error : worldError(error);
    if (known === undefined || known.name === 'DatabaseUnreachableError') throw error;
    return { error: known };
  }
}

function refusal(error: unknown): unknown {
  if (error instanceof PublicationRefusedError) return error;
  if (error instanceof PoolTimeoutError) {
    return new PublicationRefusedError('pool_queue_timeout', 'Snapshot creation failed because of a connection pool queue timeout');
  }
  const refused = worldError(error);
  if (refused === undefined) return error;
  if (!(refused instanceof DatabaseRefusedError)) {
    return new PublicationRefusedError('connection_not_available', 'Database connection not available');
  }
  if (refused.code === LOCK_NOT_AVAILABLE || refused.code === DEADLOCK) {
    return new PublicationRefusedError('lock_timeout', 'Snapshot timed out while waiting for a table lock');
  }
  return new PublicationRefusedError('refused', `Unable to create initial snapshot: ${refused.message}`);
}

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

function notPublished(publication: string, table: TableName, why: string): PublicationRefusedError {
  return new PublicationRefusedError('table_not_published', `Database table ${titleOf(table)} is missing from the publication "${publication}" ${why}`);
}

function notFull(table: { readonly schema: string; readonly name: string }): PublicationRefusedError {
  return new PublicationRefusedError('replica_identity_not_full', `Database table ${titleOf(table)} does not have its replica identity set to FULL`);
}

function dropped(table: TableName): PublicationRefusedError {
  return new PublicationRefusedError('table_dropped', `Database table ${titleOf(table)} has been dropped or renamed`, 409);
}

function titleOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `"${schema}.${name}"`;
}
