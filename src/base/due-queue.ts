/**
 * DueQueue: things in the order in which their time comes, linked by themselves: a queue of very many takes no room besides theirs, and any
 * of them leaves it at once.
 */

/** Of what stands in one queue at a time. */
export interface Due<Item> {
  /** On a clock's monotonic scale. Does not change while it stands in a queue. */
  readonly dueMs: number;
  before: Item | undefined;
  behind: Item | undefined;
}

export class DueQueue<Item extends Due<Item>> {
  private first: Item | undefined;
  private last: Item | undefined;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Whose time comes first. */
  get head(): Item | undefined {
    return this.first;
  }

  /** Looked for from the end on: whatever comes later is mostly due later, since all are given the same time. */
  add(item: Item): void {
    let before = this.last;
    while (before !== undefined && before.dueMs > item.dueMs) before = before.before;
    const behind = before === undefined ? this.first : before.behind;
    item.before = before;
    item.behind = behind;
    if (before === undefined) this.first = item;
    else before.behind = item;
    if (behind === undefined) this.last = item;
    else behind.before = item;
    this.count += 1;
  }

  /** @param item one that is in it. */
  remove(item: Item): void {
    const { before, behind } = item;
    if (before === undefined) this.first = behind;
    else before.behind = behind;
    if (behind === undefined) this.last = before;
    else behind.before = before;
    item.before = undefined;
    item.behind = undefined;
    this.count -= 1;
  }

  shift(): Item | undefined {
    const { first } = this;
    if (first !== undefined) this.remove(first);
    return first;
  }
}
