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
import { BEFORE_ALL, compareOffsets, type LogOffset } from '../model/log-offset.ts';
import type { Handle } from '../model/shape.ts';
import type { Message, Table } from '../otp/process.ts';
import type { OffsetRange, HistoryBlocks, ShapeMessage } from './materializer-ports.ts';

/** A text of the column, the same for equal values; null for NULL, which counts like any other value. */
export type LinkValue = string | null;

/** What one transaction did to the set of values. */
export interface Moves {
  readonly lsn: string;
  readonly xids: readonly number[];
  readonly movedIn: readonly LinkValue[];
  readonly movedOut: readonly LinkValue[];
}

export type LinkValuesChange =
  /** Applies a block that was read; `keepMoves` while somebody depends on the values. */
  | { readonly block: OffsetRange; readonly keepMoves: boolean }
  /** Every dependant has taken the moves kept so far. */
  | 'forgetMoves';

export type LinkValuesTold = { readonly type: 'values.applied'; readonly offset: LogOffset };

export class LinkValues implements Table<LinkValuesChange> {
  private readonly handle: Handle;
  private readonly column: string;
  private readonly blocks: HistoryBlocks;
  private readonly equalText: (text: string) => string;
  private readonly rows = new Map<string, LinkValue>();
  private readonly counts = new Map<LinkValue, number>();
  private readonly open = new OpenTransaction();
  private kept: Moves[] = [];
  private applied: LogOffset = BEFORE_ALL;

  /** @param equalText gives one text for all texts of equal values; they lie in the log as Postgres wrote them. */
  constructor(handle: Handle, column: string, blocks: HistoryBlocks, equalText = (text: string) => text) {
    this.handle = handle;
    this.column = column;
    this.blocks = blocks;
    this.equalText = equalText;
  }

  /** Everything up to here is in the values. */
  get offset(): LogOffset {
    return this.applied;
  }

  /** How many rows have each value; never zero. */
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
    return JSON.stringify([this.applied, [...this.rows].sort(), this.open.key(), this.kept]);
  }

  private applyBlock(block: OffsetRange, keepMoves: boolean): LinkValuesTold {
    invariant(block.after === this.applied, 'a block begins where the last one ended');
    invariant(compareOffsets(block.through, block.after) > 0, 'every applied offset lies beyond the last');
    for (const message of this.blocks.take(this.handle, this.column, block)) this.applyMessage(message, keepMoves);
    this.applied = block.through;
    return { type: 'values.applied', offset: block.through };
  }

  private applyMessage(message: ShapeMessage, keepMoves: boolean): void {
    const { key, value, headers } = message;
    if (key === undefined) return; // A control message tells no row.
    if (headers.operation === 'insert') this.insert(key, this.valueIn(value));
    if (headers.operation === 'update') this.update(key, value);
    if (headers.operation === 'delete') this.delete(key);
    this.open.note(headers);
    if (headers.lsn === undefined || headers.last === true) this.commit(keepMoves);
  }

  private insert(key: string, value: LinkValue): void {
    invariant(!this.rows.has(key), `a row is inserted once: key ${key} already exists`);
    this.rows.set(key, value);
    this.count(value, 1);
  }

  /** Tells only what changed: a column that is not in it has kept its value. */
  private update(key: string, told: ShapeMessage['value']): void {
    const old = this.valueOf(key);
    if (told?.[this.column] === undefined) return;
    const current = this.valueIn(told);
    // Out and in again would be a move of a value that never moved.
    if (current === old) return;
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

  private valueIn(told: ShapeMessage['value']): LinkValue {
    const value = told?.[this.column];
    invariant(value !== undefined, `a new row tells its column ${this.column}`);
    return value === null ? null : this.equalText(value);
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
  private lsn = '0';
  private xids: readonly number[] = [];
  /** Whether each value that it touched was there before it. */
  private readonly before = new Map<LinkValue, boolean>();

  note({ lsn, txids }: ShapeMessage['headers']): void {
    this.lsn = lsn ?? '0';
    this.xids = txids ?? [];
  }

  touch(value: LinkValue, wasThere: boolean): void {
    if (!this.before.has(value)) this.before.set(value, wasThere);
  }

  /** @returns what is left of it, by the values after it; the next transaction is open. */
  close(counts: ReadonlyMap<LinkValue, number>): Moves {
    const [movedIn, movedOut]: [LinkValue[], LinkValue[]] = [[], []];
    for (const [value, wasThere] of this.before) {
      if (!wasThere && counts.has(value)) movedIn.push(value);
      if (wasThere && !counts.has(value)) movedOut.push(value);
    }
    this.before.clear();
    return { lsn: this.lsn, xids: this.xids, movedIn, movedOut };
  }

  copy(other: OpenTransaction): void {
    this.lsn = other.lsn;
    this.xids = other.xids;
    for (const [value, wasThere] of other.before) this.before.set(value, wasThere);
  }

  /** In the order in which the moves will be told. */
  key(): string {
    return JSON.stringify([this.lsn, this.xids, [...this.before]]);
  }
}
