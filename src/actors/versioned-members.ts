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
import { NumberColumn } from '../base/packed/number-column.ts';
import { TextTable } from '../base/packed/text-table.ts';
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../model/log-offset.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import type { Moved, MovedValue } from '../shapes/versioned-values.ts';
import { ANY_MEMBER, isMark, NULL_MEMBER, patternParts, rowParts } from '../sql/subqueries/membership.ts';
import type { Key } from '../sql/where.ts';
import { MemberForm } from './member-form.ts';
import { hasParts, PartialMembers, type Pattern } from './partial-members.ts';
import { TouchedMembers } from './touched-members.ts';

/** A transaction that moved something. */
interface Version {
  readonly offset: LogOffset;
  readonly xids: readonly Xid[];
  /** Possibly none, where a mark came or went alone. */
  readonly values: readonly MemberNumber[];
  readonly marks: readonly MemberNumber[];
}

/** When a value came or went, and by which transactions. */
export type Turned = Pick<Version, 'offset' | 'xids'>;

/** Names a value, or a mark, for as long as it has rows or a kept version tells of it. */
export type MemberNumber = number;

/** What moved between two versions. */
interface AnsweredMoves {
  readonly after: LogOffset;
  readonly through: LogOffset;
  readonly moved: Moved;
}

/** Of an answer that is kept, and how long they are together. */
const ANSWERED_VALUES_MAX = 1_000;
const ANSWERED_CHARACTERS_MAX = 1_000_000;

const NULL_NUMBER = 0;
const ANY_NUMBER = 1;
/** The number of the first value. */
const VALUES_FROM = 2;
const MARKS = [NULL_MEMBER, ANY_MEMBER];

const NONE: readonly never[] = []; // One for all: nearly every version has no marks, and a value no turns.

/** Told of values that there may be, at any kept version, and of those that there are at none any more. */
export interface MemberWatch {
  add(value: string): void;
  remove(value: string): void;
}

export class VersionedMembers {
  /** Told from the end of a transaction on. */
  watch: MemberWatch | undefined;
  private texts: TextTable;
  /** None where nobody looks row values up by some of their parts. */
  private partial: PartialMembers | undefined;
  /** How many rows each has, those of the open transaction among them. */
  private rows = new NumberColumn();
  /** Those of which the open transaction has counted rows, and whether the last version has them. */
  private touched = new TouchedMembers();
  /** The kept versions at which one came or went, in turns. A list is this table's own: one value may have half a million of them. */
  private turns: Map<MemberNumber, LogOffset[]> | undefined;
  private versions: Version[] = [];
  private last = BEFORE_ALL;
  private from = BEFORE_ALL;
  private held = 0;
  private kept = 0;
  /** The last answer: of thousands who look the values up each asks several times about the same move, one after the other. */
  private answered: AnsweredMoves | undefined;

  constructor(private readonly form = new MemberForm()) {
    this.texts = new TextTable(form.isPlain ? undefined : (text) => this.keyOf(text));
    this.partial = newPartial(form);
  }

  /** How many columns a value is of. */
  get width(): number {
    return this.form.width;
  }

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

  /** About so much memory they take, without the moves. */
  get bytes(): number {
    return this.texts.bytes + this.touched.bytes + (this.partial?.bytes ?? 0);
  }

  /** @param value or a mark. */
  has(value: string, at: LogOffset): boolean {
    this.check(at);
    const pattern = patternParts(value);
    if (pattern !== undefined) return this.hasSome(pattern, at);
    const member = this.find(value);
    return member !== undefined && this.isThereAt(member, at);
  }

  /** At which version it last came or went; undefined for one that did not since `keptFrom`. Marks have none. */
  lastTurn(value: string): Turned | undefined {
    const member = isMark(value) ? undefined : this.find(value);
    const offset = member === undefined ? undefined : this.turnsOf(member).at(-1);
    const version = offset === undefined ? undefined : this.versions[this.countThrough(offset) - 1];
    return version && { offset: version.offset, xids: version.xids };
  }

  /** Now or at any version that is kept. */
  mayHave(value: string): boolean {
    const number = this.texts.numberOf(value);
    return number !== undefined && this.mayBe(VALUES_FROM + number);
  }

  /** Those that there may be. */
  *all(): Iterable<string> {
    for (const number of this.texts.numbers()) if (this.mayBe(VALUES_FROM + number)) yield this.valueOf(VALUES_FROM + number);
  }

  /** As Postgres wrote each when it was first seen, in no particular order. May be walked in steps for as long as the version is kept. */
  *textsAt(at: LogOffset): Iterable<string> {
    this.check(at);
    for (const number of this.texts.numbers()) if (this.isThereAt(VALUES_FROM + number, at)) yield this.texts.textOf(number);
  }

  /** Net, each in the order of the values; the xids are those of all that moved something, ascending. */
  movesBetween(after: LogOffset, through: LogOffset): Moved {
    this.check(after);
    this.check(through);
    const { answered } = this;
    if (answered?.after === after && answered.through === through) return answered.moved;
    const moved = this.movedBetween(after, through);
    this.answered = isSmall(moved) ? { after, through, moved } : undefined;
    return moved;
  }

