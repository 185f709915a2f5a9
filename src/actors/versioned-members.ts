/**
 * VersionedMembers: which values a column has, at the last version and at each earlier one that somebody may still ask about. A
 * version is the end of a transaction that moved something, as the offset of its last row: who waits for one is told of it.
 *
 * The marks of a subquery's membership, that it selects NULL and that it selects anything, come and go by versions too; but they are
 * no values: they are asked for and never listed.
 *
 * What is asked about a version that is kept must be answered alike whenever it is asked, also by a table that was made again
 * from the same log. So a value remembers at which versions it came or went, and no version is a set of its own: a version costs
 * what its transaction moved.
 */
import { invariant } from '../base/invariant.ts';
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../model/log-offset.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import type { Moved, MovedValue } from '../shapes/versioned-values.ts';
import { ANY_MEMBER, isMark, NULL_MEMBER, patternParts } from '../sql/subqueries/membership.ts';
import { PartialMembers } from './partial-members.ts';

interface Member {
  /** As Postgres wrote it when it was first seen: for the parameters of queries. */
  readonly text: string;
  /** Those of the transaction that is open are counted already. */
  rows: number;
  /** Whether the last version has it. */
  isThere: boolean;
  /** The kept versions at which it came or went, in turns. */
  turns: LogOffset[];
}

/** A transaction that moved something. */
interface Version {
  readonly offset: LogOffset;
  readonly xids: readonly Xid[];
  /** Possibly none, where a mark came or went alone. */
  readonly values: readonly string[];
  readonly marks: readonly string[];
}

const NO_MARKS: readonly string[] = []; // One for all: nearly every version has none.

/** Told of values that there may be, at any kept version, and of those that there are at none any more. */
export interface MemberWatch {
  add(value: string): void;
  remove(value: string): void;
}

export class VersionedMembers {
  /** Told from the end of a transaction on. */
  watch: MemberWatch | undefined;
  private readonly members = new Map<string, Member>();
  private readonly marks = new Map<string, Member>();
  private readonly partial = new PartialMembers();
  /** Members and marks of which the open transaction has counted rows. */
  private readonly touched = new Set<string>();
  private versions: Version[] = [];
  private last = BEFORE_ALL;
  private from = BEFORE_ALL;
  private held = 0;
  private kept = 0;

  /** @param width of how many columns a value is. */
  constructor(readonly width = 1) {}

  /** The last version. */
  get offset(): LogOffset {
    return this.last;
  }

  /** The first version that can be asked about. */
  get keptFrom(): LogOffset {
    return this.from;
  }

  /** How many values have rows, by the transaction that is open. */
  get count(): number {
    return this.held;
  }

  /** How many moves are kept, of all versions together, each of which counts for one at the least. */
  get keptMoves(): number {
    return this.kept;
  }

  /** @param value or a mark. */
  has(value: string, at: LogOffset): boolean {
    this.check(at);
    const pattern = patternParts(value);
    if (pattern !== undefined) return this.hasSome(this.partial.of(pattern, this.members.keys()), at);
    const member = this.placeOf(value).get(value);
    return member !== undefined && isThereAt(member, at);
  }

  /** As it was written; of a value that is counted. */
  textOf(value: string): string {
    return this.memberOf(value).text;
  }

  /** Now or at any version that is kept. */
  mayHave(value: string): boolean {
    const member = this.members.get(value);
    return member !== undefined && (member.isThere || member.turns.length > 0);
  }

  /** Those that there may be. */
  *all(): Iterable<string> {
    for (const value of this.members.keys()) if (this.mayHave(value)) yield value;
  }

  /** In no particular order. */
  valuesAt(at: LogOffset): readonly MovedValue[] {
    this.check(at);
    return Array.from(this.members).flatMap(([value, member]) => (isThereAt(member, at) ? [{ value, text: member.text }] : []));
  }

  /** Net, each in the order of the values; the xids are those of all that moved something, ascending. */
  movesBetween(after: LogOffset, through: LogOffset): Moved {
    this.check(after);
    this.check(through);
    const versions = this.versions.slice(this.countThrough(after), this.countThrough(through));
    const values = [...new Set(versions.flatMap((version) => version.values))].sort();
    const [movedIn, movedOut]: [MovedValue[], MovedValue[]] = [[], []];
    for (const value of values) {
      const member = this.memberOf(value);
      const [before, behind] = [isThereAt(member, after), isThereAt(member, through)];
      if (before !== behind) (behind ? movedIn : movedOut).push({ value, text: member.text });
    }
    const xids = new Set(versions.flatMap((version) => version.xids));
    return { movedIn, movedOut, xids: [...xids].sort((left, right) => left - right) };
  }

  /** The highest version behind `after` with no more than so many moves, and transactions, between; with one transaction at the least. */
  movesThrough(after: LogOffset, valuesMax: number): LogOffset {
    this.check(after);
    const first = this.countThrough(after);
    const behind = this.versions.slice(first, first + valuesMax);
    const moved = new Set<string>();
    let through = behind[0]?.offset ?? this.last;
    for (const { offset, values } of behind) {
      for (const value of values) if (!moved.delete(value)) moved.add(value);
      if (moved.size <= valuesMax) through = offset;
    }
    return through;
  }

  /** The first version that has no more than so many moves kept behind it. */
  versionWithin(movesMax: number): LogOffset {
    let moves = 0;
    for (let index = this.versions.length - 1; index >= 0; index -= 1) {
      const version = this.versions[index];
      if (version === undefined) continue;
      moves += weightOf(version);
      if (moves > movesMax) return version.offset;
    }
    return this.from;
  }

