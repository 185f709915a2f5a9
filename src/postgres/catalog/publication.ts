/**
 * Publication: which tables the stream carries, and whether it carries their old rows.
 *
 * Several tables are altered in one transaction, since a table costs a round trip rather than work. But whoever holds
 * the locks of some tables and waits for that of another holds up all who write to the first, and deadlocks with the DDL
 * of others. So a transaction on several gives up at a lock that it does not get at once (long before Postgres looks
 * for deadlocks); then all is as it was, and its caller tries the tables one by one. A transaction on one table waits.
 *
 * A partitioned table is several too, for all that is below it is locked with it. So its partitions get their replica identity before, each
 * by itself; and where its writers do not end at once, they are waited for without holding anything, and then all is tried again.
 *
 * A table is published before it gets its replica identity: the other order deadlocks too, within one transaction. What is already as it
 * should be is left alone, so that neither rights nor locks are needed for it. In manual mode nothing is ever altered, only checked.
 */
import type pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { EVER, lookedAtTree, type TreeMemory } from '../../model/partition-tree.ts';
import type { PublishedRelation } from '../../model/relation.ts';
import type { FoundTable } from '../../model/found-table.ts';
import type { MembershipMemory } from '../../model/table-membership.ts';
import { DatabaseRefusedError, typed, worldError } from '../connection/database-error.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { quoteName, quoteTable } from '../connection/sql-text.ts';
import { limitedToLocks } from '../connection/time-limits.ts';
import { Memberships } from './memberships.ts';
import { SeenTables } from './seen-tables.ts';
import { foundTables } from './table-facts.ts';
import {
  dropped, notCarried, notFull, notPublished, publicationAltered, publishedInPart, PublicationRefusedError, refusalOf, toldAsRoot, untold,
} from './publication-refusal.ts';
import { joined, standingsOf, type PublicationStanding } from './publication-standing.ts';
import { awaitWritersOfEach, makeEachFull } from './publication-tree.ts';

export interface Publication {
  /** What is wrong with tables that shapes follow; those with which nothing is are left out. @throws {PublicationRefusedError} */
  review(relations: readonly PublishedRelation[]): Promise<Review>;
  /**
   * All are published with their old rows when this resolves.
   *
   * @throws {PublicationRefusedError} none is published that was not before. Partitions may have got their replica identity.
   */
  add(relations: readonly PublishedRelation[]): Promise<Addition>;
  /** None is published any more; one that is gone is not an error. @throws {PublicationRefusedError} all are as they were. */
  drop(relations: readonly PublishedRelation[]): Promise<void>;
}

export interface Review {
  readonly faults: readonly PublicationFault[];
  readonly turns: readonly PartitionTurn[];
}

export interface Addition {
  /** Those that were not carried before, or not all the time since they were looked at. */
  readonly added: readonly PublishedRelation[];
  readonly turns: readonly PartitionTurn[];
}

export interface PublicationFault {
  readonly relation: PublishedRelation;
  readonly fault: 'isDropped' | 'isNotPublished' | 'hasLeft' | 'isNotFull' | 'isNotItself' | 'isUnwritable' | 'isToldAsRoot' | 'isUntold';
}

/** Partitions came or went, with their rows: shapes of the table that were there before have others than they should. */
export interface PartitionTurn {
  readonly relation: PublishedRelation;
  readonly beforeMicros: number;
}

export interface PublicationOptions {
  readonly pool: DatabasePool;
  readonly publication: string;
  /** The tables are an operator's business. */
  readonly isManual: boolean;
  readonly trees: TreeMemory;
  readonly memberships: MembershipMemory;
  /** Of the publication that the stream comes through; undefined while it is not known. */
  readonly streamedVersion?: () => string | undefined;
  /**
   * Told of followed tables that may be others than when they were reviewed before, if they were: each as it is.
   *
   * @returns false when somebody was told that his is another one: he may not have heard it, so it is told again with the next review.
   */
  readonly altered?: (tables: readonly FoundTable[]) => boolean;
  readonly clock: Pick<Clock, 'epochMicros'>;
  /** How long a transaction on one table waits for its locks. Default 5,000 ms. */
  readonly lockMsMax?: number;
}

const LOCK_MS_MAX = 5_000;
/** Of one on several; far below Postgres's `deadlock_timeout` of 1 s, so that it is never others who are told to give way. */
const LOCK_TIMEOUT_OF_SEVERAL = '50ms';
/** Of one on a tree, round by round: writers come again and again, and each of these is still below that. */
const LOCK_TIMEOUTS_OF_TREE = [LOCK_TIMEOUT_OF_SEVERAL, '200ms', '500ms'];

