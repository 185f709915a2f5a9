/** ChildPlan: the children that a phase of a supervisor has to see to, one after the other: in the order of their start, or back. */
import type { ChildRow } from './child-row.ts';

export class ChildPlan {
  readonly rows: readonly ChildRow[];
  private readonly members: ReadonlySet<ChildRow>;
  /** How many have been seen to, from the front or from the back. */
  private seen = 0;
  /** The child that the supervisor is waiting for. */
  awaited: ChildRow | undefined;

  constructor(rows: Iterable<ChildRow> = []) {
    this.rows = [...rows];
    this.members = new Set(this.rows);
  }

  has(row: ChildRow): boolean {
    return this.members.has(row);
  }

  /** The next that has no process; it is awaited from now on. */
  nextToStart(): ChildRow | undefined {
    return this.next((row) => row.pid === undefined, (seen) => seen);
  }

  /** The next that has a process, from the last to the first. */
  nextToStop(): ChildRow | undefined {
    return this.next((row) => row.pid !== undefined, (seen) => this.rows.length - 1 - seen);
  }

  clone(copyOf: (row: ChildRow) => ChildRow): ChildPlan {
    const copy = new ChildPlan(this.rows.map(copyOf));
    copy.seen = this.seen;
    copy.awaited = this.awaited === undefined ? undefined : copyOf(this.awaited);
    return copy;
  }

  key(): readonly unknown[] {
    return [this.rows.map(({ id }) => id), this.seen, this.awaited?.id];
  }

  private next(isDue: (row: ChildRow) => boolean, placeOf: (seen: number) => number): ChildRow | undefined {
    while (this.seen < this.rows.length) {
      const row = this.rows[placeOf(this.seen)];
      this.seen += 1;
      if (row === undefined || !isDue(row)) continue;
      this.awaited = row;
      return row;
    }
    this.awaited = undefined;
    return undefined;
  }
}
