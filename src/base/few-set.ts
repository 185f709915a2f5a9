/**
 * FewSet: a set that nearly always has one item, and may have very many. For one no table is made, which would take many times what it
 * holds; there may be tens of thousands of such sets.
 */

/** An item is no `Set`, by which many are told from one, and not undefined. */
export class FewSet<Item extends string | object> {
  private held: Item | Set<Item> | undefined;

  get size(): number {
    return this.held instanceof Set ? this.held.size : this.held === undefined ? 0 : 1;
  }

  has(item: Item): boolean {
    return this.held instanceof Set ? this.held.has(item) : this.held === item;
  }

  add(item: Item): void {
    if (this.held === undefined) this.held = item;
    else if (this.held instanceof Set) this.held.add(item);
    else if (this.held !== item) this.held = new Set([this.held, item]);
  }

  /** One that is not there changes nothing. */
  delete(item: Item): void {
    if (!(this.held instanceof Set)) {
      if (this.held === item) this.held = undefined;
      return;
    }
    this.held.delete(item);
    if (this.held.size === 0) this.held = undefined;
  }

  /** In the order in which they were added. */
  *[Symbol.iterator](): Iterator<Item> {
    if (this.held instanceof Set) yield* this.held;
    else if (this.held !== undefined) yield this.held;
  }
}