export function createPublication(options: PublicationOptions): Publication {
  const { pool, publication, isManual, trees, clock, streamedVersion = () => undefined, altered = () => true } = options;
  const writing: Writing = { pool, publication, lockTimeout: `${options.lockMsMax ?? LOCK_MS_MAX}ms` };
  const memberships = new Memberships(options.memberships);
  const seen = new SeenTables();
  const turnsOf = (standings: readonly PublicationStanding[], lastLayoutId: number): readonly PartitionTurn[] => {
    return standings.filter(({ isThere, isPartitioned }) => isThere && isPartitioned).flatMap(({ relation, tree }) => {
      const before = trees.treeOf(relation.oid)?.turnedMicros ?? 0;
      const { turnedMicros } = lookedAtTree(trees, relation.oid, tree, lastLayoutId, clock.epochMicros());
      return turnedMicros === 0 ? [] : [{ relation, beforeMicros: turnedMicros === before ? before : EVER }];
    });
  };
  const forget = (oid: number): void => {
    trees.forgetTree(oid);
    memberships.forget(oid);
    seen.forget(oid);
  };
  return {
    async review(relations) {
      const { lastLayoutId } = trees;
      const streamed = streamedVersion();
      const { standings, others, gone } = await inTransaction(pool, limitOf(writing, relations), async (client) => {
        const found = await standingsOf(client, publication, relations, isManual);
        const oids = seen.othersOf(found);
        const missing = found.flatMap(({ isThere, relation }) => (isThere ? [] : [relation]));
        return { standings: found, others: oids.length === 0 ? [] : await foundTables(client, oids), gone: await goneOf(client, missing) };
      });
      const isOther = standings.some(({ version }) => version !== streamed);
      // Where the stream has been made anew meanwhile, it is the answer that is old.
      if (streamed !== undefined && isOther && streamed === streamedVersion()) throw publicationAltered(publication);
      const faults = faultsOf(standings, memberships);
      memberships.noteNew(standings);
      if (others.length === 0 || altered(others)) seen.note(standings);
      gone.forEach(forget);
      return { faults, turns: turnsOf(standings, lastLayoutId) };
    },
    async add(relations) {
      const { lastLayoutId } = trees;
      const standings = await (isManual ? verified : published)(writing, relations);
      const isAdded = (standing: PublicationStanding): boolean => {
        return standing.isPublished ? memberships.isOther(standing) : !standing.isCarried; // A membership that is ours is another one.
      };
      const added = standings.filter(isAdded).map(({ relation }) => relation);
      memberships.note(standings);
      return { added, turns: turnsOf(standings, lastLayoutId) };
    },
    async drop(relations) {
      // By another name a table may still be followed: then it is no member under this one.
      const left = isManual ? relations : await inTransaction(pool, limitOf(writing, relations), async (client) => {
        const members = await drop(client, publication, relations);
        return [...members, ...(await goneOf(client, relations)).map((oid) => ({ oid }))];
      });
      for (const { oid } of left) forget(oid);
    },
  };
}

type Relations = readonly PublishedRelation[];

/** Where is written, and how long a transaction on one table waits for its locks. */
interface Writing {
  readonly pool: DatabasePool;
  readonly publication: string;
  readonly lockTimeout: string;
}

/** Oids of those that are tables by no name any more. */
async function goneOf(client: pg.PoolClient, relations: Relations): Promise<readonly number[]> {
  if (relations.length === 0) return [];
  const { rows } = await client.query<{ oid: number }>(GONE_SQL, [relations.map(({ oid }) => oid)]);
  return rows.map(({ oid }) => oid);
}

const GONE_SQL = `
  SELECT meant.oid::int8::float8 AS oid FROM unnest($1::oid[]) AS meant (oid)
  WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = meant.oid)`;

function faultsOf(standings: readonly PublicationStanding[], memberships: Memberships): readonly PublicationFault[] {
  return standings.flatMap((standing) => {
    const fault = faultOf(standing, memberships);
    return fault === undefined ? [] : [{ relation: standing.relation, fault }];
  });
}

function faultOf(standing: PublicationStanding, memberships: Memberships): PublicationFault['fault'] | undefined {
  const { isThere, isPublished, isCarried, isToldAsRoot, untold: untoldPartition, inPart, notFull: [first], uncarried } = standing;
  if (!isThere) return 'isDropped';
  if (!isPublished && !isCarried) return 'isNotPublished';
  if (memberships.isOther(standing) || inPart.length > 0) return 'hasLeft';
  if (isToldAsRoot) return 'isToldAsRoot';
  if (untoldPartition !== null) return 'isUntold';
  if (uncarried.length > 0) return 'isUnwritable';
  if (first !== undefined) return 'isNotFull';
  return isPublished ? undefined : 'isNotItself';
}

