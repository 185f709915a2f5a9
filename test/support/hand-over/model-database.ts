/**
 * ModelDatabase: one table and its transactions, as far as visibility and the order of commits go. A transaction has its
 * xid from the moment it begins, so a snapshot may find it running; and it runs on for all others when its commit is
 * logged and streamed already, until it is shown. Its rows are locked as long.
 */
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot, Xid } from '../../../src/model/pg-snapshot.ts';
import type { Row, RowChange } from '../actors/changes.ts';

/** What a transaction wants of a row: a value, or that the row goes. What it comes to depends on the row that is there. */
export interface Wish {
  readonly row: number;
  readonly value: string | null;
  readonly remove: boolean;
}

export interface CommittedTransaction {
  readonly xid: Xid;
  readonly lsn: Lsn;
  readonly changes: readonly RowChange[];
}

const FIRST_XID = 700;
const LSN_STEP = 10;

export class ModelDatabase {
  readonly committed: CommittedTransaction[] = [];
  /** As of the last commit that was logged. */
  private readonly table = new Map<string, Row>();
  /** As a snapshot sees it. */
  private readonly shown = new Map<string, Row>();
  private readonly running = new Set<Xid>();
  private readonly hidden = new Map<Xid, readonly RowChange[]>();
  private nextXid = FIRST_XID;
  private lastShown = FIRST_XID - 1;

  get rows(): readonly Row[] {
    return [...this.table.values()];
  }

  begin(): Xid {
    const xid = this.nextXid as Xid;
    this.nextXid += 1;
    this.running.add(xid);
    return xid;
  }

  commit(xid: Xid, wishes: readonly Wish[]): CommittedTransaction {
    for (const { row } of wishes) this.awaitLock(String(row));
    const lsn = String((this.committed.length + 1) * LSN_STEP) as Lsn;
    const changes = wishes.map((wish) => this.change(wish)).filter((change) => change !== undefined);
    const transaction = { xid, lsn, changes };
    this.hidden.set(xid, changes);
    this.committed.push(transaction);
    return transaction;
  }

  /** From now on snapshots see what was committed. */
  show(xid: Xid): void {
    for (const change of this.hidden.get(xid) ?? []) {
      if ('new' in change) this.shown.set(idOf(change), change.new);
      else this.shown.delete(idOf(change));
    }
    this.hidden.delete(xid);
    if (this.running.delete(xid)) this.lastShown = Math.max(this.lastShown, xid);
  }

  snapshot(): { readonly pgSnapshot: PgSnapshot; readonly rows: readonly Row[] } {
    const xmax = this.lastShown + 1;
    const xip = [...this.running].filter((xid) => xid < xmax).map(String);
    const insertLsn = this.committed.at(-1)?.lsn ?? LSN_ZERO;
    return { pgSnapshot: { xmin: xip[0] ?? String(xmax), xmax: String(xmax), xip, insertLsn }, rows: [...this.shown.values()] };
  }

  /** Who writes a row waits until the last who wrote it is shown. */
  private awaitLock(id: string): void {
    for (const [xid, changes] of this.hidden) if (changes.some((change) => idOf(change) === id)) this.show(xid);
  }

  private change({ row, value, remove }: Wish): RowChange | undefined {
    const id = String(row);
    const old = this.table.get(id);
    if (remove) {
      this.table.delete(id);
      return old === undefined ? undefined : { kind: 'delete', old };
    }
    if (old?.[1] === value) return undefined; // An update of nothing gives no line.
    const current = [id, value];
    this.table.set(id, current);
    return old === undefined ? { kind: 'insert', new: current } : { kind: 'update', old, new: current };
  }
}

function idOf(change: RowChange): string {
  return String('new' in change ? change.new[0] : 'old' in change ? change.old[0] : undefined);
}
