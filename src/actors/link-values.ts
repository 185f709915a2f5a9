/**
 * LinkValues: the values that one column has in the rows of a shape, each with the number of its rows. A
 * Materializer's table; who depends on the values reads them here.
 *
 * A change that is applied twice, or on a row that is not there, is a bug that would sooner or later lose somebody's
 * rows: it crashes the owner. Within a transaction a value may come and go many times; only what is left of it at the
 * commit is a move, at most one per value.
 */
import type { Fork } from '../base/fork.ts';
import { invariant } from '../base/invariant.ts';
import { comparePlaces, isSamePlace, LOG_BEGIN, type EntryPlace, type EntryRange } from '../model/log-entry.ts';
import { isInSnapshot, type LogOffset } from '../model/log-offset.ts';
import type { Xid } from '../model/pg-snapshot.ts';
import type { PlacedRow } from '../model/row-values.ts';
import type { Handle } from '../model/shape.ts';
import type { Message, Table } from '../otp/process.ts';
import type { HistoryBlocks } from './materializer-ports.ts';

/** A text of the column, the same for equal values; null for NULL, which counts like any other value. */
export type LinkValue = string | null;

/** What one transaction did to the set of values. */
export interface Moves {
  /** Of the transaction's last row in the shape's log. */
  readonly offset: LogOffset;
  readonly xids: readonly Xid[];
  readonly movedIn: readonly LinkValue[];
  readonly movedOut: readonly LinkValue[];
}

export type LinkValuesChange =
  /** Applies a block that was read; `keepMoves` while somebody depends on the values. */
  | { readonly block: EntryRange; readonly keepMoves: boolean }
  /** Every dependant has taken the moves kept so far. */
  | 'forgetMoves';

export type LinkValuesTold = { readonly type: 'values.applied'; readonly place: EntryPlace };

export class LinkValues implements Table<LinkValuesChange> {
  private readonly handle: Handle;
  private readonly column: string;
  private readonly blocks: HistoryBlocks;
  private readonly equalText: (text: string) => string;
  private readonly rows = new Map<string, LinkValue>();
  private readonly counts = new Map<LinkValue, number>();
  private readonly open = new OpenTransaction();
  private kept: Moves[] = [];
  private applied = LOG_BEGIN;

  /** @param equalText gives one text for all texts of equal values; they lie in the log as Postgres wrote them. */
  constructor(handle: Handle, column: string, blocks: HistoryBlocks, equalText = (text: string) => text) {
    this.handle = handle;
    this.column = column;
    this.blocks = blocks;
    this.equalText = equalText;
  }

  /** Everything up to here is in the values. */
  get place(): EntryPlace {
    return this.applied;
  }

  /**
   * The values as the last transaction left them: what a dependant begins with. A block may end inside a transaction, and
   * the moves that follow say only what that one changed from its beginning to its end.
   */
  get committed(): ReadonlySet<LinkValue> {
    return this.open.before(this.counts);
  }

  /** How many rows have each value; never zero. A transaction of which the last block is yet to come is in part in it. */
  get values(): ReadonlyMap<LinkValue, number> {
    return this.counts;
  }

  /** What the transactions did since the dependants were last told, oldest first. */
  get moves(): readonly Moves[] {
    return this.kept;
  }

  apply(change: LinkValuesChange): Message | undefined {
    if (change !== 'forgetMoves') return this.applyBlock(change.block, change.keepMoves);
    this.kept = [];
    return undefined;
  }

  clone(fork: Fork): LinkValues {
    const copy = new LinkValues(this.handle, this.column, this.blocks.clone(fork), this.equalText);
    for (const [key, value] of this.rows) copy.rows.set(key, value);
    for (const [value, count] of this.counts) copy.counts.set(value, count);
    copy.open.copy(this.open);
    copy.kept = [...this.kept];
    copy.applied = this.applied;
    return copy;
  }

  key(): string {
    return JSON.stringify([this.applied.offset, this.applied.bytes, [...this.rows].sort(), this.open.key(), this.kept]);
  }

