/** Ring: the newest items of a stream, bounded by their count and by their bytes. What is pushed out is gone. */
export interface RingBounds {
  readonly itemsMax: number;
  readonly bytesMax: number;
}

export class Ring<Item> {
  private items: Item[] = [];
  private sizes: number[] = [];
  private first = 0;
  private held = 0;

  constructor(private readonly bounds: RingBounds) {}

  get count(): number {
    return this.items.length - this.first;
  }

  get bytes(): number {
    return this.held;
  }

  get oldest(): Item | undefined {
    return this.items[this.first];
  }

  get newest(): Item | undefined {
    return this.count === 0 ? undefined : this.items.at(-1);
  }

  /** @param bytes an estimate of what it holds. One that is larger than the whole ring is kept alone. */
  push(item: Item, bytes: number): void {
    this.items.push(item);
    this.sizes.push(bytes);
    this.held += bytes;
    while (this.count > 1 && (this.count > this.bounds.itemsMax || this.held > this.bounds.bytesMax)) this.dropFirst();
    if (this.first > this.bounds.itemsMax) this.compact();
  }

  clear(): void {
    this.items = [];
    this.sizes = [];
    this.first = 0;
    this.held = 0;
  }

  /** Oldest first. */
  *all(): Iterable<Item> {
    yield* this.items.slice(this.first);
  }

  /** Newest first, at most so many. */
  *newestFirst(lookedAtMax = Infinity): Iterable<Item> {
    const end = Math.max(this.first, this.items.length - lookedAtMax);
    for (let index = this.items.length - 1; index >= end; index -= 1) {
      const item = this.items[index];
      if (item !== undefined) yield item;
    }
  }

  /** Its place stays until the next compaction, and holds nothing. */
  private dropFirst(): void {
    this.held -= this.sizes[this.first] ?? 0;
    (this.items as (Item | undefined)[])[this.first] = undefined;
    this.first += 1;
  }

  private compact(): void {
    this.items = this.items.slice(this.first);
    this.sizes = this.sizes.slice(this.first);
    this.first = 0;
  }
}
