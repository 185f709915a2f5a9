/**
 * Catalog: what Postgres knows about a table, as far as a shape needs it.
 *
 * Answers are kept, since each request asks again. A kept answer may be stale: who learns that a table may have changed
 * puts it in doubt, and it is asked for anew. While Postgres is away a doubtful answer is the best there is: stored
 * shapes stay readable. Only answers about tables that can be served are kept, so a new table is seen at once.
 */
import type { ColumnFacts } from '../../model/column-facts.ts';
import type { Column, Relation, UntoldPartition } from '../../model/relation.ts';
import { DatabaseUnreachableError } from '../connection/database-error.ts';
import { type DatabasePool, PoolTimeoutError } from '../connection/pool.ts';
import { collationOf, type CollationFacts } from './collation.ts';
import { TABLES_SQL } from './partitions.ts';
import { COLUMN_FACTS_SQL, FILES_SQL, PK_INDEX_SQL } from './table-facts.ts';

export interface Catalog {
  /**
   * @returns undefined when there is nothing of that name, or it has no columns.
   * @throws {DatabaseUnreachableError} nothing is known about the table.
   */
  relation(schema: string, name: string): Promise<FoundRelation>;
  /** The same, but asked of Postgres after this call; the object that was kept before, when nothing has changed. */
  relationNow(schema: string, name: string): Promise<FoundRelation>;
  /** It is what `relation` answers by its name: kept, and not in doubt. */
  isCurrent(relation: Relation): boolean;
  /** A table may not be what it was: the one of this oid, and whatever now has its name. */
  doubt(table: TableIdentity): void;
  /** Likewise those of these oids, whatever their names. */
  doubtTables(oids: readonly number[]): void;
  doubtAll(): void;
}

export type FoundRelation = Relation | OtherRelation | undefined;

/** What no shape can be made of, for its changes are not in the stream. */
export interface OtherRelation {
  /** In words, with its article: `a view`. */
  readonly kindName: string;
}

export interface TableIdentity {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

interface Kept {
  readonly relation: Relation;
  readonly isDoubtful: boolean;
}

const RELATIONS_MAX = 10_000;
/** From this version on, what filters may say means the same. */
const VERSION_ALIKE = 17;
const PUBLISH_GENERATED_SINCE = 18;

export function createCatalog(pool: DatabasePool): Catalog {
  return new CachedCatalog(pool);
}

class CachedCatalog implements Catalog {
  private readonly pool: DatabasePool;
  private readonly kept = new Map<string, Kept>();
  /** The last question about each table, while it is open. Its answer alone is kept: one asked for before a doubt may be old. */
  private readonly asked = new Map<string, Promise<FoundRelation>>();
  /** Who waits for an open question to end, to ask the next one. */
  private readonly waiting = new Map<string, Promise<FoundRelation>>();

  constructor(pool: DatabasePool) {
    this.pool = pool;
  }

  async relation(schema: string, name: string): Promise<FoundRelation> {
    const key = keyOf(schema, name);
    const known = this.kept.get(key);
    if (known !== undefined && !known.isDoubtful) return known.relation;
    return this.orKept(key, this.asked.get(key) ?? this.ask(key, schema, name));
  }

  relationNow(schema: string, name: string): Promise<FoundRelation> {
    const key = keyOf(schema, name);
    return this.orKept(key, this.waiting.get(key) ?? this.askNext(key, schema, name));
  }

  isCurrent(relation: Relation): boolean {
    const known = this.kept.get(keyOf(relation.schema, relation.name));
    return known?.relation === relation && !known.isDoubtful;
  }

  doubt({ oid, schema, name }: TableIdentity): void {
    const key = keyOf(schema, name);
    const named = this.kept.get(key);
    this.doubtKey(key);
    if (named?.relation.oid !== oid) this.doubtOid(oid); // It was renamed; else nothing but its name leads to it.
    this.asked.clear();
  }

  doubtTables(oids: readonly number[]): void {
    for (const oid of oids) this.doubtOid(oid);
    this.asked.clear();
  }

  doubtAll(): void {
    for (const key of this.kept.keys()) this.doubtKey(key);
    this.asked.clear();
  }

  private async orKept(key: string, answer: Promise<FoundRelation>): Promise<FoundRelation> {
    try {
      return await answer;
    } catch (error) {
      const known = this.kept.get(key);
      if (error instanceof DatabaseUnreachableError && known !== undefined) return known.relation;
      throw error;
    }
  }