/** Nothing but checked. */
function verified(writing: Writing, relations: Relations): Promise<readonly PublicationStanding[]> {
  const { pool, publication } = writing;
  return inTransaction(pool, limitOf(writing, relations), async (client) => {
    const present = await presentOnes(client, publication, relations, true);
    verify(publication, present);
    return present;
  });
}

/** All in one transaction, unless trees are to be locked. */
async function published(writing: Writing, relations: Relations): Promise<readonly PublicationStanding[]> {
  const { pool, publication } = writing;
  const { present, isDone } = await inTransaction(pool, limitOf(writing, relations), async (client) => {
    const standings = await presentOnes(client, publication, relations, false);
    if (standings.some(locksTree)) return { present: standings, isDone: false };
    return { present: await publishAll(client, publication, standings), isDone: true };
  });
  if (isDone) return present;
  const partitions = present.filter(({ isPartitioned }) => isPartitioned).flatMap((standing) => standing.notFull);
  await makeEachFull(pool, partitions, limitOf(writing, relations));
  return publishTrees(writing, relations);
}

function locksTree({ isPartitioned, isPublished, tree, notFull: { length } }: PublicationStanding): boolean {
  return isPartitioned && (length > 0 || (!isPublished && tree.length > 0));
}

/** Of several tables that are refused together, the caller tries each alone: then its writers are waited for. */
async function publishTrees(writing: Writing, relations: Relations, round = 0): Promise<readonly PublicationStanding[]> {
  const { pool, publication, lockTimeout } = writing;
  const [relation, second] = relations;
  try {
    return await inTransaction(pool, LOCK_TIMEOUTS_OF_TREE[round] ?? LOCK_TIMEOUT_OF_SEVERAL, async (client) => {
      const present = await presentOnes(client, publication, relations, false);
      return await publishAll(client, publication, present);
    });
  } catch (error) {
    const isBusy = error instanceof PublicationRefusedError && error.code === 'lock_timeout';
    if (!isBusy || relation === undefined || second !== undefined || round === LOCK_TIMEOUTS_OF_TREE.length - 1) throw error;
    await awaitWritersOfEach(pool, relation, lockTimeout);
  }
  return publishTrees(writing, relations, round + 1);
}

/** @returns `standings` as they were before, but for their memberships. */
async function publishAll(
  client: pg.PoolClient,
  publication: string,
  standings: readonly PublicationStanding[],
): Promise<readonly PublicationStanding[]> {
  const unpublished = standings.filter(({ isPublished }) => !isPublished);
  const inPart = standings.filter((standing) => standing.inPart.length > 0);
  for (const standing of inPart) await publishWhole(client, publication, standing);
  if (unpublished.length > 0) await publish(client, publication, unpublished);
  await makeFull(client, standings.flatMap((standing) => standing.notFull));
  const untold = [...unpublished, ...inPart];
  if (untold.length === 0) return standings;
  await awaitWriters(client, untold);
  return await joined(client, publication, standings);
}

/** @throws {PublicationRefusedError} when one of them is not there any more, or could not be written to any more. */
async function presentOnes(
  client: pg.PoolClient,
  publication: string,
  relations: Relations,
  isManual: boolean,
): Promise<readonly PublicationStanding[]> {
  const standings = await standingsOf(client, publication, relations, isManual);
  const missing = standings.find(({ isThere }) => !isThere);
  if (missing !== undefined) throw dropped(missing.relation);
  const asRoot = standings.find(({ isToldAsRoot }) => isToldAsRoot);
  if (asRoot !== undefined) throw toldAsRoot(publication, asRoot.relation);
  for (const { relation, untold: partition } of standings) if (partition !== null) throw untold(relation, partition);
  const unwritable = standings.find(({ uncarried }) => uncarried.length > 0);
  if (unwritable !== undefined) throw notCarried(publication, unwritable.relation, unwritable.uncarried);
  return standings;
}

/**
 * What a transaction wrote before the table was published is never streamed, and a snapshot taken while it is open does
 * not see it either. So those that have written must end before ours commits: adding a table waits for nobody, and only
 * a change of the replica identity would, where there is one to make. Last, since a lock that is raised invites deadlock.
 */
async function awaitWriters(client: pg.PoolClient, standings: readonly PublicationStanding[]): Promise<void> {
  const outcome = await attempt(client, `LOCK TABLE ${listOf(standings)} IN SHARE MODE`);
  if (outcome !== undefined) throw outcome;
}

