/**
 * SleepSets: which steps of a state need not be taken, since what they lead to is reached in another order.
 *
 * Of two steps that commute in a state the search takes the first one with the second, and lets the first *sleep* behind the second
 * one: there it would only lead where the other order has led. It sleeps on behind every further step with which it commutes, and
 * is awake behind one with which it does not. A state that is reached again need not be left by what sleeps there on both ways; what
 * slept on the first way and is awake on another is made up for. So of every set of ways that differ in the order of steps that
 * commute, one is gone, as long as the others: each state is reached, as soon as it can be.
 *
 * (Godefroid's sleep sets, for states that are compared. They leave out steps and no state, which is why no property can be missed.)
 */
import type { Footprint } from './footprint.ts';
import { commute } from './footprint.ts';
import { PairTable } from './pair-table.ts';

/** Nobody sleeps. */
export const AWAKE = -1;

/** A set is a number: that of the pair of its greatest sleeper and the set of the others. */
export class SleepSets {
  private readonly footprints: Footprint[] = [];
  private readonly footprintIds = new Map<string, number>();
  /** A step and its footprint. */
  private readonly sleepers = new PairTable();
  private readonly sets = new PairTable();
  /** Of two footprints, whether they commute. */
  private readonly known = new Map<number, boolean>();

  get count(): number {
    return this.sets.count;
  }

  footprintId(footprint: Footprint): number {
    const key = `${footprint.looked} ${footprint.changed}`;
    const known = this.footprintIds.get(key) ?? this.footprints.push(footprint) - 1;
    this.footprintIds.set(key, known);
    return known;
  }

  /** @param step the number of its root in the memo. */
  sleeper(step: number, footprint: number): number {
    return this.sleepers.idOf(step, footprint);
  }

  stepOf(sleeper: number): number {
    return this.sleepers.leftOf(sleeper);
  }

  membersOf(set: number): readonly number[] {
    const members: number[] = [];
    for (let rest = set; rest !== AWAKE; rest = this.sets.rightOf(rest)) members.push(this.sets.leftOf(rest));
    return members;
  }

  /** Those of `sleepers` that commute with a step. */
  behind(sleepers: readonly number[], footprint: number): number {
    return this.setOf(sleepers.filter((sleeper) => this.commute(this.sleepers.rightOf(sleeper), footprint)));
  }

  both(one: number, other: number): number {
    if (one === other) return one;
    const members = this.membersOf(other);
    return this.setOf(this.membersOf(one).filter((sleeper) => members.includes(sleeper)));
  }

  private setOf(sleepers: readonly number[]): number {
    if (sleepers.length === 0) return AWAKE;
    return [...sleepers].sort((one, other) => one - other).reduce((rest, sleeper) => this.sets.idOf(sleeper, rest), AWAKE);
  }

  private commute(one: number, other: number): boolean {
    const key = one < other ? one * FOOTPRINTS_MAX + other : other * FOOTPRINTS_MAX + one;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const [left, right] = [this.footprints[one], this.footprints[other]];
    const is = left !== undefined && right !== undefined && commute(left, right);
    this.known.set(key, is);
    return is;
  }
}

const FOOTPRINTS_MAX = 1 << 15;
