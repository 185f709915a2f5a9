/**
 * LinkValues: the values that a column has in the rows of a shape, or row values of several columns, by version. A Materializer's
 * table; who depends on the values asks here, each at the version that is its view.
 *
 * A row may have a value that cannot be cast to what is compared: an error in Postgres, for whoever asks. Its row is kept without a value,
 * for it may be gone before anybody asks; the values are no good once a transaction has ended that leaves one.
 *
 * A change that is applied twice, or on a row that is not there, is a bug that would sooner or later lose somebody's
 * rows: it crashes the owner. Of a table with partitions there may be such a change: rows came or went with a partition, of which no
 * line tells (see docs/partitioned-tables.md). Then the values are no good, and neither is the shape.
 *
 * Within a transaction a value may come and go many times; only what is left of it at the commit is a move, at most one per value. A
 * block may end inside a transaction: that is no version.
 *
 * NULL is no value, but it matters to `NOT IN` whether some row has it, and whether there is a row at all: that has versions too.
 */
import type { Fork } from '../base/fork.ts';
import { invariant } from '../base/invariant.ts';
import { comparePlaces, isSamePlace, LOG_BEGIN, type EntryPlace, type EntryRange } from '../model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, isInSnapshot, SNAPSHOT_END, type LogOffset } from '../model/log-offset.ts';
import type { PlacedRow } from '../model/row-values.ts';
import type { Handle } from '../model/shape.ts';
import type { Message, Table } from '../otp/process.ts';
import type { Moved, VersionedValues } from '../shapes/versioned-values.ts';
import { EvaluationError } from '../sql/evaluation-error.ts';
import type { Key } from '../sql/where.ts';
import { FailedRows } from './failed-rows.ts';
import { KeyedRows, type RowNumber } from './keyed-rows.ts';
import type { MaterializerPorts } from './materializer-ports.ts';
import { MemberForm } from './member-form.ts';
import { VersionedMembers, type MemberNumber, type Turned } from './versioned-members.ts';

export type LinkValuesChange =
  /** Applies a block that was read. */
  | { readonly block: EntryRange }
  /** History is applied: there must not be too many values any more, and the service's index says from now on what there may be here. */
  | 'list';

/** The values are no good after `areTooMany`. */
export type LinkValuesTold =
  /** `moved`: whether some transaction that ended in the block moved anything. */
  | {
      readonly type: 'values.applied';
      readonly place: EntryPlace;
      readonly version: LogOffset;
      readonly moved: boolean;
      /** For these dependants more moves are kept than may be. Left out where there are none. */
      readonly overdue?: readonly Handle[];
    }
  | { readonly type: 'values.areTooMany'; readonly what: 'values' | 'rows' | 'bytes'; readonly max: number }
  | { readonly type: 'values.haveFailed'; readonly code: string; readonly message: string }
  /** The log tells what cannot be of the rows that there are: they came or went with partitions of the shape's table. */
  | { readonly type: 'values.haveTurned' };

/** Of a row whose value cannot be cast: the number of no member. */
const FAILED: MemberNumber = 0xffff_ffff;

export interface LinkValuesBounds {
  readonly valuesMax: number;
  /** The same while history is read: the snapshot and what came behind it may tell of many that have gone since. */
  readonly historyValuesMax: number;
  /** Rows of the shape that differ by their key, whatever their values: each is kept. */
  readonly rowsMax: number;
  /** That all keys and values take, also those that cannot be cast. */
  readonly bytesMax: number;
  /** Of a column with more values none is listed in the index by which changes are routed: it asks here. */
  readonly listedMax: number;
  /** So many moves are kept without a look at who may need them. */
  readonly keptMovesMin: number;
  /** For whoever needs more the others do not pay. */
  readonly keptMovesMax: number;
}

/**
 * A row and its value are some 70 bytes outside of the heap, besides the characters of both. A move that is a transaction of its own
 * is some 370 bytes, so the moves are 190 MB.
 */
