/**
 * Ways: the newest transactions that came from Postgres, and the newest that clients could read, while somebody looks.
 *
 * There may be tens of thousands in a second, of which nobody may ever ask about one. So each takes a place in columns that are made
 * once, and no object; and they push no message out of what is recorded.
 */
import type { LogOffset } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { Xid } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';

/** `n` stands among the numbers of the records; `atMs` is on the clock's scale. */
interface Placed {
  readonly n: number;
  readonly atMs: number;
}

/** A transaction came whole from Postgres. */
export interface Received extends Placed {
  readonly xid: Xid;
  readonly lsn: Lsn;
}

/** A shape's log is readable up to there; so many requests waited for that. */
export interface Published extends Placed {
  readonly handle: Handle;
  readonly end: LogOffset;
  readonly readers: number;
}

const ROWS = 16_384;

export class Ways {
  private readonly receivedAt = new Places();
  private readonly xids: Xid[] = [];
  private readonly lsns: Lsn[] = [];
  private readonly publishedAt = new Places();
  private readonly handles: Handle[] = [];
  private readonly ends: LogOffset[] = [];
  private readonly readers: number[] = [];

  noteReceived(n: number, atMs: number, xid: Xid, lsn: Lsn): void {
    const row = this.receivedAt.next(n, atMs);
    this.xids[row] = xid;
    this.lsns[row] = lsn;
  }

  notePublished(n: number, atMs: number, handle: Handle, end: LogOffset, readers: number): void {
    const row = this.publishedAt.next(n, atMs);
    this.handles[row] = handle;
    this.ends[row] = end;
    this.readers[row] = readers;
  }

  /** Newest first. */
  *received(): Iterable<Received> {
    for (const row of this.receivedAt.newestFirst()) {
      const [xid, lsn] = [this.xids[row], this.lsns[row]];
      if (xid !== undefined && lsn !== undefined) yield { ...this.receivedAt.at(row), xid, lsn };
    }
  }

  /** Newest first; of that shape alone, if one is named. */
  *published(only?: Handle): Iterable<Published> {
    for (const row of this.publishedAt.newestFirst()) {
      const [handle, end, readers = 0] = [this.handles[row], this.ends[row], this.readers[row]];
      if (handle === undefined || end === undefined || (only !== undefined && handle !== only)) continue;
      yield { ...this.publishedAt.at(row), handle, end, readers };
    }
  }
}

/** Rows that are used in turn. */
class Places {
  private readonly numbers = new Float64Array(ROWS);
  private readonly times = new Float64Array(ROWS);
  private count = 0;

  next(n: number, atMs: number): number {
    const row = this.count % ROWS;
    this.count += 1;
    this.numbers[row] = n;
    this.times[row] = atMs;
    return row;
  }

  at(row: number): Placed {
    return { n: this.numbers[row] ?? 0, atMs: this.times[row] ?? 0 };
  }

  *newestFirst(): Iterable<number> {
    for (let index = this.count - 1; index >= Math.max(0, this.count - ROWS); index -= 1) yield index % ROWS;
  }
}
