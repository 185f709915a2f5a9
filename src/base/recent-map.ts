/**
 * RecentMap: what was asked for lately. With each that comes it forgets what nobody has asked for in a while, so that what was of use once
 * is not held for ever, and what was asked for longest ago when all together is too much. While nothing comes, nothing goes.
 */
import type { Clock } from './clock.ts';

export interface RecentBounds {
  readonly countMax?: number;
  /** Of all weights. */
  readonly weightMax: number;
  readonly idleMsMax: number;
}

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
  askedMs: number;
}

export class RecentMap<V> {
  /** What was asked for longest ago first. */
  private readonly entries = new Map<string, Entry<V>>();
  private weight = 0;
  /** What was asked for last, mostly once more: it has its place. */
  private last: Entry<V> | undefined;

  constructor(
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly bounds: RecentBounds,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** Asks for it. */
  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    entry.askedMs = this.clock.nowMs();
    if (entry !== this.last) {
      this.entries.delete(key);
      this.entries.set(key, entry);
      this.last = entry;
    }
    return entry.value;
  }

  /** In place of what was there. Then what is too old, or too much, is forgotten. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    this.last = { value, weight, askedMs: this.clock.nowMs() };
    this.entries.set(key, this.last);
    this.weight += weight;
    this.forget();
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.weight -= entry.weight;
    if (entry === this.last) this.last = undefined;
  }

  private forget(): void {
    const { countMax = Infinity, weightMax, idleMsMax } = this.bounds;
    const idleSinceMs = this.clock.nowMs() - idleMsMax;
    for (const [key, { askedMs }] of this.entries) {
      if (this.entries.size <= countMax && this.weight <= weightMax && askedMs >= idleSinceMs) return;
      this.delete(key);
    }
  }
}