const MOVE_BYTES = 370;
const BOUNDS: LinkValuesBounds = {
  valuesMax: 5_000_000,
  historyValuesMax: 10_000_000,
  rowsMax: 10_000_000,
  bytesMax: 2 ** 31,
  listedMax: 10_000,
  keptMovesMin: 1_024,
  keptMovesMax: 500_000,
};

export class LinkValues implements Table<LinkValuesChange>, VersionedValues {
  private rows = new KeyedRows();
  private failed = new FailedRows();
  private members: VersionedMembers;
  private applied = LOG_BEGIN;
  /** How the service's index knows what there may be: not yet, by each value, or by asking here. */
  private listing: 'not yet' | 'each' | 'asked' = 'not yet';
  private readonly bounds: LinkValuesBounds;
  /** With so many moves it is asked again how far back somebody looks. */
  private forgetAt: number;

  /** @param form of its values, which lie in the log as Postgres wrote them. */
  constructor(
    private readonly column: string,
    private readonly ports: MaterializerPorts,
    private readonly form = new MemberForm(),
    bounds: Partial<LinkValuesBounds> = {},
  ) {
    this.bounds = { ...BOUNDS, ...bounds };
    this.members = new VersionedMembers(form);
    this.forgetAt = this.bounds.keptMovesMin;
  }

  /** What the bounds count, and the moves that are kept. */
  get heldBytes(): number {
    return this.rows.bytes + this.members.bytes + this.failed.bytes + MOVE_BYTES * this.members.keptMoves;
  }

  /** How many columns a value is of. */
  get width(): number {
    return this.members.width;
  }

  /** Everything up to here is in the values. */
  get place(): EntryPlace {
    return this.applied;
  }

  /** The last version. Before everything, while the snapshot is being read. */
  get offset(): LogOffset {
    return this.members.offset;
  }

  /** The first version that can be asked about; `offset` is the last. */
  get keptFrom(): LogOffset {
    return this.members.keptFrom;
  }

  /**
   * How many rows have each value, NULL among them, without those of which it cannot be cast. A transaction of which the last block is
   * yet to come is in part in it.
   */
  get counts(): ReadonlyMap<string | null, number> {
    const counts = new Map<string | null, number>();
    for (const [, row, count] of this.rows.all()) {
      const member = this.rows.memberOf(row);
      if (member === FAILED) continue;
      const value = this.members.valueAt(member);
      counts.set(value, (counts.get(value) ?? 0) + count);
    }
    return counts;
  }

  /** @param value or a mark of a membership. */
  has(value: string, at: LogOffset): boolean {
    return this.members.has(value, at);
  }

  /** Of a value, when it last came or went; undefined where that is not kept, and for a mark. */
  lastTurn(value: string): Turned | undefined {
    return this.members.lastTurn(value);
  }

  /** Now or at any version that is kept. */
  mayHave(value: string): boolean {
    return this.members.mayHave(value);
  }

  /** As Postgres wrote each when it was first seen, in no particular order. May be walked in steps for as long as the version is kept. */
  textsAt(at: LogOffset): Iterable<string> {
    return this.members.textsAt(at);
  }

  movesBetween(after: LogOffset, through: LogOffset): Moved {
    return this.members.movesBetween(after, through);
  }

  /** The highest version behind `after` with no more than so many moves, and transactions, between; with one transaction at the least. */
  movesThrough(after: LogOffset, valuesMax: number): LogOffset {
    return this.members.movesThrough(after, valuesMax);
  }

  apply(change: LinkValuesChange): Message | undefined {
    if (change === 'list') return this.list();
    const { block } = change;
    invariant(isSamePlace(block.after, this.applied), 'a block begins where the last one ended');
    invariant(comparePlaces(block.through, block.after) > 0, 'every applied place lies beyond the last');
    return this.applyBlock(block);
  }