  /** The highest version behind `after` with no more than so many moves, and transactions, between; with one transaction at the least. */
  movesThrough(after: LogOffset, valuesMax: number): LogOffset {
    this.check(after);
    const first = this.countThrough(after);
    const behind = this.versions.slice(first, first + valuesMax);
    const moved = new Set<MemberNumber>();
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
   * Counts one more row of the transaction that is open.
   *
   * @param text as Postgres wrote it, of a row value its parts; null for NULL.
   * @throws {EvaluationError} for a text that cannot be cast; nothing is counted.
   */
  add(text: Key): MemberNumber {
    const member = text === null ? NULL_NUMBER : this.memberOf(text, this.keyOf(text));
    this.countMarks(member, 1);
    if (member >= VALUES_FROM && this.countRow(member, 1) === 1) this.held += 1;
    return member;
  }

  /** Counts one row less. */
  remove(member: MemberNumber): void {
    this.countMarks(member, -1);
    if (member >= VALUES_FROM && this.countRow(member, -1) === 0) this.held -= 1;
  }

  /** As it was written when it was first seen; null for NULL. */
  textAt(member: MemberNumber): Key {
    return member === NULL_NUMBER ? null : this.textOf(member);
  }

  /** @returns null for NULL. */
  valueAt(member: MemberNumber): Key {
    return member === NULL_NUMBER ? null : this.valueOf(member);
  }

  /** What is counted so far is the first version: nobody asks about anything before it. */
  begin(offset: LogOffset): void {
    this.last = offset;
    this.from = offset;
  }

  /** The open transaction has ended. @returns whether it moved anything. */
  commit(offset: LogOffset, xids: readonly Xid[]): boolean {
    const turned: MemberNumber[] = [];
    for (const [member, wasThere] of this.touched.take()) if (this.turn(member, wasThere, offset)) turned.push(member);
    if (turned.length === 0) return false;
    this.last = offset;
    const marks = turned.filter((member) => member < VALUES_FROM);
    const values = marks.length === 0 ? turned : turned.filter((member) => member >= VALUES_FROM);
    const version = { offset, xids, values, marks: marks.length === 0 ? NONE : marks };
    this.versions.push(version);
    this.kept += weightOf(version);
    return true;
  }

  /** Nobody asks about a version before `oldest` any more. */
  forgetBefore(oldest: LogOffset): void {
    const forgotten = this.versions.splice(0, this.countThrough(oldest));
    this.answered = undefined;
    const turned = new Set<MemberNumber>();
    for (const version of forgotten) {
      this.from = version.offset;
      this.kept -= weightOf(version);
      for (const member of [...version.values, ...version.marks]) turned.add(member);
    }
    for (const member of turned) this.forgetTurns(member);
  }

  /** Lets go of what is made again when it is asked for. */
  hibernate(): void {
    this.answered = undefined;
  }

  copy(): VersionedMembers {
    const copy = new VersionedMembers(this.form);
    copy.texts = this.texts.copy();
    copy.rows = this.rows.copy();
    copy.partial = this.partial?.copy();
    copy.touched = this.touched.copy();
    copy.turns = this.turns && new Map(Array.from(this.turns, ([member, turns]) => [member, [...turns]]));
    copy.versions = [...this.versions];
    copy.last = this.last;
    copy.from = this.from;
    copy.held = this.held;
    copy.kept = this.kept;
    return copy;
  }

  /** Numbers are not in it: which value has which is a matter of what was here before. */
  key(): unknown {
    const told = (member: MemberNumber) => [this.textOf(member), this.rows.get(member), this.isThere(member), this.turnsOf(member)];
    const marks = [ANY_NUMBER, NULL_NUMBER].filter((mark) => !this.isGone(mark)).map(told);
    const members = Array.from(this.texts.numbers(), (number) => told(VALUES_FROM + number)).sort();
    const versions = this.versions.map(({ offset, xids, values }) => [offset, xids, values.map((value) => this.textOf(value)).sort()]);
    const touched = Array.from(this.touched.all(), (member) => this.textOf(member)).sort();
    return [members, marks, versions, touched, this.last, this.from];
  }

  private movedBetween(after: LogOffset, through: LogOffset): Moved {
    const versions = this.versions.slice(this.countThrough(after), this.countThrough(through));
    const [movedIn, movedOut]: [MovedValue[], MovedValue[]] = [[], []];
    for (const member of new Set(versions.flatMap((version) => version.values))) {
      const [before, behind] = [this.isThereAt(member, after), this.isThereAt(member, through)];
      if (before !== behind) (behind ? movedIn : movedOut).push({ value: this.valueOf(member), text: this.textOf(member) });
    }
    const xids = new Set(versions.flatMap((version) => version.xids));
    return { movedIn: sorted(movedIn), movedOut: sorted(movedOut), xids: [...xids].sort((left, right) => left - right) };
  }

  private memberOf(text: string, key: string): MemberNumber {
    const { size } = this.texts;
    const number = this.texts.add(text, key);
    if (this.texts.size > size) this.partial?.add(number, rowParts(key));
    return VALUES_FROM + number;
  }

  /** A row value that has a NULL part is a value beside the mark. */
  private countMarks(member: MemberNumber, difference: 1 | -1): void {
    this.countRow(ANY_NUMBER, difference);
    const hasNull = member === NULL_NUMBER || (this.width > 1 && this.form.hasNullPart(this.textOf(member)));
    if (hasNull) this.countRow(NULL_NUMBER, difference);
  }

  private hasSome(pattern: Pattern, at: LogOffset): boolean {
    const { partial } = this;
    invariant(partial !== undefined, 'whoever looks row values up by some of their parts has said so');
    for (const number of partial.of(pattern)) {
      if (this.isThereAt(VALUES_FROM + number, at) && hasParts(rowParts(this.valueOf(VALUES_FROM + number)), pattern)) return true;
    }
    return false;
  }

  /** @returns how many rows have it now. */
  private countRow(member: MemberNumber, difference: 1 | -1): number {
    const rows = this.rows.get(member) + difference;
    invariant(rows >= 0, 'a value that goes was there');
    // What the snapshot counts is no move, and may be millions.
    if (this.last === BEFORE_ALL) this.rows.set(member, rows);
    else this.touch(member, rows);
    if (rows === 0) this.dropIfGone(member);
    return rows;
  }

  private touch(member: MemberNumber, rows: number): void {
    this.touched.add(member, this.rows.get(member) > 0);
    this.rows.set(member, rows);
  }

  private turn(member: MemberNumber, wasThere: boolean, offset: LogOffset): boolean {
    const isThere = this.rows.get(member) > 0;
    if (isThere === wasThere) {
      this.dropIfGone(member);
      return false;
    }
    this.turns ??= new Map();
    const turns = this.turns.get(member);
    if (isThere && turns === undefined && member >= VALUES_FROM) this.watch?.add(this.valueOf(member));
    if (turns === undefined) this.turns.set(member, [offset]);
    else turns.push(offset);
    return true;
  }

  /** Those up to the first version that is kept. */
  private forgetTurns(member: MemberNumber): void {
    const turns = this.turns?.get(member);
    turns?.splice(0, countThrough(turns.length, (index) => turns[index] ?? this.from, this.from));
    if (turns?.length === 0) this.turns?.delete(member);
    if (member >= VALUES_FROM && !this.mayBe(member)) this.watch?.remove(this.valueOf(member));
    this.dropIfGone(member);
  }

  /** Of one that the open transaction has counted rows of its end is yet to tell. */
  private dropIfGone(member: MemberNumber): void {
    if (member < VALUES_FROM || !this.isGone(member)) return;
    this.partial?.remove(member - VALUES_FROM);
    this.texts.delete(member - VALUES_FROM);
    if (this.texts.size === 0) this.partial = newPartial(this.form);
  }

  private isGone(member: MemberNumber): boolean {
    return this.rows.get(member) === 0 && !this.touched.has(member) && this.turns?.has(member) !== true;
  }

  private find(value: string): MemberNumber | undefined {
    if (isMark(value)) return MARKS.indexOf(value);
    const number = this.texts.numberOf(value);
    return number === undefined ? undefined : VALUES_FROM + number;
  }

  private textOf(member: MemberNumber): string {
    return MARKS[member] ?? this.texts.textOf(member - VALUES_FROM);
  }

  private valueOf(member: MemberNumber): string {
    return this.keyOf(this.textOf(member));
  }

  private keyOf(text: string): string {
    return this.form.valueOf(text);
  }

  private turnsOf(member: MemberNumber): readonly LogOffset[] {
    return this.turns?.get(member) ?? NONE;
  }

  /** Whether the last version has it. Before the first one is, nothing is there. */
  private isThere(member: MemberNumber): boolean {
    return this.last !== BEFORE_ALL && (this.touched.wasThere(member) ?? this.rows.get(member) > 0);
  }

  private mayBe(member: MemberNumber): boolean {
    return this.isThere(member) || this.turns?.has(member) === true;
  }

  private isThereAt(member: MemberNumber, at: LogOffset): boolean {
    const turns = this.turnsOf(member);
    const behind = turns.length - countThrough(turns.length, (index) => turns[index] ?? at, at);
    return this.isThere(member) === (behind % 2 === 0);
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

function isSmall({ movedIn, movedOut }: Moved): boolean {
  if (movedIn.length + movedOut.length > ANSWERED_VALUES_MAX) return false;
  return charactersOf(movedIn) + charactersOf(movedOut) <= ANSWERED_CHARACTERS_MAX;
}

function charactersOf(values: readonly MovedValue[]): number {
  return values.reduce((sum, { value, text }) => sum + value.length + text.length, 0);
}

function newPartial({ width, isByParts }: MemberForm): PartialMembers | undefined {
  return isByParts ? new PartialMembers(width) : undefined;
}

function weightOf({ values }: Version): number {
  return Math.max(1, values.length);
}

function sorted(values: MovedValue[]): readonly MovedValue[] {
  return values.sort((left, right) => (left.value < right.value ? -1 : 1));
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
