/**
 * LinkValues: the values that a column has in the rows of a shape, or row values of several columns, by version. A Materializer's
 * table; who depends on the values asks here, each at the version that is its view.
 *
 * A change that is applied twice, or on a row that is not there, is a bug that would sooner or later lose somebody's
 * rows: it crashes the owner. Within a transaction a value may come and go many times; only what is left of it at the
 * commit is a move, at most one per value. A block may end inside a transaction: that is no version.
 *
 * NULL is no value, but it matters to `NOT IN` whether some row has it, and whether there is a row at all: that has versions too.
 *
 * Rows of a table without a primary key are named by all their columns, so rows that are alike have one name: they are counted.
 *
 * A row may have a value that cannot be cast to what is compared: an error in Postgres, for whoever asks. Its row is kept without a value,
 * for it may be gone before anybody asks; the values are no good once a transaction has ended that leaves one.
 */
import type { Fork } from '../base/fork.ts';
import { invariant } from '../base/invariant.ts';
import { comparePlaces, isSamePlace, LOG_BEGIN, type EntryPlace, type EntryRange } from '../model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, isInSnapshot, SNAPSHOT_END, type LogOffset } from '../model/log-offset.ts';
import type { PlacedRow } from '../model/row-values.ts';
import type { Handle } from '../model/shape.ts';
import type { Message, Table } from '../otp/process.ts';
import type { Moved, MovedValue, VersionedValues } from '../shapes/versioned-values.ts';
import { EvaluationError } from '../sql/evaluation-error.ts';
import type { Key } from '../sql/where.ts';
import type { MaterializerPorts } from './materializer-ports.ts';
import { MemberForm, type Member } from './member-form.ts';
import { VersionedMembers } from './versioned-members.ts';

export type LinkValuesChange =
  /** Applies a block that was read. */
  | { readonly block: EntryRange }
  /** History is applied: there must not be too many values any more, and the service's index says from now on what there may be here. */
  | 'list';

/** The values are no good after `areTooMany` and `haveFailed`. */
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
  | { readonly type: 'values.areTooMany'; readonly what: 'values' | 'rows'; readonly max: number }
  | { readonly type: 'values.haveFailed'; readonly code: string; readonly message: string };

/** A row whose value cannot be cast. */
interface FailedRow {
  readonly text: Key;
  readonly error: EvaluationError;
}

/** Stands for the value of such a row. */
const FAILED = '\0failed';

export interface LinkValuesBounds {
  readonly valuesMax: number;
  /** The same while history is read: the snapshot and what came behind it may tell of many that have gone since. */
  readonly historyValuesMax: number;
  /** Rows of the shape that differ by their key, whatever their values: each is kept. */
  readonly rowsMax: number;
  /** So many moves are kept without a look at who may need them. */
  readonly keptMovesMin: number;
  /** For whoever needs more the others do not pay. */
  readonly keptMovesMax: number;
}

/**
 * Rows by memory: one is some 170 bytes where its key has a UUID, so these are 850 MB. One map could hold sixteen million and no more.
 * Moves likewise: one that is a transaction of its own is some 370 bytes, so these are 190 MB.
 */
const BOUNDS: LinkValuesBounds = {
  valuesMax: 100_000,
  historyValuesMax: 1_000_000,
  rowsMax: 5_000_000,
  keptMovesMin: 1_024,
  keptMovesMax: 500_000,
};

export class LinkValues implements Table<LinkValuesChange>, VersionedValues {
  private readonly rows = new Map<string, string | null>();
  private readonly failed = new Map<string, FailedRow>();
  /** Of a key that several rows have, how many there are besides the first. */
  private readonly twins = new Map<string, number>();
  private members: VersionedMembers;
  private applied = LOG_BEGIN;
  private readonly bounds: LinkValuesBounds;
  /** With so many moves it is asked again how far back somebody looks. */
  private forgetAt: number;

  /** @param form of its values, which lie in the log as Postgres wrote them. */
  constructor(
    private readonly column: string,
    private readonly ports: MaterializerPorts,
    private readonly form = new MemberForm([(text: string) => text]),
    bounds: Partial<LinkValuesBounds> = {},
  ) {
    this.members = new VersionedMembers(form.width);
    this.bounds = { ...BOUNDS, ...bounds };
    this.forgetAt = this.bounds.keptMovesMin;
  }

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

