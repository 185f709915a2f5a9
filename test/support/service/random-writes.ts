/**
 * Random writes to one table, from a seed: everything that can happen to a row, in transactions of several statements,
 * some of them rolled back. The table is the database's own model: what `SELECT` answers afterwards is the truth.
 */
import type { Random } from '../../../src/base/random.ts';

export const WRITTEN_TABLE = `
  CREATE TABLE items (
    id integer PRIMARY KEY,
    title text,
    size integer NOT NULL,
    done boolean NOT NULL DEFAULT false
  )`;

const IDS = 40;
const TITLES = ['plain', 'with "quotes"', 'back\\\\slash', 'new\nline', 'tab\t', 'žluťoučký 🐎', '', '\\\\N', 'a/b'];

/** The statements of one transaction; `rollback` says how it ends. */
export interface RandomTransaction {
  readonly statements: readonly { readonly sql: string; readonly values: readonly unknown[] }[];
  readonly rollback: boolean;
}

export function randomTransaction(random: Random): RandomTransaction {
  const statements = Array.from({ length: 1 + random.below(5) }, () => randomStatement(random));
  return { statements, rollback: random.below(8) === 0 };
}

function randomStatement(random: Random): { sql: string; values: readonly unknown[] } {
  const id = random.below(IDS);
  const title = random.below(5) === 0 ? null : (TITLES[random.below(TITLES.length)] ?? null);
  const size = random.below(20);
  switch (random.below(8)) {
    case 0:
      return { sql: 'DELETE FROM items WHERE id = $1', values: [id] };
    case 1: // The key changes, when the new one is free.
      return {
        sql: 'UPDATE items SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM items WHERE id = $2)',
        values: [id, random.below(IDS)],
      };
    case 2:
      return { sql: 'UPDATE items SET size = size + $1 - 5 WHERE id % 3 = $2', values: [random.below(10), random.below(3)] };
    case 3:
      return { sql: 'UPDATE items SET title = $2, done = NOT done WHERE id = $1', values: [id, title] };
    case 4: // Nothing changes.
      return { sql: 'UPDATE items SET size = size WHERE id = $1', values: [id] };
    default:
      return {
        sql: 'INSERT INTO items (id, title, size) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET size = excluded.size',
        values: [id, title, size],
      };
  }
}

/** Runs one transaction as it says. */
export async function runTransaction(
  query: (sql: string, values?: readonly unknown[]) => Promise<unknown>,
  { statements, rollback }: RandomTransaction,
): Promise<void> {
  await query('BEGIN');
  for (const { sql, values } of statements) await query(sql, values);
  await query(rollback ? 'ROLLBACK' : 'COMMIT');
}
