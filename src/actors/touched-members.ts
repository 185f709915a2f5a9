/**
 * TouchedMembers: of which values the open transaction has counted rows, and whether the version before it has them. A transaction may
 * touch all that there are, so they lie outside of the heap, in eight bytes each.
 */
import { NumberColumn } from '../base/packed/number-column.ts';

/** What a number has that was not touched. */
const UNTOUCHED = 0;
const [WAS_ABSENT, WAS_THERE] = [1, 2];
const CELL_BYTES = 4;
/** Where a transaction has touched more, all that it took is given back at its end. */
const KEPT_MAX = 65_536;

export class TouchedMembers {
  private states = new NumberColumn();
  /** Those that were touched, in their order; and some that no longer count. */
  private order = new NumberColumn();
  private count = 0;
  /** All numbers that were touched since it was empty are below it. */
  private end = 0;

  /** About so much memory. */
  get bytes(): number {
    return CELL_BYTES * (this.count + this.end);
  }

  has(member: number): boolean {
    return this.states.get(member) !== UNTOUCHED;
  }

  /** Undefined for one that was not touched. */
  wasThere(member: number): boolean | undefined {
    const state = this.states.get(member);
    return state === UNTOUCHED ? undefined : state === WAS_THERE;
  }

  /** @param wasThere counts where it has not been touched before. */
  add(member: number, wasThere: boolean): void {
    if (this.has(member)) return;
    this.states.set(member, wasThere ? WAS_THERE : WAS_ABSENT);
    this.order.set(this.count, member);
    this.count += 1;
    this.end = Math.max(this.end, member + 1);
  }

  /** Empties it, one by one. */
  *take(): Iterable<readonly [member: number, wasThere: boolean]> {
    const { count } = this;
    for (let at = 0; at < count; at += 1) {
      const member = this.order.get(at);
      const wasThere = this.states.get(member) === WAS_THERE;
      this.states.set(member, UNTOUCHED);
      yield [member, wasThere];
    }
    this.count = 0;
    if (count <= KEPT_MAX) return;
    this.states = new NumberColumn();
    this.order = new NumberColumn();
    this.end = 0;
  }

  /** Those that are touched, in the order in which they were. */
  *all(): Iterable<number> {
    for (let at = 0; at < this.count; at += 1) yield this.order.get(at);
  }

  copy(): TouchedMembers {
    const copy = new TouchedMembers();
    copy.states = this.states.copy();
    copy.order = this.order.copy();
    copy.count = this.count;
    copy.end = this.end;
    return copy;
  }
}
