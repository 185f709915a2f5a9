/**
 * ORDER BY of a request: columns with their directions, and nothing that would be worked out.
 *
 * Nothing of the text reaches a database: it is parsed as `SELECT 1 ORDER BY <text>`, must be exactly that one statement with no other
 * clause, and is printed anew. A number is what it is in SQL, the place of a selected column.
 *
 * Postgres sorts, so all types may stand here; of one that has no order Postgres says so. Places in refusals count what stands before
 * the text, as on the wire they do.
 */
import type { A_Const, ColumnRef, SortBy } from 'libpg-query';
import { quoteIdentifier } from './identifiers.ts';
import type { OrderBy, OrderedTable } from './subset.ts';
import { statementsOf } from './syntax/grammar.ts';
import { bytesOf, refuseUnreadable } from './syntax/measure.ts';
import { kindOf, namesIn, required, shownReference } from './syntax/parse-tree.ts';
import { WhereRefusal } from './where-refusal.ts';

const PREFIX = 'SELECT 1 ORDER BY ';
const BYTES_MAX = 65_536;
/** What `SELECT 1 ORDER BY <text>` has and nothing else. */
const STATEMENT_FIELDS = new Set(['targetList', 'sortClause', 'limitOption', 'op']);
const NULLS = { SORTBY_NULLS_FIRST: ' NULLS FIRST', SORTBY_NULLS_LAST: ' NULLS LAST', SORTBY_NULLS_DEFAULT: '' };

export function parseOrderBy(text: string, table: OrderedTable): OrderBy | { readonly error: string } {
  try {
    const sorted = new Map<string, string>(); // By column: it decides nothing a second time.
    for (const { SortBy: item } of sortItems(text)) {
      const column = columnOf(item, table);
      if (!sorted.has(column)) sorted.set(column, `${quoteIdentifier(column)}${directionOf(item)}`);
    }
    return { sql: [...sorted.values()].join(', ') };
  } catch (refusal) {
    if (refusal instanceof WhereRefusal) return { error: refusal.message };
    throw refusal;
  }
}

function sortItems(text: string): readonly { readonly SortBy: SortBy }[] {
  if (bytesOf(text) > BYTES_MAX) throw new WhereRefusal(`ORDER BY clause is bigger than maximum size of ${BYTES_MAX} bytes`);
  const sql = `${PREFIX}${text}`;
  refuseUnreadable(sql, refusalAt);
  const [only, ...others] = statementsOf(sql);
  if (only?.stmt === undefined || only.stmt_len !== undefined || others.length > 0) throw new WhereRefusal('Unexpected `;` in order by');
  const statement = 'SelectStmt' in only.stmt ? only.stmt.SelectStmt : {};
  const isPlain = Object.keys(statement).every((field) => STATEMENT_FIELDS.has(field)) && statement.op === 'SETOP_NONE';
  if (!isPlain) throw new WhereRefusal('malformed query ending with SQL clauses');
  return (statement.sortClause ?? []).flatMap((node) => ('SortBy' in node ? [node] : []));
}

function columnOf({ node, useOp, location }: SortBy, table: OrderedTable): string {
  const sorted = required(node);
  if (useOp !== undefined) throw refusalAt(location, 'USING is not allowed in ORDER BY clauses');
  if ('ColumnRef' in sorted) return named(sorted.ColumnRef, table);
  if ('A_Const' in sorted) return numbered(sorted.A_Const, table);
  if ('ParamRef' in sorted) {
    throw refusalAt(sorted.ParamRef.location, `parameter $${sorted.ParamRef.number ?? 0} is not supported in ORDER BY clauses`);
  }
  const [kind, at] = kindOf(sorted);
  throw refusalAt(at, `${kind} expressions are not allowed in ORDER BY clauses`);
}

function named({ fields = [], location }: ColumnRef, { columns }: OrderedTable): string {
  const names = namesIn(fields);
  const [name = ''] = names;
  if (names.length === 1 && columns.includes(name)) return name;
  throw refusalAt(location, `unknown reference ${shownReference(names)}`);
}

function numbered({ ival, location }: A_Const, { selected }: OrderedTable): string {
  if (ival === undefined) throw refusalAt(location, 'non-integer constant in ORDER BY');
  const place = ival.ival ?? 0;
  const name = selected[place - 1];
  if (name === undefined) throw refusalAt(location, `ORDER BY position ${place} is not in select list`);
  return name;
}

function directionOf({ sortby_dir: direction, sortby_nulls: nulls = 'SORTBY_NULLS_DEFAULT' }: SortBy): string {
  return `${direction === 'SORTBY_DESC' ? ' DESC' : ''}${NULLS[nulls]}`;
}

/** @param location in bytes; Postgres leaves it out, or negative, where it knows none. */
function refusalAt(location: number | undefined, message: string): WhereRefusal {
  return new WhereRefusal(`At location ${Math.max(0, location ?? 0)}: ${message}`);
}
