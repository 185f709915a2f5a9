/**
 * Search: every state that a system can reach within its bounds, breadth first, so that what is found is found by a way than
 * which none is shorter.
 *
 * What a process does inside itself comes at once (`Draft.isAlone`), always. Of the other reductions there is one at a time. Steps that
 * commute are taken in one order (`SleepSets`): that leaves out steps, and no state.
 *
 * The other one leaves out states, and rests on what a system claims (`Role.takesAtOnce`, `Role.asksAtOnce`): that a step of one
 * process may come before all others. Two kinds of claims hold. Either whatever could come first would lead to the same behind the step:
 * nobody who lives can tell whether it was taken, and the one whose step it is comes to the same end, or to one where less may still be
 * done to it. Or that the step came late is the same as that what caused it came late, and that could always have come late. Then each
 * way to something wrong has one beside it that is not left out. In the same way it is left out that somebody is killed where it may as
 * well be later (`System.isKilledHere`): nobody can tell the dead from the living who just does nothing, before somebody hears of it.
 * Where a claim holds of a system and not of one of its controls, the control is not found any more: so controls are searched with it
 * too, and the processes must come to the same local states.
 *
 * Both together are slower than the second alone. Of the steps that it leaves in a hand-over two in a hundred would sleep, in other
 * systems some six to twenty, and to find out which takes longer than to take them.
 *
 * States could be left out by persistent sets: if nobody else can ever disturb what one process may do next, only that is taken.
 * It was measured what that would bring at best, in a hand-over of one transaction with one kill, where for each state the others were
 * followed as far as they can go. Of 35,682 states 162 would go: everybody can send to the Consumer, the Consumer to everybody, and who
 * can be killed must be killed before and after. If no two processes met in the world it would be 6,755; so little is not worth a claim
 * about all that machines may ever do.
 */
import { Draft } from './draft.ts';
import { Evaluator } from './evaluator.ts';
import { larger } from './larger.ts';
import { isUnderWay, make, movesOf, opened, type Move } from './moves.ts';
import type { Note } from './note.ts';
import { PairMemo } from './pair-memo.ts';
import { SleepSets } from './sleep-sets.ts';
import { StateStore } from './state-store.ts';
import { OF_ALL, Stepper } from './stepper.ts';
import type { System, Violation, World } from './system.ts';

export interface Findings {
  readonly states: number;
  /** Steps that were taken from one state to another. */
  readonly edges: number;
  /** Steps that were left out, since they commute with another one that was taken. */
  readonly asleep: number;
  /** Transitions of machines that were computed, and not looked up. */
  readonly evaluations: number;
  /** Of the store of states, without the parts that they are made of. */
  readonly bytesPerState: number;
  /** Different local states, worlds, mailboxes, ledgers and ways of steps. */
  readonly parts: Readonly<Record<string, number>>;
  /** False when the search ended at `statesMax`. */
  readonly isExhausted: boolean;
  readonly counterexample: Counterexample | undefined;
}

export interface Counterexample extends Violation {
  /** What happened, step by step. */
  readonly steps: readonly (readonly Note[])[];
}

/** `all` is a test's to compare; `one`: of steps that commute, in one order; `prompt`: what is done at once comes first. */
export type Orders = 'all' | 'one' | 'prompt';

/** Ends with the first violation. */
export function search<Kind extends World<Kind>>(system: System<Kind>, statesMax: number, orders: Orders = 'one'): Findings {
  const found = new Search(system, orders);
  found.run(statesMax);
  return found.findings();
}

/** A state that was left by some steps, and is to be left by others too. */
interface Return {
  readonly state: number;
  /** What slept there until now. */
  readonly slept: number;
  /** How many states come before: those that were reached earlier. */
  readonly after: number;
}

class Search<Kind extends World<Kind>> {
  private readonly parts = new Evaluator<Kind>();
  private readonly stepper: Stepper<Kind>;
  private readonly store: StateStore;
  private readonly sleeping = new SleepSets();
  private readonly footprints = new PairMemo();
  /** By state, what sleeps there. */
  private sleep = new Int32Array(1 << 12);
  private readonly returns: Return[] = [];
  private returned = 0;
  private edges = 0;
  private asleep = 0;
  private looked = 0;
  /** Of those that are looked at, and the one that is. */
  private begun = 0;
  private violated: { readonly state: number; readonly violation: Violation } | undefined;

  constructor(
    private readonly system: System<Kind>,
    private readonly orders: Orders,
  ) {
    const { state } = opened(system, this.parts);
    this.stepper = new Stepper(system, this.parts, state, orders === 'prompt');
    this.store = new StateStore(state.length);
    this.reach(state, 0, 0, this.sleeping.awake);
  }

