/** KeyIndex: the shapes that are looked up by one key of a row, under the values that they look for. */
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
    private readonly key: LookupKey,
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

  /** Those that the row may concern: all of them when its keys cannot be read. */
  *of(text: ColumnText): Iterable<Shape> {
    const keys = this.keysOf(text);
    if (keys === undefined) {
      yield* this.values.values();
      yield* this.subqueries.all();
      return;
    }
    for (const key of keys) {
      yield* this.values.of(key);
      if (key !== null) yield* this.subqueries.of(key);
    }
  }

  /** Whatever it is that cannot be read: the filters of the shapes will meet it too, and each decides for itself. */
  private keysOf(text: ColumnText): readonly Key[] | undefined {
    try {
      return this.key.read(text);
    } catch {
      return undefined;
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