async function publish(client: pg.PoolClient, publication: string, standings: readonly PublicationStanding[]): Promise<void> {
  const outcome = await attempt(client, `ALTER PUBLICATION ${quoteName(publication)} ADD TABLE ${listOf(standings)}`);
  const [first, second] = standings;
  // Somebody was faster; of several, it is not known with which.
  if (outcome === undefined || (outcome.code === ALREADY_THERE && second === undefined)) return;
  if (outcome.code === NO_PRIVILEGE && first !== undefined) throw notPublished(publication, first.relation, NO_PRIVILEGE_TEXT);
  throw outcome;
}

/** A member leaves and comes back as a whole. */
async function publishWhole(client: pg.PoolClient, publication: string, { relation, inPart }: PublicationStanding): Promise<void> {
  const [name, tables] = [quoteName(publication), inPart.map((table) => `ONLY ${quoteTable(table)}`).join(', ')];
  const outcome = await attempt(client, `ALTER PUBLICATION ${name} DROP TABLE ${tables}; ALTER PUBLICATION ${name} ADD TABLE ${tables}`);
  if (outcome?.code === NO_PRIVILEGE) throw publishedInPart(publication, relation, inPart);
  if (outcome !== undefined) throw outcome;
}

/** Of a table that others inherit from, itself alone: its snapshot leaves them out as well. */
function listOf(standings: readonly PublicationStanding[]): string {
  return standings.map(({ relation, isPartitioned }) => `${isPartitioned ? '' : 'ONLY '}${quoteTable(relation)}`).join(', ');
}

async function makeFull(client: pg.PoolClient, tables: PublicationStanding['notFull']): Promise<void> {
  const [first] = tables;
  if (first === undefined) return;
  const outcome = await attempt(client, tables.map((table) => `ALTER TABLE ONLY ${quoteTable(table)} REPLICA IDENTITY FULL`).join('; '));
  if (outcome?.code === NO_PRIVILEGE) throw notFull(first);
  if (outcome !== undefined) throw outcome;
}

function verify(publication: string, standings: readonly PublicationStanding[]): void {
  for (const { relation, isPublished, inPart, notFull: [first] } of standings) {
    if (inPart.length > 0) throw publishedInPart(publication, relation, inPart);
    if (!isPublished) {
      throw notPublished(publication, relation, 'and the ELECTRIC_MANUAL_TABLE_PUBLISHING setting prevents Electric from adding it');
    }
    if (first !== undefined) throw notFull(first);
  }
}

/** By its name a table can be another one by now, which others need: that one stays. @returns those that were members. */
async function drop(client: pg.PoolClient, publication: string, relations: Relations): Promise<Relations> {
  const { rows } = await client.query<{ oid: number; schema: string; name: string }>(MEMBERS_SQL, [
    publication, relations.map(({ oid }) => oid), relations.map(({ schema }) => schema), relations.map(({ name }) => name),
  ]);
  if (rows.length === 0) return rows;
  const outcome = await attempt(client, `ALTER PUBLICATION ${quoteName(publication)} DROP TABLE ${rows.map(quoteTable).join(', ')}`);
  if (outcome !== undefined) throw outcome;
  return rows;
}

const MEMBERS_SQL = `
  SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name
  FROM unnest($2::oid[], $3::text[], $4::text[]) AS meant (oid, schema, name)
  JOIN pg_class c ON c.oid = meant.oid AND c.relname = meant.name
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = meant.schema
  JOIN pg_publication p ON p.pubname = $1
  JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid`;

const ALREADY_THERE = '42710';
const NO_PRIVILEGE = '42501';
const NO_PRIVILEGE_TEXT = 'and Electric lacks privileges to add it';

/** Runs statements so that their refusal leaves the transaction usable. @returns the refusal. */
async function attempt(client: pg.PoolClient, sql: string): Promise<DatabaseRefusedError | undefined> {
  try {
    await typed(() => client.query(`SAVEPOINT attempt; ${sql}`));
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT attempt');
    return error;
  }
}

function limitOf({ lockTimeout }: Writing, { length }: Relations): string {
  return length > 1 ? LOCK_TIMEOUT_OF_SEVERAL : lockTimeout;
}

async function inTransaction<Result>(
  pool: DatabasePool,
  lockTimeout: string,
  work: (client: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  try {
    const outcome = await pool.use(async (client) => {
      await client.query(`BEGIN; ${limitedToLocks(lockTimeout)}`);
      const settledWork = await settled(work(client));
      await client.query('error' in settledWork ? 'ROLLBACK' : 'COMMIT');
      return settledWork;
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  } catch (error) {
    throw refusalOf(error);
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
