/**
 * Catalog: what Postgres knows about a table, as far as a shape needs it.
 *
 * Answers are kept, since each request asks again. A kept answer may be stale: who learns from the stream that a
 * table changed calls `forget`. Only answers about existing tables are kept, so a new table is seen at once.
 */
import type { Column, Relation } from '../model/relation.ts';
import { DatabaseUnreachableError } from './database-error.ts';
import { type DatabasePool, PoolTimeoutError } from './pool.ts';

export interface Catalog {
  /**
   * @returns undefined when there is no ordinary or partitioned table of that name, or it has no columns.
   * @throws {DatabaseUnreachableError} nothing is known about the table.
   */
  relation(schema: string, name: string): Promise<Relation | undefined>;
  /** Forgets what is known about a table. */
  forget(oid: number): void;
  forgetAll(): void;
}

const RELATIONS_MAX = 10_000;

export function createCatalog(pool: DatabasePool): Catalog {
  const kept = new Map<string, Relation>();
  const asked = new Map<string, Promise<Relation | undefined>>();
  let forgotten = 0; // An answer that was asked for before something was forgotten may be the old one: it is not kept.

  async function ask(key: string, schema: string, name: string): Promise<Relation | undefined> {
    const askedAt = forgotten;
    try {
      const relation = await readRelation(pool, schema, name);
      if (relation !== undefined && askedAt === forgotten) keep(key, relation);
      return relation;
    } finally {
      if (askedAt === forgotten) asked.delete(key);
    }
  }

  function keep(key: string, relation: Relation): void {
    if (kept.size >= RELATIONS_MAX) kept.clear();
    kept.set(key, relation);
  }

  function forget(isMeant: (relation: Relation) => boolean): void {
    for (const [key, relation] of kept) if (isMeant(relation)) kept.delete(key);
    asked.clear();
    forgotten += 1;
  }

  return {
    async relation(schema, name) {
      const key = JSON.stringify([schema, name]);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const underWay = asked.get(key) ?? ask(key, schema, name);
      asked.set(key, underWay);
      return await underWay;
    },
    forget: (oid) => forget((relation) => relation.oid === oid),
    forgetAll: () => forget(() => true),
  };
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
  readonly generated: boolean;
}

/** `format_type` is not asked: the wire's schema header is made from the plain type name and the modifier. */
const COLUMNS_SQL = `
  SELECT c.oid::int8::float8 AS oid, a.attname AS name, a.atttypid::int8::float8 AS type_oid, a.atttypmod AS type_mod,
         coalesce(element.typname, t.typname) AS type_name,
         CASE WHEN element.oid IS NULL THEN 0 ELSE greatest(a.attndims, 1) END AS dimensions,
         a.attnotnull AS not_null, array_position(i.indkey::int2[], a.attnum) AS pk_index, a.attgenerated <> '' AS generated
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type element ON element.oid = t.typelem AND t.typcategory = 'A'
  LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
  ORDER BY a.attnum`;

async function readRelation(pool: DatabasePool, schema: string, name: string): Promise<Relation | undefined> {
  const rows = await columnsOf(pool, schema, name);
  const [first] = rows;
  return first === undefined ? undefined : { oid: first.oid, schema, name, columns: rows.map(columnOf) };
}

async function columnsOf(pool: DatabasePool, schema: string, name: string): Promise<ColumnRow[]> {
  try {
    return await pool.query<ColumnRow>(COLUMNS_SQL, [schema, name]);
  } catch (error) {
    if (error instanceof PoolTimeoutError) throw new DatabaseUnreachableError(error.message, { cause: error });
    throw error;
  }
}

/** `indkey` is an int2vector, whose subscripts begin at 0, also after the cast. */
function columnOf(row: ColumnRow): Column {
  return {
    name: row.name,
    typeOid: row.type_oid,
    typeMod: row.type_mod,
    typeName: row.type_name,
    dimensions: row.dimensions,
    notNull: row.not_null,
    ...(row.pk_index === null ? {} : { pkIndex: row.pk_index }),
    generated: row.generated,
  };
}
