/**
 * Catalog: what Postgres knows about a table, as far as a shape needs it.
 *
 * Answers are kept, since each request asks again. A kept answer may be stale: who learns that a table may have changed
 * puts it in doubt, and it is asked for anew. While Postgres is away a doubtful answer is the best there is: stored
 * shapes stay readable. Only answers about existing tables are kept, so a new table is seen at once.
 */
import type { Column, Relation } from '../../model/relation.ts';
import { DatabaseUnreachableError } from '../connection/database-error.ts';
import { type DatabasePool, PoolTimeoutError } from '../connection/pool.ts';

export interface Catalog {
  /**
   * @returns undefined when there is no ordinary or partitioned table of that name, or it has no columns.
   * @throws {DatabaseUnreachableError} nothing is known about the table.
   */
  relation(schema: string, name: string): Promise<Relation | undefined>;
  /** A table may not be what it was: the one of this oid, and whatever now has its name. */
  doubt(table: TableIdentity): void;
  doubtAll(): void;
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

export function createCatalog(pool: DatabasePool): Catalog {
  return new CachedCatalog(pool);
}

class CachedCatalog implements Catalog {
  private readonly pool: DatabasePool;
  private readonly kept = new Map<string, Kept>();
  private readonly asked = new Map<string, Promise<Relation | undefined>>();
  /** How often something was put in doubt: an answer that was asked for before may be the old one. */
  private doubts = 0;

  constructor(pool: DatabasePool) {
    this.pool = pool;
  }

  async relation(schema: string, name: string): Promise<Relation | undefined> {
    const key = keyOf(schema, name);
    const known = this.kept.get(key);
    if (known !== undefined && !known.isDoubtful) return known.relation;
    const underWay = this.asked.get(key) ?? this.ask(key, schema, name);
    this.asked.set(key, underWay);
    try {
      return await underWay;
    } catch (error) {
      if (error instanceof DatabaseUnreachableError && known !== undefined) return known.relation;
      throw error;
    }
  }

  doubt({ oid, schema, name }: TableIdentity): void {
    const key = keyOf(schema, name);
    this.doubtThose((relation, itsKey) => relation.oid === oid || itsKey === key);
  }

  doubtAll(): void {
    this.doubtThose(() => true);
  }

  private async ask(key: string, schema: string, name: string): Promise<Relation | undefined> {
    const askedAt = this.doubts;
    try {
      const relation = await readRelation(this.pool, schema, name);
      return askedAt === this.doubts ? this.keep(key, relation) : relation;
    } finally {
      if (askedAt === this.doubts) this.asked.delete(key);
    }
  }

  /** @returns the object that was kept before, when nothing has changed: what was worked out from it still holds. */
  private keep(key: string, relation: Relation | undefined): Relation | undefined {
    const before = this.kept.get(key)?.relation;
    const same = before !== undefined && JSON.stringify(before) === JSON.stringify(relation) ? before : relation;
    if (this.kept.size >= RELATIONS_MAX) this.kept.clear();
    if (same === undefined) this.kept.delete(key);
    else this.kept.set(key, { relation: same, isDoubtful: false });
    return same;
  }

  private doubtThose(isMeant: (relation: Relation, key: string) => boolean): void {
    for (const [key, { relation }] of this.kept) {
      if (isMeant(relation, key)) this.kept.set(key, { relation, isDoubtful: true });
    }
    this.asked.clear();
    this.doubts += 1;
  }
}

function keyOf(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
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
  readonly is_partitioned: boolean;
}

/** `format_type` is not asked: the wire's schema header is made from the plain type name and the modifier. */
const COLUMNS_SQL = `
  SELECT c.oid::int8::float8 AS oid, a.attname AS name, a.atttypid::int8::float8 AS type_oid, a.atttypmod AS type_mod,
         coalesce(element.typname, t.typname) AS type_name,
         CASE WHEN element.oid IS NULL THEN 0 ELSE greatest(a.attndims, 1) END AS dimensions,
         a.attnotnull AS not_null, array_position(i.indkey::int2[], a.attnum) AS pk_index, a.attgenerated <> '' AS generated,
         c.relkind = 'p' AS is_partitioned
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
  if (first === undefined) return undefined;
  return { oid: first.oid, schema, name, columns: rows.map(columnOf), ...(first.is_partitioned ? { isPartitioned: true } : {}) };
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
