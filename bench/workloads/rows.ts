/** The table that most workloads read, and whether what was read of it is what it holds. */
import { isDeepStrictEqual } from 'node:util';
import { invariant } from '../../src/base/invariant.ts';
import { createTable, type Database, writeRows } from '../database.ts';
import type { ShapeReader } from '../shape-reader.ts';

/** Seen by everybody: else the first reader would pay for the hint bits of all. */
export async function createFilledTable(database: Database, table: string, rows: number): Promise<void> {
  await createTable(database, table);
  await writeRows(database, table, rows, rows);
  await database.query(`VACUUM (ANALYZE) ${table}`);
}

/** @throws when it is another number of rows, or another last one: the one whose key is `rows`. */
export async function checkRows(database: Database, table: string, reader: ShapeReader, rows: number): Promise<void> {
  invariant(reader.rows === rows, `the shape of ${table} has ${rows} rows, not ${reader.rows}`);
  await checkLast(database, table, reader, rows);
}

/** @throws when it is another row than that of the key. */
export async function checkLast(database: Database, table: string, reader: ShapeReader, id: number): Promise<void> {
  const [expected] = await database.query(`SELECT id::text, body, amount::text FROM ${table} WHERE id = ${id}`);
  const isSame = isDeepStrictEqual(reader.lastValue, { ...expected });
  invariant(isSame, `the last row of ${table} is ${JSON.stringify(expected)}, not ${JSON.stringify(reader.lastValue)}`);
}
