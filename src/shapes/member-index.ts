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

/** So many columns that ended are known at the least, and twice as many at the most. */
const ENDED_KNOWN_MIN = 1_000;

export class MemberIndex {
  private readonly listed = new Set<string>();
  /** Most values are held by one column alone: no set is made for it. */
  private readonly holders = new Map<string, string | Set<string>>();
  private endCount = 0;
  /** The last ones, the newest last. */
  private ended: string[] = [];

  /** How often a column has ended: what was listed when it was lower may not be listed any more. */
  get ends(): number {
    return this.endCount;
  }

  /** The columns that have ended since `ends` was so low; undefined where they are too many to be known. */
  endedSince(ends: number): readonly string[] | undefined {
    const first = this.ended.length - (this.endCount - ends);
    return first < 0 ? undefined : this.ended.slice(first);
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
        this.noteEnd(key);
        this.listed.delete(key);
        for (const value of values) this.remove(key, value);
      },
    };
  }

  private noteEnd(key: string): void {
    this.endCount += 1;
    this.ended.push(key);
    if (this.ended.length === 2 * ENDED_KNOWN_MIN) this.ended = this.ended.slice(ENDED_KNOWN_MIN);
  }

  private add(key: string, value: string): void {
    const held = this.holders.get(value);
    if (held === undefined) this.holders.set(value, key);
    else if (typeof held !== 'string') held.add(key);
    else if (held !== key) this.holders.set(value, new Set([held, key]));
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
