/**
 * FewSet: a set that nearly always has one item, or a few, and may have very many. For those no table is made, which would take many times
 * what it holds; there may be tens of thousands of such sets.
 */
import { countOf, hasItem, listOf, withItem, withoutItem, type Few } from './few.ts';

/** More than these are in a table. */
const FEW_MAX = 8;

/** An item is no array and no `Set`, by which several and many are told from one, and not undefined. */
export class FewSet<Item extends string | object> {
  private held: Few<Item> | Set<Item>;

  get size(): number {
    return this.held instanceof Set ? this.held.size : countOf(this.held);
  }

  has(item: Item): boolean {
    return this.held instanceof Set ? this.held.has(item) : hasItem(this.held, item);
  }

  add(item: Item): void {
    if (this.held instanceof Set) {
      this.held.add(item);
      return;
    }
    const held = withItem(this.held, item);
    this.held = countOf(held) > FEW_MAX ? new Set(listOf(held)) : held;
  }

  /** One that is not there changes nothing. */
  delete(item: Item): void {
    if (!(this.held instanceof Set)) {
      this.held = withoutItem(this.held, item);
      return;
    }
    this.held.delete(item);
    if (this.held.size === 0) this.held = undefined;
  }

  /** In the order in which they were added. One that is deleted before its turn does not come; of one that is added nothing is promised. */
  *[Symbol.iterator](): Iterator<Item> {
    const { held } = this;
    if (held instanceof Set) yield* held;
    else for (const item of listOf(held)) if (this.held === held || this.has(item)) yield item;
  }
}
