/** One shape: what its filter costs for each change, beside Postgres, which asks the same of the same rows in a scan of the table. */
import { invariant } from '../../src/base/invariant.ts';
import type { WhereLanguage } from '../../src/sql/where.ts';
import type { Database } from '../database.ts';
import type { Row } from './report.ts';
import { accepted } from './families.ts';
import { filledRouter, blocksOf, microsPerChange } from './routing.ts';

const FILTERS = [
  "owner = 'owner 7'",
  "owner = ANY ('{owner 7,owner 8,nobody}')",
  "lower(title) = 'title 7'",
  "tags @> '{everybody,tag 7}'",
  "title ILIKE '%itle 99%'",
  'amount * 2 + 1 > 1900 AND amount % 7 = 3',
  "amount BETWEEN 10 AND 20 OR coalesce(owner, title) LIKE '%1'",
];
const TIMES = 5;
const COLUMNS = ['id', 'owner', 'title', 'tags', 'amount'] as const;

export async function* besidePostgres(database: Database, language: WhereLanguage, rows: number): AsyncIterable<Row> {
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, owner text COLLATE "C", title text COLLATE "C", tags text[], amount int);
    INSERT INTO items SELECT n, 'owner ' || n % 1000, 'Title ' || n, ARRAY['everybody', 'tag ' || n % 1000, 'tag of none'], n % 1000
      FROM generate_series(1, ${rows}) n;
    SET max_parallel_workers_per_gather = 0; SET jit = off`);
  await database.query('VACUUM ANALYZE items');
  const texts = await database.query(`SELECT ${COLUMNS.map((column) => `${column}::text`).join(', ')} FROM items ORDER BY id`);
  const blocks = blocksOf(texts.map((row) => COLUMNS.map((column) => String(row[column]))));
  for (const filter of FILTERS) {
    const where = accepted(language, filter);
    const { elapsedMs, count } = await scan(database, where.query);
    const measured = microsPerChange(filledRouter([where]).router, blocks, rows, count);
    const against = { what: 'Postgres', figure: (elapsedMs * 1000) / rows };
    yield { what: filter, measured, unit: 'µs', against, detail: `takes ${count}` };
  }
}

/** The quickest of several, as Postgres itself measures it. */
async function scan(database: Database, { sql, params }: { sql: string; params: readonly (string | null)[] }) {
  let elapsedMs = Infinity;
  let count = 0;
  for (let time = 0; time < TIMES; time += 1) {
    const explained = await database.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT FROM items WHERE ${sql}`, params);
    const [plan] = (explained[0]?.['QUERY PLAN'] ?? []) as readonly { 'Execution Time': number; Plan: { 'Actual Rows': number } }[];
    invariant(plan !== undefined, 'Postgres explains what it has done');
    elapsedMs = Math.min(elapsedMs, plan['Execution Time']);
    count = plan.Plan['Actual Rows'];
  }
  return { elapsedMs, count };
}
