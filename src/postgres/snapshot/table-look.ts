/**
 * TableLook: the first question of a transaction that reads rows of a table: which snapshot it has, and whether the table is
 * still the one that was meant.
 *
 * Which transactions the rows contain must be known exactly, so the snapshot is asked for inside the transaction that reads
 * them. No value is ever spliced into SQL: constants are parameters of a portal.
 *
 * The look waits for nobody, the rows for whoever alters the table. One who writes it anew leaves no row that an older snapshot sees: for
 * that, the table is empty. So once the rows have been read, which holds the table as it is, it must lie where it lay at the look.
 */
import type pg from 'pg';
import { compareLsn, lsnFromPostgres } from '../../model/lsn.ts';
import { parsePgSnapshot, type PgSnapshot } from '../../model/pg-snapshot.ts';
import type { FoundColumn, FoundTable } from '../../model/found-table.ts';
import type { QueryWithMembers } from '../../sql/where.ts';
import { FILES_SQL, FOUND_COLUMNS_SQL, PLACE_NOW_SQL, PLACES_SQL, TREE_PLACES_NOW_SQL } from '../catalog/table-facts.ts';
import { askPrepared, type Question } from '../connection/prepared-question.ts';
import { quoteName, quoteTable } from '../connection/sql-text.ts';
import type { RowQuery } from './query-messages.ts';
import { SchemaChangedError, TableRewrittenError } from './snapshot-error.ts';

/** What is read. */
export interface ReadTable {
  readonly relation: { readonly schema: string; readonly name: string };
  /** False when the table that has the name now is not the one that was meant, or has changed too much: nothing is read then. */
  accepts(found: FoundTable): boolean;
  /** The columns of each row, in this order. */
  readonly columns: readonly string[];
  readonly where: QueryWithMembers | undefined;
}

const BOOL_OID = 16;

export function queryOf({ relation, columns, where }: ReadTable, isPartitioned: boolean): RowQuery {
  // A table that others inherit from: their rows are not in its part of the stream, so they are not in its snapshot.
  const from = `${isPartitioned ? '' : 'ONLY '}${quoteTable(relation)}`;
  const select = `SELECT ${columns.map(quoteName).join(', ')} FROM ${from}`;
  return where === undefined ? { sql: select, params: undefined } : { sql: `${select} WHERE ${where.sql}`, params: where.params };
}

export interface LookRow {
  readonly snapshot: string;
  readonly insert_lsn: string;
  readonly flush_lsn: string;
  readonly kind: string | null;
  readonly oid: number | null;
  readonly files: string;
  readonly places: string;
  readonly columns: readonly FoundColumn[];
}

/**
 * The first query of the transaction, which fixes its snapshot, or the second in a session that is lent, where that which lifts the limits
 * on time does (`BEGIN_LENT`). The WAL position is as of later, never of before.
 *
 * To plan it takes Postgres ten times as long as to answer it, and its plan is the same for every table: a session of ours that reads has
 * it planned once (`PLANNED_ONCE`). What is asked behind it in the transaction is planned for its own values: that it says itself.
 */
export const LOOK = { name: 'armature_look', text: `
  SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_insert_lsn()::text AS insert_lsn,
         pg_current_wal_flush_lsn()::text AS flush_lsn,
         c.relkind AS kind, c.oid::int8::float8 AS oid, ${FILES_SQL} AS files, ${PLACES_SQL} AS places, ${FOUND_COLUMNS_SQL} AS columns,
         pg_catalog.set_config('plan_cache_mode', 'auto', true) AS planning
  FROM (SELECT 1) one
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $2 AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
  GROUP BY c.relkind, c.oid, c.relfilenode` };

export const LOOK_COLUMNS = 9;

/** @param texts of a row of `LOOK`, in the order of its columns. @param columnsIn reads the last of them. */
export function lookRowOf(
  [snapshot, insertLsn, flushLsn, kind, oid, files, places, columns]: readonly (string | null)[],
  columnsIn: (text: string) => readonly FoundColumn[],
): LookRow {
  return {
    snapshot: snapshot ?? '',
    insert_lsn: insertLsn ?? '',
    flush_lsn: flushLsn ?? '',
    kind: kind ?? null,
    oid: typeof oid === 'string' ? Number(oid) : null,
    files: files ?? '',
    places: places ?? '',
    columns: columnsIn(columns ?? '[]'),
  };
}

/** By what a query for rows is written, and its answer read. */
export interface TableSight {
  readonly oid: number;
  /** As in SQL. */
  readonly name: string;
  readonly isPartitioned: boolean;
  /** Of each column that is read. */
  readonly isBoolean: readonly boolean[];
}

export interface Looked extends TableSight {
  readonly pgSnapshot: PgSnapshot;
  /** The WAL lies on the disk up to the snapshot's `insertLsn`. */
  readonly isFlushed: boolean;
  /** Where its rows lay. */
  readonly places: string;
  /** All that it has. */
  readonly columns: readonly FoundColumn[];
}

/** To plan the question about partitions takes Postgres three times as long as the other. @param places SQL. */
const placesQuestion = (name: string, places: string): Question => ({ name, text: `
  SELECT ${places} AS places, pg_catalog.to_regclass($2)::oid = c.oid AS "isNamed" FROM pg_catalog.pg_class c WHERE c.oid = $1` });

