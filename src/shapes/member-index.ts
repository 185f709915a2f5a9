/**
 * MemberIndex: which inner columns may hold a value, now or at a version that somebody still looks at. One for the service: the
 * tables of Materializers keep it, and routers ask it.
 *
 * A shape that misses a change is wrong for ever. So of a column that nobody has listed yet, or any more, every value is taken
 * to be held. And a column of very many values lists none: it is asked.
 */
import { invariant } from '../base/invariant.ts';
import type { Handle } from '../model/shape.ts';
import { Multimap } from './multimap.ts';

/** Names a column of an inner shape. */
export function memberKey(handle: Handle, column: string): string {
  return `${handle}/${column}`;
}

/** Where one column lists its values. */
export interface MemberListing {
  begin(values: Iterable<string>): void;
  /** What was begun has too many: `mayHave` is asked from now on instead, whether there may be one. @param values those that are listed. */
  beAsked(mayHave: AskedColumn, values: Iterable<string>): void;
  add(value: string): void;
  remove(value: string): void;
  /** @param values those that are listed. */
  end(values: Iterable<string>): void;
}

/** Whether it has the value, now or at a version that somebody still looks at. */
type AskedColumn = (value: string) => boolean;

/** So many columns that ended are known at the least, and twice as many at the most. */
const ENDED_KNOWN_MIN = 1_000;

export class MemberIndex {
  private readonly listed = new Set<string>();
  private readonly holders = new Multimap<string, string>();
  /** Those of the listed that are asked. */
  private readonly askedColumns = new Map<string, AskedColumn>();
  private askedTurns = 0;
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
    return !this.listed.has(key) || (this.askedColumns.get(key)?.(value) ?? this.lists(key, value));
  }

  lists(key: string, value: string): boolean {
    return this.holders.has(value, key);
  }

  /** Those that list it; the columns that are asked list nothing. */
  holdersOf(value: string): Iterable<string> {
    return this.holders.of(value);
  }

  holderCount(value: string): number {
    return this.holders.countOf(value);
  }

  isAsked(key: string): boolean {
    return this.askedColumns.has(key);
  }

  /** The columns that are asked. */
  askedKeys(): Iterable<string> {
    return this.askedColumns.keys();
  }

  /** How often a column has begun, or ceased, to be asked. */
  get askedChanges(): number {
    return this.askedTurns;
  }

  listing(key: string): MemberListing {
    return new ColumnListing(this, key);
  }

  begin(key: string, values: Iterable<string>): void {
    invariant(!this.listed.has(key), `${key} is listed once`);
    for (const value of values) this.holders.add(value, key);
    this.listed.add(key);
  }

  beAsked(key: string, mayHave: AskedColumn, values: Iterable<string>): void {
    invariant(!this.askedColumns.has(key), `${key} is asked by one table`);
    for (const value of values) this.holders.delete(value, key);
    this.askedColumns.set(key, mayHave);
    this.askedTurns += 1;
  }

  add(key: string, value: string): void {
    this.holders.add(value, key);
  }

  remove(key: string, value: string): void {
    this.holders.delete(value, key);
  }

  end(key: string, values: Iterable<string>): void {
    this.noteEnd(key);
    this.listed.delete(key);
    if (this.askedColumns.delete(key)) this.askedTurns += 1;
    for (const value of values) this.holders.delete(value, key);
  }

  private noteEnd(key: string): void {
    this.endCount += 1;
    this.ended.push(key);
    if (this.ended.length === 2 * ENDED_KNOWN_MIN) this.ended = this.ended.slice(ENDED_KNOWN_MIN);
  }
}

/** One for each Materializer, of which there may be very many. */
class ColumnListing implements MemberListing {
  constructor(
    private readonly index: MemberIndex,
    private readonly key: string,
  ) {}

  begin(values: Iterable<string>): void {
    this.index.begin(this.key, values);
  }

  beAsked(mayHave: AskedColumn, values: Iterable<string>): void {
    this.index.beAsked(this.key, mayHave, values);
  }

  add(value: string): void {
    this.index.add(this.key, value);
  }

  remove(value: string): void {
    this.index.remove(this.key, value);
  }

  end(values: Iterable<string>): void {
    this.index.end(this.key, values);
  }
}
