/**
 * CommitTimes: when the newest commits came, until they are taken. A ring in the order of their LSNs, which only grow: so one is
 * found by halving, and adding one costs the same however many wait.
 */
import { invariant } from '../../base/invariant.ts';
import { compareLsn, type Lsn } from '../../model/lsn.ts';

export class CommitTimes {
  private readonly lsns: Lsn[] = [];
  private readonly times: Float64Array;
  /** They stand from here to there, modulo the size. */
  private first = 0;
  private end = 0;

  /** @param countMax with one more the oldest is forgotten. */
  constructor(private readonly countMax: number) {
    this.times = new Float64Array(countMax);
  }

  /** Where Postgres sends again from there on, as after a connection broke, those behind it are forgotten: the order holds. */
  add(lsn: Lsn, atMs: number): void {
    if (this.end > this.first && compareLsn(lsn, this.lsnAt(this.end - 1)) <= 0) this.end = this.firstFrom(lsn);
    if (this.end - this.first === this.countMax) this.first += 1;
    this.lsns[this.end % this.countMax] = lsn;
    this.times[this.end % this.countMax] = atMs;
    this.end += 1;
  }

  /** Takes it out, and all before it. @returns when it came; undefined when it is not there. */
  take(lsn: Lsn): number | undefined {
    const place = this.firstFrom(lsn);
    const isThere = place < this.end && this.lsnAt(place) === lsn;
    this.first = isThere ? place + 1 : place;
    return isThere ? this.times[place % this.countMax] : undefined;
  }

  /** The first that is not before `lsn`. */
  private firstFrom(lsn: Lsn): number {
    let [low, high] = [this.first, this.end];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (compareLsn(this.lsnAt(middle), lsn) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private lsnAt(place: number): Lsn {
    const lsn = this.lsns[place % this.countMax];
    invariant(lsn !== undefined, 'a place between the first and the end has a commit');
    return lsn;
  }
}
