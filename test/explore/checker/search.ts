/**
 * Search: every state that a system can reach within its bounds, breadth first, so that what is found is found by a way than
 * which none is shorter.
 *
 * Only one reduction is made, `Draft.runAlone`. Deliveries to two processes commute too, but a search that took them in one
 * order would have to know that nobody can meanwhile send the one process something that overtakes: in these systems the
 * sender is always one of those that are left waiting. So all orders are taken, and meet in the same states.
 */
import { Draft } from './draft.ts';
import { Evaluator } from './evaluator.ts';
import { widthOf } from './global-state.ts';
import { isUnderWay, make, movesOf, opened } from './moves.ts';
import type { Note } from './note.ts';
import { StateStore } from './state-store.ts';
import type { System, Violation, World } from './system.ts';

export interface Findings {
  readonly states: number;
  readonly edges: number;
  /** Transitions of machines that were computed, and not looked up. */
  readonly evaluations: number;
  /** Of the store of states, without the parts that they are made of. */
  readonly bytesPerState: number;
  /** Different local states, worlds, mailboxes and ledgers. */
  readonly parts: Readonly<Record<string, number>>;
  /** False when the search ended at `statesMax`. */
  readonly isExhausted: boolean;
  readonly counterexample: Counterexample | undefined;
}

export interface Counterexample extends Violation {
  /** What happened, step by step. */
  readonly steps: readonly (readonly Note[])[];
}

/** Ends with the first violation. */
export function search<Kind extends World<Kind>>(system: System<Kind>, statesMax: number): Findings {
  const found = new Search(system);
  found.run(statesMax);
  return found.findings();
}

class Search<Kind extends World<Kind>> {
  private readonly parts = new Evaluator<Kind>();
  private readonly store: StateStore;
  private edges = 0;
  private looked = 0;
  private violated: { readonly state: number; readonly violation: Violation } | undefined;

  constructor(private readonly system: System<Kind>) {
    this.store = new StateStore(widthOf(system));
    this.store.add(opened(system, this.parts).state, 0, 0);
  }

  run(statesMax: number): void {
    while (this.looked < this.store.count && this.store.count < statesMax && this.violated === undefined) {
      this.expand(this.looked);
      this.looked += 1;
    }
  }

  findings(): Findings {
    const { store, parts, edges, looked } = this;
    const { locals, worlds, signals, mailboxes, ledgers } = parts;
    const counts = { locals, worlds, signals, mailboxes, ledgers };
    return {
      states: store.count,
      edges,
      evaluations: parts.evaluations,
      bytesPerState: Math.round(store.bytes / store.count),
      parts: Object.fromEntries(Object.entries(counts).map(([name, { count }]) => [name, count])),
      isExhausted: looked === store.count,
      counterexample: this.violated && this.explain(this.violated.state, this.violated.violation),
    };
  }

  private expand(state: number): void {
    const vector = this.store.vectorOf(state);
    const draft = new Draft(this.system, this.parts, vector);
    const moves = movesOf(this.system, draft);
    const violation = this.system.violation(draft, !moves.some(isUnderWay));
    if (violation !== undefined) {
      this.violated = { state, violation };
      return;
    }
    for (const [index, move] of moves.entries()) {
      const next = new Draft(this.system, this.parts, vector);
      make(this.system, next, move);
      this.edges += 1;
      this.store.add(next.state, state, index);
    }
  }

  private explain(state: number, violation: Violation): Counterexample {
    let draft = opened(this.system, this.parts);
    const steps = this.store.wayTo(state).map((step) => {
      const move = movesOf(this.system, draft)[step];
      draft = new Draft(this.system, this.parts, draft.state);
      if (move !== undefined) make(this.system, draft, move);
      return draft.told;
    });
    return { ...violation, steps };
  }
}