  run(statesMax: number): void {
    while (this.store.count < statesMax && this.violated === undefined) {
      const next = this.returns[this.returned];
      if (next !== undefined && next.after <= this.looked) {
        this.returned += 1;
        this.leaveAgain(next);
      } else if (this.looked < this.store.count) {
        this.begun = this.looked + 1;
        this.expand(this.looked);
        this.looked = this.begun;
      } else return;
    }
  }

  findings(): Findings {
    const { store, parts, edges, asleep, looked } = this;
    const { locals, worlds, signals, mailboxes, ledgers, fates } = parts;
    const counts = { locals, worlds, signals, mailboxes, ledgers, fates, ways: this.stepper, sleep: this.sleeping };
    return {
      states: store.count,
      edges,
      asleep,
      evaluations: parts.evaluations,
      bytesPerState: Math.round((store.bytes + this.sleep.byteLength) / store.count),
      parts: Object.fromEntries(Object.entries(counts).map(([name, { count }]) => [name, count])),
      isExhausted: looked === store.count && this.returned === this.returns.length,
      counterexample: this.violated && this.explain(this.violated.state, this.violated.violation),
    };
  }

  private expand(state: number): void {
    const { stepper, store, system } = this;
    const view = stepper.look(store.vectorOf(state));
    const moves = stepper.moves();
    const violation = system.violation(view, !moves.some(isUnderWay));
    if (violation !== undefined) this.violated = { state, violation };
    else this.leave(state, moves);
  }

  private leave(state: number, moves: readonly Move<Kind>[]): void {
    const { sleeping, stepper } = this;
    const sleep = this.sleepOf(state);
    let before = sleep;
    for (const [index, move] of moves.entries()) {
      const name = stepper.nameOf(move);
      if (sleeping.has(sleep, name)) this.asleep += 1;
      else before = this.take(state, index, move, name, before);
    }
  }

  /** By those who sleep no longer. */
  private leaveAgain({ state, slept }: Return): void {
    const { sleeping, stepper } = this;
    const sleep = this.sleepOf(state);
    let before = sleep;
    stepper.look(this.store.vectorOf(state));
    for (const [index, move] of stepper.moves().entries()) {
      const name = stepper.nameOf(move);
      if (!sleeping.has(slept, name) || sleeping.has(sleep, name)) continue;
      this.asleep -= 1;
      before = this.take(state, index, move, name, before);
    }
  }

  /**
   * @param before those who sleep behind the step if they commute with it.
   * @returns these and the step, for those that are taken next.
   */
  private take(state: number, index: number, move: Move<Kind>, name: number, before: number): number {
    const { stepper, sleeping } = this;
    const { vector, end } = stepper.next(move, name);
    this.edges += 1;
    if (this.orders !== 'one' || name === OF_ALL) {
      this.reach(vector, state, index, sleeping.awake);
      return before;
    }
    const footprint = this.footprints.of(end, stepper.foundBy(move), () => sleeping.footprintId(stepper.footprintOf(move, end)));
    this.reach(vector, state, index, sleeping.behind(before, footprint));
    return sleeping.with(before, name, footprint);
  }

  private reach(vector: Int32Array, from: number, step: number, sleep: number): void {
    const { count } = this.store;
    const state = this.store.add(vector, from, step);
    if (state === count) this.note(state, sleep);
    else this.wake(state, sleep);
  }

  private note(state: number, sleep: number): void {
    if (state === this.sleep.length) this.sleep = larger(this.sleep);
    this.sleep[state] = sleep;
  }

  /** What slept when the state was reached before, and is awake on another way, is made up for. */
  private wake(state: number, sleep: number): void {
    const slept = this.sleepOf(state);
    const both = this.sleeping.both(slept, sleep);
    if (both === slept) return;
    this.sleep[state] = both;
    if (state < this.begun) this.returns.push({ state, slept, after: this.store.count });
  }

  private sleepOf(state: number): number {
    return this.sleep[state] ?? this.sleeping.awake;
  }

  private explain(state: number, violation: Violation): Counterexample {
    let draft = opened(this.system, this.parts);
    const steps = this.store.wayTo(state).map((step) => {
      const move = movesOf(this.system, draft, undefined, this.orders === 'prompt')[step];
      draft = new Draft(this.system, this.parts, draft.state);
      if (move !== undefined) make(this.system, draft, move);
      if (this.orders === 'prompt') draft.hurry();
      return draft.told;
    });
    return { ...violation, steps };
  }
}
