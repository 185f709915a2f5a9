/** Multimap: several values under a key. Most keys have one: no set is made for it. */

/** A value is no `Set`, by which many are told from one. */
export class Multimap<Key, Value extends string | object> {
  private readonly held = new Map<Key, Value | Set<Value>>();

  /** How many keys have a value. */
  get size(): number {
    return this.held.size;
  }

  keys(): Iterable<Key> {
    return this.held.keys();
  }

  /** One that stands under several keys comes as often. */
  *values(): Iterable<Value> {
    for (const held of this.held.values()) {
      if (held instanceof Set) yield* held;
      else yield held;
    }
  }

  of(key: Key): ReadonlySet<Value> | readonly Value[] {
    const held = this.held.get(key);
    return held === undefined ? [] : held instanceof Set ? held : [held];
  }

  countOf(key: Key): number {
    const held = this.held.get(key);
    return held === undefined ? 0 : held instanceof Set ? held.size : 1;
  }

  has(key: Key, value: Value): boolean {
    const held = this.held.get(key);
    return held instanceof Set ? held.has(value) : held === value;
  }

  add(key: Key, value: Value): void {
    const held = this.held.get(key);
    if (held === undefined) this.held.set(key, value);
    else if (held instanceof Set) held.add(value);
    else if (held !== value) this.held.set(key, new Set([held, value]));
  }

  /** One that is not there changes nothing. */
  delete(key: Key, value: Value): void {
    const held = this.held.get(key);
    if (held === value) this.held.delete(key);
    if (!(held instanceof Set)) return;
    held.delete(value);
    const [last] = held;
    if (held.size === 1 && last !== undefined) this.held.set(key, last);
  }
}
