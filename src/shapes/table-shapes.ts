/** TableShapes: the shapes of one table, by the keys of a row that they are looked up by; and those that can only be asked. */
import type { ColumnText } from '../sql/where.ts';
import { KeyIndex, type PlacedLookup } from './key-index.ts';
import type { MemberIndex } from './member-index.ts';

export class TableShapes<Shape extends object> {
  readonly all = new Set<Shape>();
  private readonly indexes = new Map<string, KeyIndex<Shape>>();
  private readonly unkeyed = new Set<Shape>();

  constructor(private readonly members: MemberIndex) {}

  /** How many keys of each row are read. */
  get keyCount(): number {
    return this.indexes.size;
  }

  /** The same, by keys that those have in common that are looked up by them: what came of one filter is not held for each of its shapes. */
  sharing(lookups: readonly PlacedLookup[]): readonly PlacedLookup[] {
    return lookups.map((lookup) => ({ ...lookup, key: this.indexOf(lookup).key }));
  }

  /** @param lookups undefined where there are none that every row of the shape satisfies. */
  add(shape: Shape, lookups: readonly PlacedLookup[] | undefined): void {
    this.all.add(shape);
    if (lookups === undefined) this.unkeyed.add(shape);
    for (const lookup of lookups ?? []) this.indexOf(lookup).add(lookup, shape);
  }

  /** @param lookups with which it was added. */
  remove(shape: Shape, lookups: readonly PlacedLookup[] | undefined): void {
    this.all.delete(shape);
    this.unkeyed.delete(shape);
    for (const lookup of lookups ?? []) {
      const index = this.indexOf(lookup);
      index.remove(lookup, shape);
      if (index.isEmpty) this.indexes.delete(lookup.key.name);
    }
  }

  /**
   * @param isAltered whether a column may not be what it was.
   * @param found told of each that the row may concern; of one several times, perhaps. It neither adds shapes nor removes any.
   */
  find(text: ColumnText, isAltered: boolean, found: (shape: Shape) => void): void {
    for (const index of this.indexes.values()) index.find(text, isAltered, found);
    for (const shape of this.unkeyed) found(shape);
  }

  private indexOf({ key }: PlacedLookup): KeyIndex<Shape> {
    const index = this.indexes.get(key.name) ?? new KeyIndex(key, this.members);
    this.indexes.set(key.name, index);
    return index;
  }
}
