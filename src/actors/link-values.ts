/**
 * LinkValues: the values that one column has in the rows of a shape, by version. A Materializer's table; who depends on the
 * values asks here, each at the version that is its view.
 *
 * A change that is applied twice, or on a row that is not there, is a bug that would sooner or later lose somebody's
 * rows: it crashes the owner. Within a transaction a value may come and go many times; only what is left of it at the
 * commit is a move, at most one per value. A block may end inside a transaction: that is no version.
 *
 * NULL is no value, but it matters to `NOT IN` whether some row has it, and whether there is a row at all: that has versions too.
 *
 * Rows of a table without a primary key are named by all their columns, so rows that are alike have one name: they are counted.
 */
import type { Fork } from '../base/fork.ts';
import { invariant } from '../base/invariant.ts';
import { comparePlaces, isSamePlace, LOG_BEGIN, type EntryPlace, type EntryRange } from '../model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, isInSnapshot, SNAPSHOT_END, type LogOffset } from '../model/log-offset.ts';
import type { PlacedRow } from '../model/row-values.ts';
import type { Handle } from '../model/shape.ts';
import type { Message, Table } from '../otp/process.ts';
import type { Moved, VersionedValues } from '../shapes/versioned-values.ts';
import { NULL_MEMBER } from '../sql/subqueries/membership.ts';
import type { MaterializerPorts } from './materializer-ports.ts';
import { KeyedRows, type RowNumber } from './keyed-rows.ts';
import { VersionedMembers } from './versioned-members.ts';

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
  | { readonly type: 'values.areTooMany'; readonly what: 'values' | 'rows' | 'bytes'; readonly max: number };

export interface LinkValuesBounds {
  readonly valuesMax: number;
  /** The same while history is read: the snapshot and what came behind it may tell of many that have gone since. */
  readonly historyValuesMax: number;
  /** Rows of the shape that differ by their key, whatever their values: each is kept. */
  readonly rowsMax: number;
  /** That all keys and values take. */
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
  private members: VersionedMembers;
  private applied = LOG_BEGIN;
  /** How the service's index knows what there may be: not yet, by each value, or by asking here. */
  private listing: 'not yet' | 'each' | 'asked' = 'not yet';
  private readonly bounds: LinkValuesBounds;
  /** With so many moves it is asked again how far back somebody looks. */
  private forgetAt: number;

  /** @param equalText gives one text for all texts of equal values; they lie in the log as Postgres wrote them. */
  constructor(
    private readonly column: string,
    private readonly ports: MaterializerPorts,
    private readonly equalText?: (text: string) => string,
    bounds: Partial<LinkValuesBounds> = {},
  ) {
    this.bounds = { ...BOUNDS, ...bounds };
    this.members = new VersionedMembers(equalText);
    this.forgetAt = this.bounds.keptMovesMin;
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

  /** How many rows have each value, NULL among them. A transaction of which the last block is yet to come is in part in it. */
  get counts(): ReadonlyMap<string | null, number> {
    const counts = new Map<string | null, number>();
    for (const [, member, count] of this.rows.all()) {
      const value = this.members.valueAt(member);
      counts.set(value, (counts.get(value) ?? 0) + count);
    }
    return counts;
  }

  /** @param value or a mark of a membership. */
  has(value: string, at: LogOffset): boolean {
    return this.members.has(value, at);
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
    const copy = new LinkValues(this.column, this.ports.clone(fork), this.equalText, this.bounds);
    copy.rows = this.rows.copy();
    copy.members = this.members.copy();
    copy.listing = this.listing;
    if (this.listing === 'each') copy.members.watch = copy.ports.listing;
    copy.applied = this.applied;
    copy.forgetAt = this.forgetAt;
    return copy;
  }

  key(): string {
    const { offset, bytes } = this.applied;
    const rows = Array.from(this.rows.all(), ([key, member, count]) => [key, this.members.valueAt(member), count]).sort();
    return JSON.stringify([offset, bytes, rows, this.members.key(), this.listing, this.forgetAt]);
  }

  close(): void {
    this.ports.close();
    if (this.listing !== 'not yet') this.ports.listing.end(this.listing === 'each' ? this.members.all() : []);
  }

  private list(): LinkValuesTold | undefined {
    invariant(this.listing === 'not yet', 'values are listed once');
    const { members, ports, bounds: { valuesMax, listedMax } } = this;
    if (members.count > valuesMax) return tooMany('values', valuesMax);
    if (members.count > listedMax) this.beAsked([]);
    else {
      ports.listing.begin(members.all());
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
      moved = this.applyRow(row) || moved;
      // Within a transaction there may be more, which go again before it ends. Of a snapshot nothing goes.
      if (this.members.count > valuesMax && (row.isLast || isInSnapshot(row.offset))) return tooMany('values', valuesMax);
      // At once: rows that go again before the transaction ends take their memory all the same.
      if (this.rows.size > rowsMax) return tooMany('rows', rowsMax);
      if (this.rows.bytes + this.members.bytes > bytesMax) return tooMany('bytes', bytesMax);
    }
    if (this.listing === 'each' && this.members.count > listedMax) this.beAsked(this.members.all());
    this.applied = block.through;
    if (compareOffsets(block.through.offset, SNAPSHOT_END) >= 0) this.endSnapshot();
    const overdue = this.forgetIfDue();
    return { type: 'values.applied', place: block.through, version: this.offset, moved, ...(overdue.length === 0 ? {} : { overdue }) };
  }

  /** @returns whether a transaction ended that moved something. */
  private applyRow(row: PlacedRow): boolean {
    const { key, value, operation, offset, isLast, xids } = row;
    if (!isInSnapshot(offset)) this.endSnapshot();
    if (operation === 'insert') this.insert(key, value);
    if (operation === 'update') this.update(key, value);
    if (operation === 'delete') this.delete(key);
    return isLast && this.members.commit(offset, xids);
  }

  private endSnapshot(): void {
    if (this.members.offset === BEFORE_ALL) this.members.begin(SNAPSHOT_END);
  }

  private insert(key: string, told: PlacedRow['value']): void {
    invariant(told !== undefined, `a new row tells its column ${this.column}`);
    const twin = this.rows.find(key);
    invariant(twin === undefined || !this.ports.hasPrimaryKey, `a row is inserted once: key ${key} already exists`);
    if (twin !== undefined) this.checkAlike(twin, told);
    this.rows.add(key, this.members.add(told));
  }

  private update(key: string, told: PlacedRow['value']): void {
    const row = this.rowOf(key);
    if (told === undefined) return;
    if (this.rows.hasTwins(row)) this.checkAlike(row, told);
    this.members.remove(this.rows.memberOf(row));
    this.rows.set(row, this.members.add(told));
  }

  private delete(key: string): void {
    const row = this.rowOf(key);
    this.members.remove(this.rows.memberOf(row));
    this.rows.delete(row);
  }

  private checkAlike(row: RowNumber, told: string | null): void {
    invariant(this.members.find(told ?? NULL_MEMBER) === this.rows.memberOf(row), 'rows that are named alike have one value');
  }

  private rowOf(key: string): RowNumber {
    const row = this.rows.find(key);
    invariant(row !== undefined, `a row that changes is known: key ${key} does not exist`);
    return row;
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
