/**
 * SleepSets: which steps of a state need not be taken, since what they lead to is reached in another order.
 *
 * Of two steps that commute in a state, the first is taken, and then behind the second it *sleeps*: there it would only lead where the
 * other order leads. It goes on sleeping behind each further step with which it commutes, and is awake behind one with which it does
 * not. Where a state is reached again, only what sleeps there on both ways need not be taken; what slept on the first way and is awake
 * on the other is made up for. So of all ways that differ in the order of steps that commute, one is gone, and it is as long as the
 * others: each state is reached, and as soon as it can be. No property can be missed, since no state is.
 *
 * The idea is Godefroid's. A set is a number; all that is done with sets is looked up, since there are few of them.
 */
import { commute, type Footprint } from './footprint.ts';
import { Interner } from './interner.ts';
import { PairMemo } from './pair-memo.ts';
import { PairTable } from './pair-table.ts';

const MAX = 1 << 24;

export class SleepSets {
  /** A step and its footprint. */
  private readonly sleepers = new PairTable();
  private readonly footprints = new Interner<Footprint>(MAX);
  private readonly sets = new Interner<readonly number[]>(MAX);
  private readonly joined = new PairMemo();
  private readonly stayed = new PairMemo();
  private readonly common = new PairMemo();
  private readonly steps = new PairMemo();
  /** Nobody sleeps. */
  readonly awake = this.setOf([]);

  get count(): number {
    return this.sets.count;
  }

  footprintId(footprint: Footprint): number {
    return this.footprints.idOf(Object.values(footprint).join(' '), () => footprint);
  }

  /** @param step the number of its name. */
  has(set: number, step: number): boolean {
    return this.steps.of(set, step, () => Number(this.sets.at(set).some((sleeper) => this.sleepers.leftOf(sleeper) === step))) === 1;
  }

  with(set: number, step: number, footprint: number): number {
    const sleeper = this.sleepers.idOf(step, footprint);
    return this.joined.of(set, sleeper, () => this.setOf([...this.sets.at(set), sleeper]));
  }

  /** Those who go on sleeping behind a step: they commute with it. */
  behind(set: number, footprint: number): number {
    return this.stayed.of(set, footprint, () => {
      const print = this.footprints.at(footprint);
      return this.setOf(this.sets.at(set).filter((sleeper) => commute(this.footprints.at(this.sleepers.rightOf(sleeper)), print)));
    });
  }

  both(one: number, other: number): number {
    if (one === other) return one;
    return this.common.of(one, other, () => {
      const members = this.sets.at(other);
      return this.setOf(this.sets.at(one).filter((sleeper) => members.includes(sleeper)));
    });
  }

  private setOf(sleepers: readonly number[]): number {
    const members = [...new Set(sleepers)].sort((one, other) => one - other);
    return this.sets.idOf(members.join(), () => members);
  }
}