  clone(fork: Fork): LinkValues {
    const copy = new LinkValues(this.column, this.ports.clone(fork), this.form, this.bounds);
    copy.rows = this.rows.copy();
    copy.failed = this.failed.copy();
    copy.members = this.members.copy();
    copy.listing = this.listing;
    if (this.listing === 'each') copy.members.watch = copy.ports.listing;
    if (this.listing === 'asked') copy.beAsked([]);
    copy.applied = this.applied;
    copy.forgetAt = this.forgetAt;
    return copy;
  }

  key(): string {
    const { offset, bytes } = this.applied;
    const told = (row: RowNumber) => this.failed.textOf(row) ?? this.members.valueAt(this.rows.memberOf(row));
    const rows = Array.from(this.rows.all(), ([key, row, count]) => [key, this.rows.memberOf(row) === FAILED, told(row), count]).sort();
    return JSON.stringify([offset, bytes, rows, this.members.key(), this.listing, this.forgetAt]);
  }

  hibernate(): void {
    this.members.hibernate();
  }

  close(): void {
    this.ports.close();
    if (this.listing !== 'not yet') this.ports.listing.end(this.listing === 'each' ? this.members.all() : []);
  }

  private list(): LinkValuesTold | undefined {
    invariant(this.listing === 'not yet', 'values are listed once');
    const { members, ports, bounds: { valuesMax, listedMax } } = this;
    if (members.count > valuesMax) return tooMany('values', valuesMax);
    if (this.failed.size > 0) return this.failure();
    const areMany = members.count > listedMax;
    ports.listing.begin(areMany ? [] : members.all());
    if (areMany) this.beAsked([]);
    else {
      members.watch = ports.listing;
      this.listing = 'each';
    }
    return undefined;
  }

  /** @param listed those that are. */
  private beAsked(listed: Iterable<string>): void {
    this.members.watch = undefined;
    this.ports.listing.beAsked((value) => this.members.mayHave(value), listed);
    this.listing = 'asked';
  }

  private applyBlock(block: EntryRange): LinkValuesTold {
    const { rowsMax, bytesMax, listedMax } = this.bounds;
    const valuesMax = this.listing === 'not yet' ? this.bounds.historyValuesMax : this.bounds.valuesMax;
    let moved = false;
    for (const row of this.ports.take(block)) {
      const known = this.rows.find(row.key);
      if (this.hasTurned(row, known)) return { type: 'values.haveTurned' };
      moved = this.applyRow(row, known) || moved;
      // Within a transaction there may be more, which go again before it ends. Of a snapshot nothing goes.
      if (this.members.count > valuesMax && (row.isLast || isInSnapshot(row.offset))) return tooMany('values', valuesMax);
      // At once: rows that go again before the transaction ends take their memory all the same.
      if (this.rows.size > rowsMax) return tooMany('rows', rowsMax);
      if (this.rows.bytes + this.members.bytes + this.failed.bytes > bytesMax) return tooMany('bytes', bytesMax);
      if (this.listing !== 'not yet' && row.isLast && this.failed.size > 0) return this.failure();
    }
    if (this.listing === 'each' && this.members.count > listedMax) this.beAsked(this.members.all());
    this.applied = block.through;
    if (compareOffsets(block.through.offset, SNAPSHOT_END) >= 0) this.endSnapshot();
    const overdue = this.forgetIfDue();
    return { type: 'values.applied', place: block.through, version: this.offset, moved, ...(overdue.length === 0 ? {} : { overdue }) };
  }

  /** Whether a row that there is comes, or one that there is not changes. Of a table without partitions that is a bug of ours. */
  private hasTurned({ key, operation }: PlacedRow, known: RowNumber | undefined): boolean {
    const { hasPrimaryKey } = this.ports;
    if (operation === 'insert' ? known === undefined || !hasPrimaryKey : known !== undefined) return false;
    const isExplained = this.ports.isPartitioned();
    invariant(isExplained || operation !== 'insert', `a row is inserted once: key ${key} already exists`);
    invariant(isExplained, `a row that changes is known: key ${key} does not exist`);
    return true;
  }