  /** How many rows have each value, NULL among them. A transaction of which the last block is yet to come is in part in it. */
  get counts(): ReadonlyMap<string | null, number> {
    const counts = new Map<string | null, number>();
    for (const [key, value] of this.rows) counts.set(value, (counts.get(value) ?? 0) + 1 + this.twinsOf(key));
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

  /** In no particular order. */
  valuesAt(at: LogOffset): readonly MovedValue[] {
    return this.members.valuesAt(at);
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
    for (const [key, value] of this.rows) copy.rows.set(key, value);
    for (const [key, row] of this.failed) copy.failed.set(key, row);
    for (const [key, count] of this.twins) copy.twins.set(key, count);
    copy.members = this.members.copy();
    if (this.members.watch !== undefined) copy.members.watch = copy.ports.listing;
    copy.applied = this.applied;
    copy.forgetAt = this.forgetAt;
    return copy;
  }

  key(): string {
    const { offset, bytes } = this.applied;
    const rows = Array.from(this.rows, ([key, value]) => [key, value, this.failed.get(key)?.text ?? null]).sort();
    return JSON.stringify([offset, bytes, rows, [...this.twins].sort(), this.members.key(), this.isListed, this.forgetAt]);
  }

  close(): void {
    this.ports.close();
    if (this.isListed) this.ports.listing.end(this.members.all());
  }

  private get isListed(): boolean {
    return this.members.watch !== undefined;
  }

  private list(): LinkValuesTold | undefined {
    invariant(!this.isListed, 'values are listed once');
    const { valuesMax } = this.bounds;
    if (this.members.count > valuesMax) return tooMany('values', valuesMax);
    if (this.failed.size > 0) return this.failure();
    this.ports.listing.begin(this.members.all());
    this.members.watch = this.ports.listing;
    return undefined;
  }

  private applyBlock(block: EntryRange): LinkValuesTold {
    const { rowsMax } = this.bounds;
    const valuesMax = this.isListed ? this.bounds.valuesMax : this.bounds.historyValuesMax;
    let moved = false;
    for (const row of this.ports.take(block)) {
      moved = this.applyRow(row) || moved;
      // Within a transaction there may be more, which go again before it ends. Of a snapshot nothing goes.
      if (this.members.count > valuesMax && (row.isLast || isInSnapshot(row.offset))) return tooMany('values', valuesMax);
      // At once: rows that go again before the transaction ends take their memory all the same.
      if (this.rows.size > rowsMax) return tooMany('rows', rowsMax);
      if (this.isListed && row.isLast && this.failed.size > 0) return this.failure();
    }
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
    const text = this.form.textOf(told, () => this.untold());
    if (text === undefined) this.untold();
    if (this.rows.has(key)) this.noteTwin(key);
    this.setRow(key, text);
  }

  private untold(): never {
    invariant(false, `a new row tells its column ${this.column}`);
  }

  private noteTwin(key: string): void {
    invariant(!this.ports.hasPrimaryKey, `a row is inserted once: key ${key} already exists`);
    this.twins.set(key, this.twinsOf(key) + 1);
  }

  private twinsOf(key: string): number {
    return this.twins.get(key) ?? 0;
  }

  private update(key: string, told: PlacedRow['value']): void {
    const old = this.valueOf(key);
    const text = this.form.textOf(told, () => this.textOf(key, old));
    if (text === undefined) return;
    this.uncount(old);
    this.failed.delete(key);
    this.setRow(key, text);
  }

  private delete(key: string): void {
    const old = this.valueOf(key);
    const twins = this.twinsOf(key);
    if (twins === 0) this.forget(key);
    else if (twins === 1) this.twins.delete(key);
    else this.twins.set(key, twins - 1);
    this.uncount(old);
  }

  private forget(key: string): void {
    this.rows.delete(key);
    this.failed.delete(key);
  }

  private setRow(key: string, text: Key): void {
    const member = this.memberOf(key, text);
    this.rows.set(key, member === undefined ? FAILED : member.value);
    if (member !== undefined) this.members.countRow(member.value, member.text, 1, member.hasNull);
  }

  /** @returns undefined, with the row noted, where its value cannot be cast. */
  private memberOf(key: string, text: Key): Member | undefined {
    try {
      return this.form.memberOf(text);
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      this.failed.set(key, { text, error });
      return undefined;
    }
  }

  private uncount(value: Key): void {
    if (value !== FAILED) this.members.countRow(value, value ?? '', -1, this.form.hasNull(value));
  }

  private textOf(key: string, value: Key): Key {
    return this.failed.get(key)?.text ?? (value === null ? null : this.members.textOf(value));
  }

  /** Of any of the rows: Postgres tells the one that it meets first. */
  private failure(): LinkValuesTold {
    const [row] = this.failed.values();
    invariant(row !== undefined, 'a row has failed');
    return { type: 'values.haveFailed', code: row.error.code, message: row.error.message };
  }

  private valueOf(key: string): string | null {
    const value = this.rows.get(key);
    invariant(value !== undefined, `a row that changes is known: key ${key} does not exist`);
    return value;
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

function tooMany(what: 'values' | 'rows', max: number): LinkValuesTold {
  return { type: 'values.areTooMany', what, max };
}
