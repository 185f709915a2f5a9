/**
 * MemberIndex: which inner columns may hold a value, now or at a version that somebody still looks at. One for the service: the
 * tables of Materializers keep it, and routers ask it.
 *
 * A shape that misses a change is wrong for ever. So of a column that nobody has listed yet, or any more, every value is taken
 * to be held.
 */
import { invariant } from '../base/invariant.ts';
import type { Handle } from '../model/shape.ts';

/** Names a column of an inner shape. */
export function memberKey(handle: Handle, column: string): string {
  return `${handle}/${column}`;
}

/** Where one column lists its values. */
export interface MemberListing {
  begin(values: Iterable<string>): void;
  add(value: string): void;
  remove(value: string): void;
  /** @param values those that are listed. */
  end(values: Iterable<string>): void;
}

export class MemberIndex {
  private readonly listed = new Set<string>();
  /** Most values are held by one column alone: no set is made for it. */
  private readonly holders = new Map<string, string | Set<string>>();
  private endCount = 0;

  /** How often a column has ended: what was listed when it was lower may not be listed any more. */
  get ends(): number {
    return this.endCount;
  }

  isListed(key: string): boolean {
    return this.listed.has(key);
  }

  mayHold(key: string, value: string): boolean {
    if (!this.listed.has(key)) return true;
    const held = this.holders.get(value);
    return typeof held === 'string' ? held === key : held?.has(key) === true;
  }

  /** Those that are listed. */
  holdersOf(value: string): ReadonlySet<string> | readonly string[] {
    const held = this.holders.get(value);
    return held === undefined ? [] : typeof held === 'string' ? [held] : held;
  }

  listing(key: string): MemberListing {
    return {
      begin: (values) => {
        invariant(!this.listed.has(key), `${key} is listed once`);
        for (const value of values) this.add(key, value);
        this.listed.add(key);
      },
      add: (value) => this.add(key, value),
      remove: (value) => this.remove(key, value),
      end: (values) => {
        this.endCount += 1;
        this.listed.delete(key);
        for (const value of values) this.remove(key, value);
      },
    };
  }

  private add(key: string, value: string): void {
    const held = this.holders.get(value);
    if (held === undefined) this.holders.set(value, key);
    else if (typeof held !== 'string') held.add(key);
    else this.holders.set(value, new Set([held, key]));
  }

  private remove(key: string, value: string): void {
    const held = this.holders.get(value);
    if (held === key) this.holders.delete(value);
    if (held === undefined || typeof held === 'string') return;
    held.delete(key);
    const [last] = held;
    if (held.size === 1 && last !== undefined) this.holders.set(value, last);
  }
}
