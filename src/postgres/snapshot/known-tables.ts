/** KnownTables: what the last look at each table found, for who would read it without looking first. */
import type { FoundColumn } from '../../model/found-table.ts';
import { quoteTable } from '../connection/sql-text.ts';
import { DataRowFields, rowTexts } from '../encoding/data-row-fields.ts';
import {
  LOOK_COLUMNS, LOOK_MOMENTS, lookRowOf, momentsOf, sightOf, type Looked, type LookRow, type ReadTable, type TableSight,
} from './table-look.ts';

/** Who follows more of them looks first at some. */
const TABLES_MAX = 1_000;

export class KnownTables {
  /** By their names, as in SQL; the one that was looked at longest ago first. */
  private readonly found = new Map<string, Looked>();

  /** What the catalogue said of columns, by its text: a table is looked at for each of its shapes, and hardly ever has changed. */
  private readonly read = new Map<string, readonly FoundColumn[]>();

  private readonly fields = new DataRowFields(LOOK_COLUMNS);

  /** The row of the last look, and as what it came but for the moment. */
  private last: { readonly row: LookRow; readonly bytes: Buffer } | undefined;

  /**
   * A row of `LOOK`, as it comes. Mostly the last look found the same, but for the moment: then no more is read.
   *
   * @throws {RowFormatError} it is none.
   */
  lookRowIn(bytes: Uint8Array, start: number, end: number): LookRow {
    const { fields } = this;
    fields.read(bytes, start, end);
    const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found = row.subarray(fields.placeOf(LOOK_MOMENTS), end);
    if (this.last?.bytes.equals(found) !== true) {
      const whole = lookRowOf(rowTexts(bytes, start, end, LOOK_COLUMNS), (text) => this.columnsIn(text));
      this.last = { row: whole, bytes: Buffer.from(found) };
      return whole;
    }
    const moments = Array.from({ length: LOOK_MOMENTS }, (_, index) => row.toString('latin1', fields.startOf(index), fields.endOf(index)));
    return { ...this.last.row, ...momentsOf(moments) };
  }

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
