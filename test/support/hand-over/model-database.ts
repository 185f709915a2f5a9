/**
 * ModelDatabase: tables and their transactions, as far as visibility and the order of commits go. A transaction has its
 * xid from the moment it begins, so a snapshot may find it running; and it runs on for all others when its commit is
 * logged and streamed already, until it is shown. Its rows are locked as long.
 */
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot, Xid } from '../../../src/model/pg-snapshot.ts';
import type { Row, RowChange } from '../actors/changes.ts';

/** What a transaction wants of a row: a value, or that the row goes. What it comes to depends on the row that is there. */
export interface Wish {
  /** Left out where there is only one. */
  readonly table?: string;
  readonly row: number;
  readonly value: string | null;
  /** Of a table with a third column. */
  readonly note?: string;
  readonly remove: boolean;
}

export type TableChange = RowChange & { readonly table: string };

export interface CommittedTransaction {
  readonly xid: Xid;
  readonly lsn: Lsn;
  readonly changes: readonly TableChange[];
}

const FIRST_XID = 700;
const LSN_STEP = 10;
const ONLY_TABLE = 'items';

export class ModelDatabase {
  readonly committed: CommittedTransaction[] = [];
  /** As of the last commit that was logged. */
  private readonly held = new Rows();
  /** As a snapshot sees it. */
  private readonly shown = new Rows();
  private readonly running = new Set<Xid>();
  private readonly hidden = new Map<Xid, readonly TableChange[]>();
  private nextXid = FIRST_XID;
  private lastShown = FIRST_XID - 1;

  /** Of the only table. */
  get rows(): readonly Row[] {
    return this.rowsOf(ONLY_TABLE);
  }

  rowsOf(table: string): readonly Row[] {
    return this.held.of(table);
  }

  begin(): Xid {
    const xid = this.nextXid as Xid;
    this.nextXid += 1;
    this.running.add(xid);
    return xid;
  }

  commit(xid: Xid, wishes: readonly Wish[]): CommittedTransaction {
    for (const { table = ONLY_TABLE, row } of wishes) this.awaitLock(table, String(row));
    const lsn = String((this.committed.length + 1) * LSN_STEP) as Lsn;
    const changes = wishes.map((wish) => this.change(wish)).filter((change) => change !== undefined);
    const transaction = { xid, lsn, changes };
    this.hidden.set(xid, changes);
    this.committed.push(transaction);
    return transaction;
  }

  /** From now on snapshots see what was committed. */
  show(xid: Xid): void {
    for (const change of this.hidden.get(xid) ?? []) this.shown.take(change);
    this.hidden.delete(xid);
    if (this.running.delete(xid)) this.lastShown = Math.max(this.lastShown, xid);
  }

  snapshot(table = ONLY_TABLE): { readonly pgSnapshot: PgSnapshot; readonly rows: readonly Row[] } {
    const xmax = this.lastShown + 1;
    const xip = [...this.running].filter((xid) => xid < xmax).map(String);
    const insertLsn = this.committed.at(-1)?.lsn ?? LSN_ZERO;
    return { pgSnapshot: { xmin: xip[0] ?? String(xmax), xmax: String(xmax), xip, insertLsn }, rows: this.shown.of(table) };
  }

  /** Who writes a row waits until the last who wrote it is shown. */
  private awaitLock(table: string, id: string): void {
    for (const [xid, changes] of this.hidden) {
      if (changes.some((change) => change.table === table && rowIdOf(change) === id)) this.show(xid);
    }
  }

  private change({ table = ONLY_TABLE, row, value, note, remove }: Wish): TableChange | undefined {
    const old = this.held.get(table, String(row));
    const change = changeOf(old, remove ? undefined : [String(row), value, ...(note === undefined ? [] : [note])]);
    if (change === undefined) return undefined;
    this.held.take({ ...change, table });
    return { ...change, table };
  }
}

/** @returns undefined where nothing changes: an update of nothing gives no line. */
function changeOf(old: Row | undefined, current: Row | undefined): RowChange | undefined {
  if (current === undefined) return old && { kind: 'delete', old };
  if (old === undefined) return { kind: 'insert', new: current };
  return JSON.stringify(old) === JSON.stringify(current) ? undefined : { kind: 'update', old, new: current };
}

/** Of all tables, by their ids. */
class Rows {
  private readonly tables = new Map<string, Map<string, Row>>();

  of(table: string): readonly Row[] {
    return [...(this.tables.get(table)?.values() ?? [])];
  }

  get(table: string, id: string): Row | undefined {
    return this.tables.get(table)?.get(id);
  }

  take(change: TableChange): void {
    const rows = this.tables.get(change.table) ?? new Map<string, Row>();
    this.tables.set(change.table, rows);
    if ('new' in change) rows.set(rowIdOf(change), change.new);
    else rows.delete(rowIdOf(change));
  }
}

export function rowIdOf(change: RowChange): string {
  return String('new' in change ? change.new[0] : 'old' in change ? change.old[0] : undefined);
}
