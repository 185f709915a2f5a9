/** KnownTables: what the last look at each table found, for who would read it without looking first. */
import type { FoundColumn } from '../../model/found-table.ts';
import { sightOf, type Looked, type ReadTable, type TableSight } from './table-look.ts';
import { quoteTable } from '../connection/sql-text.ts';

/** Who follows more of them looks first at some. */
const TABLES_MAX = 1_000;

export class KnownTables {
  /** By their names, as in SQL; the one that was looked at longest ago first. */
  private readonly found = new Map<string, Looked>();

  /** What the catalogue said of columns, by its text: a table is looked at for each of its shapes, and hardly ever has changed. */
  private readonly read = new Map<string, readonly FoundColumn[]>();

  note(looked: Looked): void {
    putLast(this.found, looked.name, looked);
  }

  /** @param text JSON, as a look has it. @returns one object for equal texts. */
  columnsIn(text: string): readonly FoundColumn[] {
    const columns = this.read.get(text) ?? (JSON.parse(text) as readonly FoundColumn[]);
    putLast(this.read, text, columns);
    return columns;
  }

  /** @returns undefined for a table that nobody has looked at. */
  sightOf(table: ReadTable): TableSight | undefined {
    const looked = this.found.get(quoteTable(table.relation));
    return looked && sightOf(table, looked);
  }
}

function putLast<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.size > TABLES_MAX ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
}
