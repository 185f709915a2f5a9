/** PublicationRefusedError: what Postgres, its settings or ours had against publishing a table, in the words of the wire. */
import type { PublishedRelation } from '../../model/relation.ts';
import { DatabaseRefusedError, worldError } from '../connection/database-error.ts';
import { PoolTimeoutError } from '../connection/pool.ts';
import { readOnlyMeaning } from '../connection/read-only.ts';

/** Why nothing was done; the message is the client's. Tables and publication are as they were. */
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

  /** Whether it has nothing to do with the tables that were named: any others would be refused as well. */
  get concernsAll(): boolean {
    return CONCERN_ALL.has(this.code);
  }
}

export type PublicationProblem =
  | 'lock_timeout'
  | 'connection_not_available'
  | 'pool_queue_timeout'
  | 'table_dropped'
  | 'table_not_published'
  | 'replica_identity_not_full'
  | 'generated_columns_not_carried'
  | 'published_as_root'
  | 'published_in_part'
  | 'partition_not_replicated'
  | 'publication_missing'
  | 'publication_incomplete'
  | 'publication_altered'
  | 'refused';

const CONCERN_ALL: ReadonlySet<PublicationProblem> = new Set<PublicationProblem>([
  'connection_not_available', 'pool_queue_timeout', 'publication_missing', 'publication_incomplete', 'publication_altered',
]);

type Titled = Pick<PublishedRelation, 'schema' | 'name'>;

export function publicationMissing(publication: string): PublicationRefusedError {
  return new PublicationRefusedError('publication_missing', `Publication "${publication}" not found in the database`);
}

export function publicationIncomplete(publication: string): PublicationRefusedError {
  return new PublicationRefusedError(
    'publication_incomplete',
    `Publication "${publication}" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE`,
  );
}

export function publicationAltered(publication: string): PublicationRefusedError {
  return new PublicationRefusedError(
    'publication_altered',
    `Publication "${publication}" was altered or made anew while changes were streamed, and some may have been left out`,
  );
}

export function notPublished(publication: string, table: Titled, why: string): PublicationRefusedError {
  const message = `Database table ${titleOf(table)} is missing from the publication "${publication}" ${why}`;
  return new PublicationRefusedError('table_not_published', message);
}

export function notFull(table: Titled): PublicationRefusedError {
  const message = `Database table ${titleOf(table)} does not have its replica identity set to FULL`;
  return new PublicationRefusedError('replica_identity_not_full', message);
}

/** Nothing is altered then: with replica identity FULL the application could not change its rows any more. */
export function notCarried(publication: string, table: Titled, columns: readonly string[]): PublicationRefusedError {
  const message =
    `Database table ${titleOf(table)} has generated columns that the publication "${publication}" does not carry ` +
    `(${columns.join(', ')}): with its replica identity set to FULL, Postgres would refuse every UPDATE and DELETE on it. ` +
    `Make them STORED, and let the publication carry them: ALTER PUBLICATION "${publication}" SET (publish_generated_columns = stored). ` +
    'That counts as an alteration of the publication: within the refresh period all shapes start over';
  return new PublicationRefusedError('generated_columns_not_carried', message);
}

export function toldAsRoot(publication: string, table: Titled): PublicationRefusedError {
  const message =
    `The publication "${publication}" tells changes of ${titleOf(table)} under the name of the root of its partitions. ` +
    `Have it name the partitions: ALTER PUBLICATION "${publication}" SET (publish_via_partition_root = false)`;
  return new PublicationRefusedError('published_as_root', message);
}

export function publishedInPart(publication: string, table: Titled, parts: readonly Titled[]): PublicationRefusedError {
  const names = parts.map(({ schema, name }) => `"${schema}"."${name}"`).join(', ');
  const message =
    `The publication "${publication}" has some rows or some columns alone of ${titleOf(table)}, so changes would be missing. ` +
    `Have it publish all of them: ALTER PUBLICATION "${publication}" DROP TABLE ${names}, and then ADD TABLE ${names}`;
  return new PublicationRefusedError('published_in_part', message);
}

/** @param partition as Postgres writes it. */
export function untold(table: Titled, partition: string): PublicationRefusedError {
  const message =
    `Database table ${titleOf(table)} has a partition that Postgres does not replicate, ` +
    `a foreign table or one that is not logged: ${partition}`;
  return new PublicationRefusedError('partition_not_replicated', message);
}

export function dropped(table: Titled): PublicationRefusedError {
  return new PublicationRefusedError('table_dropped', `Database table ${titleOf(table)} has been dropped or renamed`, 409);
}

/** @returns what a failed attempt means; an error of ours as it is. */
export function refusalOf(error: unknown): unknown {
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
  const hint = refused.code === OUT_OF_MEMORY ? MANY_LOCKS : readOnlyHint(refused);
  return new PublicationRefusedError('refused', `Unable to create initial snapshot: ${refused.message}${hint}`);
}

function readOnlyHint(refused: DatabaseRefusedError): string {
  const meaning = readOnlyMeaning(refused);
  return meaning === undefined ? '' : `: ${meaning}`;
}

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';
const OUT_OF_MEMORY = '53200';
const MANY_LOCKS = '. A table with partitions takes a lock for each of them: raise max_locks_per_transaction, or have fewer partitions';

function titleOf({ schema, name }: Titled): string {
  return `"${schema}.${name}"`;
}
