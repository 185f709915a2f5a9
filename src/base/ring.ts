/** Ring: a queue whose both ends cost the same at any length; it grows, and gives the room back once it is empty. */
const SLOTS_MIN = 8;

export class Ring<Item> {
  private slots: (Item | undefined)[] = [];
  private head = 0;
  length = 0;

  push(item: Item): void {
    if (this.length === this.slots.length) this.grow();
    this.slots[(this.head + this.length) & (this.slots.length - 1)] = item;
    this.length += 1;
  }

  /** Puts `item` before all others. */
  unshift(item: Item): void {
    if (this.length === this.slots.length) this.grow();
    this.head = (this.head - 1) & (this.slots.length - 1);
    this.slots[this.head] = item;
    this.length += 1;
  }

  /** The one that `shift` would take. */
  peek(): Item | undefined {
    return this.slots[this.head];
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.slots[this.head];
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & (this.slots.length - 1);
    this.length -= 1;
    if (this.length === 0 && this.slots.length > SLOTS_MIN) this.clear();
    return item;
  }

  /** Takes out the first that `isWanted`; costs as much as stand before it. */
  take(isWanted: (item: Item) => boolean): Item | undefined {
    const before: Item[] = [];
    let item = this.shift();
    while (item !== undefined && !isWanted(item)) {
      before.push(item);
      item = this.shift();
    }
    for (const other of before.reverse()) this.unshift(other);
    return item;
  }

  clear(): void {
    this.slots = [];
    this.head = 0;
    this.length = 0;
  }

  /** In order, the head first. */
  *[Symbol.iterator](): IterableIterator<Item> {
    for (let index = 0; index < this.length; index += 1) {
      const item = this.slots[(this.head + index) & (this.slots.length - 1)];
      if (item !== undefined) yield item;
    }
  }

  private grow(): void {
    const items = this.slots.slice(this.head).concat(this.slots.slice(0, this.head));
    items.length = Math.max(SLOTS_MIN, this.slots.length * 2);
    this.slots = items;
    this.head = 0;
  }
}