  /**
   * Counts a row of the transaction that is open.
   *
   * @param value null for NULL; `text` of the value, if there is one.
   * @param hasNull also of a row value that has a NULL part: that is a value beside it.
   */
  countRow(value: string | null, text: string, difference: 1 | -1, hasNull = value === null): void {
    this.countMember(ANY_MEMBER, text, difference);
    if (hasNull) this.countMember(NULL_MEMBER, text, difference);
    if (value !== null && this.countMember(value, text, difference) === (difference === 1 ? 1 : 0)) this.held += difference;
  }

  /** What is counted so far is the first version: nobody asks about anything before it. */
  begin(offset: LogOffset): void {
    for (const value of this.touched) this.memberOf(value).isThere = true;
    this.touched.clear();
    this.last = offset;
    this.from = offset;
  }

  /** The open transaction has ended. @returns whether it moved anything. */
  commit(offset: LogOffset, xids: readonly Xid[]): boolean {
    const turned = [...this.touched].filter((value) => this.turn(value, offset));
    this.touched.clear();
    if (turned.length === 0) return false;
    this.last = offset;
    const marks = turned.filter(isMark);
    const values = marks.length === 0 ? turned : turned.filter((value) => !isMark(value));
    const version = { offset, xids, values, marks: marks.length === 0 ? NO_MARKS : marks };
    this.versions.push(version);
    this.kept += weightOf(version);
    return true;
  }

  /** Nobody asks about a version before `oldest` any more. */
  forgetBefore(oldest: LogOffset): void {
    const forgotten = this.versions.splice(0, this.countThrough(oldest));
    for (const version of forgotten) {
      this.from = version.offset;
      this.kept -= weightOf(version);
      for (const value of [...version.values, ...version.marks]) this.forgetTurn(value);
    }
  }

  copy(): VersionedMembers {
    const copy = new VersionedMembers(this.width);
    for (const [value, member] of this.members) copy.members.set(value, copyOf(member));
    for (const [mark, member] of this.marks) copy.marks.set(mark, copyOf(member));
    for (const value of this.touched) copy.touched.add(value);
    copy.versions = [...this.versions];
    copy.last = this.last;
    copy.from = this.from;
    copy.held = this.held;
    copy.kept = this.kept;
    return copy;
  }

  key(): unknown {
    const members = Array.from(this.members, ([value, { text, rows, isThere, turns }]) => [value, text, rows, isThere, turns]).sort();
    const marks = Array.from(this.marks, ([mark, { rows, isThere, turns }]) => [mark, rows, isThere, turns]).sort();
    const versions = this.versions.map(({ offset, xids, values }) => [offset, xids, [...values].sort()]);
    return [members, marks, versions, [...this.touched].sort(), this.last, this.from];
  }

  /** @returns how many rows have it now. */
  private countMember(value: string, text: string, difference: 1 | -1): number {
    const member = this.placeOf(value).get(value) ?? this.newMember(value, text);
    member.rows += difference;
    invariant(member.rows >= 0, 'a value that goes was there');
    this.touched.add(value);
    return member.rows;
  }

  private newMember(value: string, text: string): Member {
    const member = { text, rows: 0, isThere: false, turns: [] };
    this.placeOf(value).set(value, member);
    if (!isMark(value)) this.partial.add(value);
    return member;
  }

  private hasSome(values: Iterable<string>, at: LogOffset): boolean {
    for (const value of values) if (isThereAt(this.memberOf(value), at)) return true;
    return false;
  }

  private turn(value: string, offset: LogOffset): boolean {
    const member = this.memberOf(value);
    const isThere = member.rows > 0;
    if (isThere === member.isThere) {
      this.dropIfGone(value, member);
      return false;
    }
    if (isThere && member.turns.length === 0 && !isMark(value)) this.watch?.add(value);
    member.isThere = isThere;
    member.turns.push(offset);
    return true;
  }

  private forgetTurn(value: string): void {
    const member = this.memberOf(value);
    member.turns.shift();
    if (!isMark(value) && !this.mayHave(value)) this.watch?.remove(value);
    // Of one that the open transaction has counted rows of its end is yet to tell.
    if (!this.touched.has(value)) this.dropIfGone(value, member);
  }

  private dropIfGone(value: string, { rows, isThere, turns }: Member): void {
    if (rows > 0 || isThere || turns.length > 0) return;
    this.placeOf(value).delete(value);
    if (!isMark(value)) this.partial.remove(value);
  }

  private placeOf(value: string): Map<string, Member> {
    return isMark(value) ? this.marks : this.members;
  }

  private memberOf(value: string): Member {
    const member = this.placeOf(value).get(value);
    invariant(member !== undefined, 'a value is known for as long as a version tells of it');
    return member;
  }

  private check(at: LogOffset): void {
    if (at === this.last) return;
    const isKept = compareOffsets(at, this.from) >= 0 && compareOffsets(at, this.last) <= 0;
    invariant(isKept, `versions are asked about from ${this.from} to ${this.last}, not ${at}`);
  }

  /** How many of the versions that moved something lie at or before `at`. */
  private countThrough(at: LogOffset): number {
    return countThrough(this.versions.length, (index) => this.versions[index]?.offset ?? at, at);
  }
}

function weightOf({ values }: Version): number {
  return Math.max(1, values.length);
}

function copyOf(member: Member): Member {
  return { ...member, turns: [...member.turns] };
}

function isThereAt({ isThere, turns }: Member, at: LogOffset): boolean {
  const behind = turns.length - countThrough(turns.length, (index) => turns[index] ?? at, at);
  return behind % 2 === 0 ? isThere : !isThere;
}

/** How many of so many ascending offsets lie at or before `at`. */
function countThrough(count: number, offsetAt: (index: number) => LogOffset, at: LogOffset): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareOffsets(offsetAt(middle), at) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