/** What confirms a look. */
export const PLACE = placesQuestion('armature_place', PLACE_NOW_SQL);
/** The same for a table with partitions. */
export const TREE_PLACES = placesQuestion('armature_tree_places', TREE_PLACES_NOW_SQL);

export interface Place {
  readonly places: string;
  /** Rows are read by name: it must lead to the table that was looked at. */
  readonly isNamed: boolean | null;
}

/**
 * To be called behind the rows, in their transaction.
 *
 * @throws {SchemaChangedError} another table has its name, or none.
 * @throws {TableRewrittenError} what was read counts for nothing.
 */
export async function confirm(client: pg.PoolClient, looked: Looked): Promise<void> {
  const [now] = await askPrepared<Place & pg.QueryResultRow>(client, looked.isPartitioned ? TREE_PLACES : PLACE, [looked.oid, looked.name]);
  confirmPlace(looked, now);
}

export const PLACE_COLUMNS = 2;

/** @param texts of a row of `PLACE` or `TREE_PLACES`. */
export function placeOf([places, isNamed]: readonly (string | null)[]): Place {
  return { places: places ?? '', isNamed: isNamed === 't' };
}

/** @param now undefined where the table is no more. @throws as `confirm`. */
export function confirmPlace({ name, places }: Looked, now: Place | undefined): void {
  if (now?.isNamed !== true) throw new SchemaChangedError(`relation ${name} is another one since it was waited for`);
  if (now.places !== places) throw new TableRewrittenError();
}

/** @throws {SchemaChangedError} the table is not what was meant. */
export async function lookAt(client: pg.PoolClient, table: ReadTable): Promise<Looked> {
  return lookedAt(table, await look(client, table));
}

/** Looks at each table once, for as many as read it in one transaction. */
export class TableLooks {
  private readonly rows = new Map<string, Promise<LookRow | undefined>>();
  /** Names, as in SQL, of those that were confirmed and stay as they are. */
  private readonly held = new Set<string>();

  constructor(private readonly client: pg.PoolClient) {}

  /** @throws as `lookAt`. */
  async at(table: ReadTable): Promise<Looked> {
    const name = quoteTable(table.relation);
    const row = this.rows.get(name) ?? look(this.client, table);
    this.rows.set(name, row);
    return lookedAt(table, await row);
  }

  /** Whether the table was read in this transaction, and confirmed: as it is, it stays. */
  holds({ relation }: ReadTable): boolean {
    return this.held.has(quoteTable(relation));
  }

  /** As `confirm`. Who has read a table holds it; of one with partitions, those alone that were read. */
  async confirm(looked: Looked): Promise<void> {
    if (this.held.has(looked.name)) return;
    await confirm(this.client, looked);
    if (!looked.isPartitioned) this.held.add(looked.name);
  }
}

async function look(client: pg.PoolClient, { relation }: ReadTable): Promise<LookRow | undefined> {
  const [row] = await askPrepared<LookRow & pg.QueryResultRow>(client, LOOK, [relation.schema, relation.name]);
  return row;
}

/** @throws as `lookAt`. */
export function lookedAt(table: ReadTable, row: LookRow | undefined): Looked {
  const { relation, columns } = table;
  if (row === undefined || row.oid === null) throw new SchemaChangedError(`relation ${quoteTable(relation)} does not exist`);
  const types = typesOf(row.columns);
  const missing = columns.find((column) => !types.has(column));
  if (missing !== undefined) throw new SchemaChangedError(`column ${quoteName(missing)} does not exist`);
  if (!table.accepts({ ...relation, oid: row.oid, columns: row.columns, files: row.files })) {
    throw new SchemaChangedError(`relation ${quoteTable(relation)} is not what it was`);
  }
  const insertLsn = lsnFromPostgres(row.insert_lsn);
  return {
    ...sightOf(table, { oid: row.oid, isPartitioned: row.kind === 'p', columns: row.columns }),
    columns: row.columns,
    pgSnapshot: parsePgSnapshot(row.snapshot, insertLsn),
    isFlushed: compareLsn(lsnFromPostgres(row.flush_lsn), insertLsn) >= 0,
    places: row.places,
  };
}

/** @param looked at the same table, for this or for another shape. */
export function sightOf(
  { relation, columns }: ReadTable,
  { oid, isPartitioned, columns: found }: Pick<Looked, 'oid' | 'isPartitioned' | 'columns'>,
): TableSight {
  const types = typesOf(found);
  // A domain over boolean stays as it is written: who makes the row's key knows it by its own type, in snapshot and stream.
  return { oid, name: quoteTable(relation), isPartitioned, isBoolean: columns.map((column) => types.get(column) === BOOL_OID) };
}

function typesOf(columns: readonly FoundColumn[]): ReadonlyMap<string, number> {
  return new Map(columns.map(({ name, typeOid }) => [name, typeOid]));
}

/** A query that was written by one of the two is right by the other. */
export function isSameSight(left: TableSight, right: TableSight): boolean {
  const { oid, isPartitioned, isBoolean } = left;
  return oid === right.oid && isPartitioned === right.isPartitioned && isBoolean.every((is, index) => is === right.isBoolean[index]);
}