  /** A question that is open may be too old; of all who wait for its end, one asks. */
  private askNext(key: string, schema: string, name: string): Promise<FoundRelation> {
    const open = this.asked.get(key);
    if (open === undefined) return this.ask(key, schema, name);
    const ask = (): Promise<FoundRelation> => {
      this.waiting.delete(key);
      return this.ask(key, schema, name);
    };
    const next = open.then(ask, ask);
    this.waiting.set(key, next);
    return next;
  }

  private ask(key: string, schema: string, name: string): Promise<FoundRelation> {
    const isLast = (): boolean => this.asked.get(key) === answer;
    const answer: Promise<FoundRelation> = readRelation(this.pool, schema, name)
      .then((found) => (isLast() ? this.keep(key, found) : found))
      .finally(() => {
        if (isLast()) this.asked.delete(key);
      });
    this.asked.set(key, answer);
    return answer;
  }

  /** @returns the object that was kept before, when nothing has changed: what was worked out from it still holds. */
  private keep(key: string, found: FoundRelation): FoundRelation {
    const before = this.kept.get(key)?.relation;
    this.kept.delete(key);
    if (found === undefined || 'kindName' in found || !isServable(found)) return found;
    const relation = before !== undefined && JSON.stringify(before) === JSON.stringify(found) ? before : found;
    if (this.kept.size >= RELATIONS_MAX) this.kept.clear();
    if (before?.oid !== relation.oid) this.doubtOid(relation.oid); // Whatever had this name, the table may have had another.
    this.kept.set(key, { relation, isDoubtful: false });
    return relation;
  }

  private doubtKey(key: string): void {
    const known = this.kept.get(key);
    if (known !== undefined) this.kept.set(key, { relation: known.relation, isDoubtful: true });
  }