  /**
   * @param known the row of that key, if there is one.
   * @returns whether a transaction ended that moved something.
   */
  private applyRow({ key, value, operation, offset, isLast, xids }: PlacedRow, known: RowNumber | undefined): boolean {
    if (!isInSnapshot(offset)) this.endSnapshot();
    if (operation === 'insert') this.insert(key, value, known);
    else if (known !== undefined) {
      if (operation === 'update') this.update(known, value);
      else this.delete(known);
    }
    return isLast && this.members.commit(offset, xids);
  }

  private endSnapshot(): void {
    if (this.members.offset === BEFORE_ALL) this.members.begin(SNAPSHOT_END);
  }

  private insert(key: string, told: PlacedRow['value'], twin: RowNumber | undefined): void {
    const text = this.form.textOf(told, () => this.untold());
    if (text === undefined) this.untold();
    if (twin !== undefined) this.checkAlike(twin, text);
    this.setText(this.rows.add(key), text);
  }

  private untold(): never {
    invariant(false, `a new row tells its column ${this.column}`);
  }

  private update(row: RowNumber, told: PlacedRow['value']): void {
    const text = this.form.textOf(told, () => this.textOf(row));
    if (text === undefined) return;
    if (this.rows.hasTwins(row)) this.checkAlike(row, text);
    this.uncount(row);
    this.failed.delete(row);
    this.setText(row, text);
  }

  private delete(row: RowNumber): void {
    this.uncount(row);
    if (this.rows.delete(row)) this.failed.delete(row);
  }

  /** A value that cannot be cast is noted, and is none. */
  private setText(row: RowNumber, text: Key): void {
    try {
      this.rows.set(row, this.members.add(text));
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      invariant(text !== null, 'NULL can be cast to each type');
      this.rows.set(row, FAILED);
      this.failed.delete(row); // It has a twin.
      this.failed.add(row, text);
    }
  }

  private uncount(row: RowNumber): void {
    const member = this.rows.memberOf(row);
    if (member !== FAILED) this.members.remove(member);
  }

  private checkAlike(row: RowNumber, text: Key): void {
    const before = this.textOf(row);
    const isAlike = before === text || (before !== null && text !== null && this.form.valueOf(before) === this.form.valueOf(text));
    invariant(isAlike, 'rows that are named alike have one value');
  }

  private textOf(row: RowNumber): Key {
    return this.failed.textOf(row) ?? this.members.textAt(this.rows.memberOf(row));
  }

  /** Of any of the rows: Postgres tells the one that it meets first. */
  private failure(): LinkValuesTold {
    try {
      this.form.valueOf(this.failed.firstText());
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      return { type: 'values.haveFailed', code: error.code, message: error.message };
    }
    invariant(false, 'a text that could not be cast never can be');
  }

  /** Asked each time that what is kept has doubled: who depends on the values may be many. @returns those for whom it is too much. */
  private forgetIfDue(): readonly Handle[] {
    const { members, ports, bounds: { keptMovesMin, keptMovesMax } } = this;
    if (members.keptMoves < this.forgetAt) return [];
    members.forgetBefore(ports.oldestView() ?? members.offset);
    const isTooMuch = members.keptMoves > keptMovesMax;
    // Those who must end need some time for it, or come too late to hear of it.
    const doubled = Math.min(Math.max(keptMovesMin, 2 * members.keptMoves), keptMovesMax + 1);
    this.forgetAt = isTooMuch ? members.keptMoves + keptMovesMin : doubled;
    return isTooMuch ? ports.dependantsBefore(members.versionWithin(keptMovesMax)) : [];
  }
}

function tooMany(what: 'values' | 'rows' | 'bytes', max: number): LinkValuesTold {
  return { type: 'values.areTooMany', what, max };
}
