/**
 * FailedRows: the rows of which the value cannot be cast, and what each is written as.
 *
 * There may be as many of them as there are rows, for a snapshot or a transaction may bring any number that are mended before anybody asks:
 * to end at the first thousand would refuse for ever what Postgres would take. So they have no bound of their own. They lie outside of the
 * heap, their bytes are counted with those of keys and values, and an error is made when it is told.
 */
import { invariant } from '../base/invariant.ts';
import { NumberColumn } from '../base/packed/number-column.ts';
import { TextPages } from '../base/packed/text-pages.ts';
import type { RowNumber } from './keyed-rows.ts';

const PLACE_BYTES = 4;

export class FailedRows {
  /** Of each row a place and one, or 0. */
  private places = new NumberColumn();
  /** Made for the first: most tables never have one. */
  private texts: TextPages | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** About so much memory. */
  get bytes(): number {
    return (this.texts?.bytes ?? 0) + PLACE_BYTES * this.count;
  }

  /** @returns undefined for a row that has not failed. */
  textOf(row: RowNumber): string | undefined {
    const place = this.places.get(row);
    return place === 0 ? undefined : this.texts?.textAt(place - 1);
  }

  /** That of the row with the lowest number. There is one. */
  firstText(): string {
    invariant(this.count > 0, 'a row has failed');
    for (let row = 0; ; row += 1) {
      const text = this.textOf(row);
      if (text !== undefined) return text;
    }
  }

  /** @param row that has not failed. */
  add(row: RowNumber, text: string): void {
    this.texts ??= new TextPages((moved, place) => this.places.set(moved, place + 1));
    this.places.set(row, this.texts.add(row, text) + 1);
    this.count += 1;
  }

  /** @param row that may have failed. */
  delete(row: RowNumber): void {
    const place = this.places.get(row);
    if (place === 0) return;
    this.texts?.delete(place - 1);
    this.places.set(row, 0);
    this.count -= 1;
  }

  copy(): FailedRows {
    const copy = new FailedRows();
    copy.places = this.places.copy();
    copy.texts = this.texts?.copy((row, place) => copy.places.set(row, place + 1));
    copy.count = this.count;
    return copy;
  }
}
