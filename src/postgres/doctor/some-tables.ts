/** A few tables by their names, and how many more there are: a database may have ten thousand. */
import { quoteTable } from '../connection/sql-text.ts';

export interface NamedTable {
  readonly schema: string;
  readonly name: string;
  /** How many there are of the kind, these among them. */
  readonly total: number;
}

export function someOf(tables: readonly NamedTable[]): string {
  const names = tables.map(quoteTable).join(', ');
  const left = (tables[0]?.total ?? 0) - tables.length;
  return left > 0 ? `The tables ${names} and ${left} more` : tables.length === 1 ? `The table ${names}` : `The tables ${names}`;
}