  private applyBlock(block: EntryRange, keepMoves: boolean): LinkValuesTold {
    invariant(isSamePlace(block.after, this.applied), 'a block begins where the last one ended');
    invariant(comparePlaces(block.through, block.after) > 0, 'every applied place lies beyond the last');
    for (const row of this.blocks.take(this.handle, this.column, block)) this.applyRow(row, keepMoves);
    this.applied = block.through;
    return { type: 'values.applied', place: block.through };
  }

  private applyRow(row: PlacedRow, keepMoves: boolean): void {
    const { key, value, operation } = row;
    if (operation === 'insert') this.insert(key, this.valueIn(value));
    if (operation === 'update') this.update(key, value);
    if (operation === 'delete') this.delete(key);
    this.open.note(row);
    if (isInSnapshot(row.offset) || row.isLast) this.commit(keepMoves);
  }

  private insert(key: string, value: LinkValue): void {
    invariant(!this.rows.has(key), `a row is inserted once: key ${key} already exists`);
    this.rows.set(key, value);
    this.count(value, 1);
  }

  private update(key: string, told: PlacedRow['value']): void {
    const old = this.valueOf(key);
    if (told === undefined) return;
    const current = this.valueIn(told);
    this.rows.set(key, current);
    this.count(old, -1);
    this.count(current, 1);
  }

  private delete(key: string): void {
    const old = this.valueOf(key);
    this.rows.delete(key);
    this.count(old, -1);
  }

  private valueOf(key: string): LinkValue {
    const value = this.rows.get(key);
    invariant(value !== undefined, `a row that changes is known: key ${key} does not exist`);
    return value;
  }

  private valueIn(told: PlacedRow['value']): LinkValue {
    invariant(told !== undefined, `a new row tells its column ${this.column}`);
    return told === null ? null : this.equalText(told);
  }

  private count(value: LinkValue, difference: 1 | -1): void {
    const before = this.counts.get(value) ?? 0;
    this.open.touch(value, before > 0);
    const after = before + difference;
    invariant(after >= 0, 'a value that goes was there');
    if (after === 0) this.counts.delete(value);
    else this.counts.set(value, after);
  }

  private commit(keepMoves: boolean): void {
    const moves = this.open.close(this.counts);
    if (keepMoves && moves.movedIn.length + moves.movedOut.length > 0) this.kept.push(moves);
  }
}

/** What the transaction at the log's end has touched so far: a block may end in the middle of it. */
class OpenTransaction {
  private offset: LogOffset = LOG_BEGIN.offset;
  private xids: readonly Xid[] = [];
  /** Whether each value that it touched was there before it. */
  private readonly touched = new Map<LinkValue, boolean>();

  note({ offset, xids }: PlacedRow): void {
    this.offset = offset;
    this.xids = xids;
  }

  touch(value: LinkValue, wasThere: boolean): void {
    if (!this.touched.has(value)) this.touched.set(value, wasThere);
  }

  /** @returns the values that there were before the transaction. */
  before(counts: ReadonlyMap<LinkValue, number>): ReadonlySet<LinkValue> {
    const values = new Set(counts.keys());
    for (const [value, wasThere] of this.touched) {
      if (wasThere) values.add(value);
      else values.delete(value);
    }
    return values;
  }

  /** @returns the net moves of the transaction, judged by the values after it. The next transaction is open then. */
  close(counts: ReadonlyMap<LinkValue, number>): Moves {
    const [movedIn, movedOut]: [LinkValue[], LinkValue[]] = [[], []];
    for (const [value, wasThere] of this.touched) {
      if (!wasThere && counts.has(value)) movedIn.push(value);
      if (wasThere && !counts.has(value)) movedOut.push(value);
    }
    this.touched.clear();
    return { offset: this.offset, xids: this.xids, movedIn, movedOut };
  }

  copy(other: OpenTransaction): void {
    this.offset = other.offset;
    this.xids = other.xids;
    for (const [value, wasThere] of other.touched) this.touched.set(value, wasThere);
  }

  /** In the order in which the moves will be told. */
  key(): string {
    return JSON.stringify([this.offset, this.xids, [...this.touched]]);
  }
}
