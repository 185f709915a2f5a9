/** ChildPlan: the children that a supervisor starts or stops in its present phase, one after the other. */
import type { ChildRow } from './child-row.ts';

export class ChildPlan {
  readonly rows: readonly ChildRow[];
  private readonly members: ReadonlySet<ChildRow>;
  /** How many have had their turn, from the front or from the back. */
  private passed = 0;
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
    return this.next((row) => row.pid === undefined, (passed) => passed);
  }

  /** The next that has a process, from the last to the first. */
  nextToStop(): ChildRow | undefined {
    return this.next((row) => row.pid !== undefined, (passed) => this.rows.length - 1 - passed);
  }

  clone(copyOf: (row: ChildRow) => ChildRow): ChildPlan {
    const copy = new ChildPlan(this.rows.map(copyOf));
    copy.passed = this.passed;
    copy.awaited = this.awaited === undefined ? undefined : copyOf(this.awaited);
    return copy;
  }

  key(): readonly unknown[] {
    return [this.rows.map(({ id }) => id), this.passed, this.awaited?.id];
  }

  private next(isDue: (row: ChildRow) => boolean, placeOf: (passed: number) => number): ChildRow | undefined {
    while (this.passed < this.rows.length) {
      const row = this.rows[placeOf(this.passed)];
      this.passed += 1;
      if (row === undefined || !isDue(row)) continue;
      this.awaited = row;
      return row;
    }
    this.awaited = undefined;
    return undefined;
  }
}
