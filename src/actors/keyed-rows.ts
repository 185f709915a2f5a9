/**
 * KeyedRows: which member each row of an inner shape has, by the row's key.
 *
 * Rows of a table without a primary key are named by all their columns, so rows that are alike have one name: they are counted.
 */
import { NumberColumn } from '../base/packed/number-column.ts';
import { TextTable } from '../base/packed/text-table.ts';
import type { MemberNumber } from './versioned-members.ts';

/** Before a key that begins otherwise than the others. No text of Postgres has this character. */
const WHOLE = '\0';
const TWINS_BYTES = 4;

export type RowNumber = number;

export class KeyedRows {
  private keys = new TextTable();
  private members = new NumberColumn();
  /** Of a key that several rows have, how many there are besides the first. */
  private twins = new NumberColumn();
  /** Below it are all that ever had some. */
  private twinsEnd = 0;
  /** The table's name, with which keys begin. */
  private prefix: string | undefined;

  /** Keys, each once. */
  get size(): number {
    return this.keys.size;
  }

  /** About so much memory. */
  get bytes(): number {
    return this.keys.bytes + TWINS_BYTES * this.twinsEnd;
  }

  /** @returns names the rows with the key for as long as there are any. */
  find(key: string): RowNumber | undefined {
    return this.keys.numberOf(this.shortOf(key));
  }

  memberOf(row: RowNumber): MemberNumber {
    return this.members.get(row);
  }

  /** Whether there are several rows with its key. */
  hasTwins(row: RowNumber): boolean {
    return this.twinsOf(row) > 0;
  }

  /** A new row, of which the member is yet to be set, or another one with the key. */
  add(key: string): RowNumber {
    this.prefix ??= key.slice(0, key.indexOf('/') + 1);
    const { size } = this.keys;
    const row = this.keys.add(this.shortOf(key));
    if (this.keys.size === size) this.setTwins(row, this.twinsOf(row) + 1);
    return row;
  }

  set(row: RowNumber, member: MemberNumber): void {
    this.members.set(row, member);
  }

  /** One of the rows with its key. @returns whether it was the last. */
  delete(row: RowNumber): boolean {
    const twins = this.twinsOf(row);
    if (twins > 0) this.setTwins(row, twins - 1);
    else this.keys.delete(row);
    return twins === 0;
  }

  /** Each key, without what all begin with, and how many rows have it. */
  *all(): Iterable<readonly [key: string, row: RowNumber, count: number]> {
    for (const row of this.keys.numbers()) yield [this.keys.textOf(row), row, 1 + this.twinsOf(row)];
  }

  copy(): KeyedRows {
    const copy = new KeyedRows();
    copy.keys = this.keys.copy();
    copy.members = this.members.copy();
    copy.twins = this.twins.copy();
    copy.twinsEnd = this.twinsEnd;
    copy.prefix = this.prefix;
    return copy;
  }

  private twinsOf(row: RowNumber): number {
    return this.twins.get(row);
  }

  private setTwins(row: RowNumber, count: number): void {
    this.twins.set(row, count);
    this.twinsEnd = Math.max(this.twinsEnd, row + 1);
  }

  private shortOf(key: string): string {
    const { prefix = '' } = this;
    return key.startsWith(prefix) ? key.slice(prefix.length) : WHOLE + key;
  }
}
