/** KnownTables: what the last look at each table found, for who would read it without looking first. */
import { sightOf, type Looked, type ReadTable, type TableSight } from './table-look.ts';
import { quoteTable } from '../connection/sql-text.ts';

/** Who follows more of them looks first at some. */
const TABLES_MAX = 1_000;

export class KnownTables {
  /** By their names, as in SQL; the one that was looked at longest ago first. */
  private readonly found = new Map<string, Looked>();

  note(looked: Looked): void {
    this.found.delete(looked.name);
    this.found.set(looked.name, looked);
    for (const [oldest] of this.found) {
      if (this.found.size <= TABLES_MAX) return;
      this.found.delete(oldest);
    }
  }

  /** @returns undefined for a table that nobody has looked at. */
  sightOf(table: ReadTable): TableSight | undefined {
    const looked = this.found.get(quoteTable(table.relation));
    return looked && sightOf(table, looked);
  }
}