  private doubtOid(oid: number): void {
    for (const [key, { relation }] of this.kept) if (relation.oid === oid) this.doubtKey(key);
  }
}

/** Where it is not, that is for its operator to mend, and nobody tells us when it was: the stream does not describe such a table. */
function isServable({ columns, untoldPartition }: Relation): boolean {
  return untoldPartition === undefined && !columns.some(({ isVirtual }) => isVirtual === true);
}

/** Of both, whatever is in them: where the first one ends is said. */
function keyOf(schema: string, name: string): string {
  return `${schema.length} ${schema}${name}`;
}

interface ColumnRow {
  readonly oid: number;
  readonly name: string;
  readonly type_oid: number;
  readonly type_mod: number;
  readonly type_name: string;
  readonly dimensions: number;
  readonly not_null: boolean;
  readonly pk_index: number | null;
  readonly generated: '' | 's' | 'v';
  readonly facts: ColumnFacts;
  readonly files: string;
  readonly is_enum: boolean;
  readonly collation: CollationFacts | null;
  readonly database_collation: CollationFacts;
  readonly version: number;
  readonly kind: string;
  readonly persistence: string;
  readonly is_publishable: boolean;
  readonly untold: (Pick<ColumnRow, 'kind' | 'persistence'> & Pick<TableIdentity, 'schema' | 'name'>) | null;
}

/** Through jsonb, since each version of Postgres has other fields for them. */
const DATABASE_COLLATION = `
  jsonb_build_object(
    'name', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', d.datcollate),
    'provider', coalesce(to_jsonb(d) ->> 'datlocprovider', 'c'), 'collate', d.datcollate, 'ctype', d.datctype,
    'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), 'isDeterministic', true,
    'encoding', pg_encoding_to_char(d.encoding))`;
const COLLATION = `
  CASE WHEN co.oid IS NULL THEN NULL WHEN co.collprovider = 'd' THEN ${DATABASE_COLLATION} ELSE jsonb_build_object(
    'name', co.collname, 'provider', co.collprovider, 'collate', co.collcollate, 'ctype', co.collctype,
    'locale', coalesce(to_jsonb(co) ->> 'colllocale', to_jsonb(co) ->> 'colliculocale', co.collcollate),
    'isDeterministic', co.collisdeterministic, 'encoding', pg_encoding_to_char(d.encoding)) END`;

/** A partition, at whatever depth, that no publication carries. */
const UNTOLD = `
  SELECT json_build_object('schema', un.nspname, 'name', u.relname, 'kind', u.relkind, 'persistence', u.relpersistence)
  FROM ${TABLES_SQL} JOIN pg_catalog.pg_class u ON u.oid = tree.relid
  JOIN pg_catalog.pg_namespace un ON un.oid = u.relnamespace
  WHERE u.relkind = 'f' OR u.relpersistence <> 'p' ORDER BY un.nspname, u.relname LIMIT 1`;

/** As `pg_relation_is_publishable` has it, which would see a table that was dropped meanwhile no more: and say of it that it is none. */
const FIRST_NORMAL_OID = 16_384;
const IS_PUBLISHABLE = `c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND c.oid >= ${FIRST_NORMAL_OID}`;

/**
 * `format_type` is not asked: the wire's schema header is made from the plain type name and the modifier. An `int2vector` has elements and
 * is no array.
 */
const COLUMNS_SQL = `
  SELECT c.oid::int8::float8 AS oid, a.attname AS name, a.atttypid::int8::float8 AS type_oid, a.atttypmod AS type_mod,
         coalesce(element.typname, t.typname) AS type_name,
         CASE WHEN element.oid IS NULL THEN 0 ELSE greatest(a.attndims, 1) END AS dimensions,
         a.attnotnull AS not_null, ${PK_INDEX_SQL} AS pk_index, a.attgenerated AS generated,
         t.typtype = 'e' AS is_enum, ${COLLATION} AS collation, ${DATABASE_COLLATION} AS database_collation,
         current_setting('server_version_num')::int / 10000 AS version, ${COLUMN_FACTS_SQL} AS facts, ${FILES_SQL} AS files,
         c.relkind AS kind, c.relpersistence AS persistence, ${IS_PUBLISHABLE} AS is_publishable,
         CASE WHEN c.relkind = 'p' THEN (${UNTOLD}) END AS untold
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type element ON element.typarray = t.oid AND element.oid = t.typelem
  LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
  LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
  JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
  WHERE n.nspname = $1 AND c.relname = $2
  ORDER BY a.attnum`;

async function readRelation(pool: DatabasePool, schema: string, name: string): Promise<FoundRelation> {
  const rows = await columnsOf(pool, schema, name);
  const [first] = rows;
  if (first === undefined) return undefined;
  if (!first.is_publishable) return { kindName: kindNameOf(first) };
  const columns = rows.map(columnOf);
  return {
    oid: first.oid, schema, name, columns, files: first.files,
    ...(columns.some(({ collation }) => collation !== undefined) ? { collation: collationOf(first.database_collation) } : {}),
    ...(first.version < VERSION_ALIKE ? { version: first.version } : {}),
    ...(first.untold === null ? {} : { untoldPartition: untoldOf(first.untold) }),
  };
}

/** By `pg_class.relkind`. */
const KIND_NAMES: Readonly<Record<string, string>> = {
  v: 'a view', m: 'a materialized view', f: 'a foreign table', S: 'a sequence', i: 'an index', I: 'an index', c: 'a composite type',
  t: 'a TOAST table',
};

/** Of a relation that cannot be published: a table among them is one that is not logged, or one of Postgres's own. */
function kindNameOf({ kind, persistence }: Pick<ColumnRow, 'kind' | 'persistence'>): string {
  const kindName = KIND_NAMES[kind];
  if (kindName !== undefined) return kindName;
  return persistence === 't' ? 'a temporary table' : persistence === 'u' ? 'an unlogged table' : 'a system table';
}

function untoldOf({ schema, name, ...partition }: NonNullable<ColumnRow['untold']>): UntoldPartition {
  return { schema, name, kindName: kindNameOf(partition) };
}

async function columnsOf(pool: DatabasePool, schema: string, name: string): Promise<ColumnRow[]> {
  try {
    return await pool.query<ColumnRow>(COLUMNS_SQL, [schema, name]);
  } catch (error) {
    if (error instanceof PoolTimeoutError) throw new DatabaseUnreachableError(error.message, { cause: error });
    throw error;
  }
}

function columnOf(row: ColumnRow): Column {
  return {
    name: row.name,
    typeOid: row.type_oid,
    typeMod: row.type_mod,
    typeName: row.type_name,
    dimensions: row.dimensions,
    notNull: row.not_null,
    ...(row.pk_index === null ? {} : { pkIndex: row.pk_index }),
    generated: row.generated === 'v' || (row.generated === 's' && row.version < PUBLISH_GENERATED_SINCE),
    ...(row.generated === 'v' ? { isVirtual: true } : {}),
    ...(row.is_enum ? { isEnum: true } : {}),
    ...(row.collation === null ? {} : { collation: collationOf(row.collation) }),
    facts: row.facts,
  };
}
