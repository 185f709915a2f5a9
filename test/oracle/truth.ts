/** What `SELECT` answers for a shape, as a client holds it: rows by key, values as text. */
import type { TestDatabase } from '../support/postgres/postgres.ts';
import type { ShapeRow } from '../support/shapes/shape-fold.ts';
import type { OracleShape } from './any-shape.ts';
import { KEYS } from './schema.ts';

export async function selectShape(
  database: Pick<TestDatabase, 'query'>,
  { table, where, columns }: Pick<OracleShape, 'table' | 'where' | 'columns'>,
): Promise<ReadonlyMap<string, ShapeRow>> {
  const texts = columns.map((column) => `${column}::text`).join();
  const rows = await database.query<Record<string, string | null>>(`SELECT ${texts} FROM ${table} WHERE ${where}`);
  return new Map(rows.map((row) => [keyOf(table, row), row]));
}

function keyOf(table: OracleShape['table'], row: ShapeRow): string {
  return [`"public"."${table}"`, ...KEYS[table].map((column) => `"${String(row[column]).replaceAll('/', '//')}"`)].join('/');
}

/** A line for each row that is not the same in both; none when they are equal. */
export function differences(expected: ReadonlyMap<string, ShapeRow>, held: ReadonlyMap<string, ShapeRow>): string[] {
  const keys = [...new Set([...expected.keys(), ...held.keys()])].sort();
  return keys.flatMap((key) => {
    const [right, told] = [expected.get(key), held.get(key)];
    if (right === undefined) return [`too much: ${key} ${JSON.stringify(told)}`];
    if (told === undefined) return [`missing: ${key} ${JSON.stringify(right)}`];
    const unlike = Object.keys(right).filter((column) => right[column] !== told[column]);
    return unlike.length === 0 ? [] : [`other: ${key} ${unlike.map((name) => `${name} is ${right[name]}, told ${told[name]}`).join()}`];
  });
}
