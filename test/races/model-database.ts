/**
 * ModelDatabase: one table and its transactions, as far as visibility and the order of commits go. A transaction takes
 * effect when it commits; it has its xid from the moment it begins, so a snapshot may find it running.
 */
import { LSN_ZERO, type Lsn } from '../../src/model/lsn.ts';
import type { PgSnapshot, Xid } from '../../src/model/pg-snapshot.ts';
import type { Row, RowChange } from '../support/changes.ts';

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
  private readonly table = new Map<string, Row>();
  private readonly running = new Set<number>();
  private nextXid = FIRST_XID;

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
    const lsn = String((this.committed.length + 1) * LSN_STEP) as Lsn;
    const changes = wishes.map((wish) => this.change(wish)).filter((change) => change !== undefined);
    const transaction = { xid, lsn, changes };
    this.running.delete(xid);
    this.committed.push(transaction);
    return transaction;
  }

  snapshot(): { readonly pgSnapshot: PgSnapshot; readonly rows: readonly Row[] } {
    const xip = [...this.running].map(String);
    const insertLsn = this.committed.at(-1)?.lsn ?? LSN_ZERO;
    return { pgSnapshot: { xmin: xip[0] ?? String(this.nextXid), xmax: String(this.nextXid), xip, insertLsn }, rows: this.rows };
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
