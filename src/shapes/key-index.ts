/** KeyIndex: the shapes that are looked up by one key of a row, under the values that they look for. */
import { EvaluationError } from '../sql/evaluation-error.ts';
import type { ColumnText, Key, Lookup, LookupKey } from '../sql/where.ts';
import type { MemberIndex } from './member-index.ts';
import { Multimap } from './multimap.ts';
import { SubqueryIndex } from './subquery-index.ts';

/** Of a subquery it is known where what it selects is kept (`memberKey`). */
export type PlacedLookup =
  | Exclude<Lookup, { readonly kind: 'subquery' }>
  | { readonly kind: 'subquery'; readonly key: LookupKey; readonly members: string };

export class KeyIndex<Shape extends object> {
  private readonly values = new Multimap<Key, Shape>();
  private readonly subqueries: SubqueryIndex<Shape>;

  constructor(
    readonly key: LookupKey,
    members: MemberIndex,
  ) {
    this.subqueries = new SubqueryIndex(members);
  }

  get isEmpty(): boolean {
    return this.values.size === 0 && this.subqueries.isEmpty;
  }

  add(lookup: PlacedLookup, shape: Shape): void {
    if (lookup.kind === 'subquery') this.subqueries.add(lookup.members, shape);
    else for (const value of lookup.kind === 'some' ? lookup.values : this.rarest(lookup.values)) this.values.add(value, shape);
  }

  remove(lookup: PlacedLookup, shape: Shape): void {
    if (lookup.kind === 'subquery') this.subqueries.remove(lookup.members, shape);
    else for (const value of lookup.values) this.values.delete(value, shape);
  }

  /**
   * Each row of each change is asked about, so nothing is made for it that would hand the shapes on one by one.
   *
   * @param isAltered whether a column may not be what it was: who reads it is ended by that, and finds out by itself.
   * @param found told of those that the row may concern: of all of them when its keys have an error.
   */
  find(text: ColumnText, isAltered: boolean, found: (shape: Shape) => void): void {
    const keys = this.keysOf(text, isAltered);
    if (keys === undefined) {
      for (const shape of this.values.values()) found(shape);
      for (const shape of this.subqueries.all()) found(shape);
      return;
    }
    for (const key of keys) {
      for (const shape of this.values.of(key)) found(shape);
      if (key !== null && !this.subqueries.isEmpty) for (const shape of this.subqueries.of(key)) found(shape);
    }
  }

  /** An error of a key is one of the filters, too: each shape meets it by itself. */
  private keysOf(text: ColumnText, isAltered: boolean): readonly Key[] | undefined {
    try {
      return this.key.read(text);
    } catch (error) {
      if (isAltered || error instanceof EvaluationError) return undefined;
      throw error;
    }
  }

  /** A row that has them all has any of them; so a value for which many look finds none of those who look for another one besides. */
  private rarest(values: readonly Key[]): readonly Key[] {
    let [rarest] = values;
    for (const value of values) {
      if (rarest !== undefined && this.values.countOf(value) < this.values.countOf(rarest)) rarest = value;
    }
    return rarest === undefined ? [] : [rarest];
  }
}
