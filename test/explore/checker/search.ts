/**
 * Search: every state that a system can reach within its bounds, breadth first, so that what is found is found by a way than
 * which none is shorter.
 *
 * Only one reduction is made, `Draft.runAlone`. Deliveries to two processes commute too, but a search that took them in one
 * order would have to know that nobody can meanwhile send the one process something that overtakes: in these systems the
 * sender is always one of those that are left waiting. So all orders are taken, and meet in the same states.
 */
import { Draft, widthOf, type Note } from './draft.ts';
import { Evaluator } from './evaluator.ts';
import type { Channel } from './signal.ts';
import { StateStore } from './state-store.ts';
import type { Group } from './ledger.ts';
import type { Happening, System, Violation, World } from './system.ts';

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

type Move<Kind> =
  | { readonly type: 'goOn'; readonly role: number }
  | { readonly type: 'deliver'; readonly place: number; readonly channel: Channel }
  | { readonly type: 'happen'; readonly happening: Happening<Kind> }
  | { readonly type: 'kill'; readonly role: number }
  | { readonly type: 'timeout'; readonly role: number; readonly name: string }
  | { readonly type: 'silence'; readonly role: number; readonly group: Group };

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
      make(next, move);
      this.edges += 1;
      this.store.add(next.state, state, index);
    }
  }

  private explain(state: number, violation: Violation): Counterexample {
    let draft = opened(this.system, this.parts);
    const steps = this.store.wayTo(state).map((step) => {
      const move = movesOf(this.system, draft)[step];
      draft = new Draft(this.system, this.parts, draft.state);
      if (move !== undefined) make(draft, move);
      return draft.told;
    });
    return { ...violation, steps };
  }
}

/** Where the search begins. */
function opened<Kind extends World<Kind>>(system: System<Kind>, parts: Evaluator<Kind>): Draft<Kind> {
  const draft = Draft.first(system, parts);
  for (const happening of system.opening ?? []) {
    calm(system, draft);
    draft.happen(happening);
    calm(system, draft);
  }
  return draft;
}

function calm<Kind extends World<Kind>>(system: System<Kind>, draft: Draft<Kind>): void {
  for (let [move] = movesOf(system, draft); move !== undefined && isUnderWay(move); [move] = movesOf(system, draft)) make(draft, move);
}

function movesOf<Kind extends World<Kind>>(system: System<Kind>, draft: Draft<Kind>): readonly Move<Kind>[] {
  const moves: Move<Kind>[] = [];
  const places = system.roles.length + system.ports.length;
  for (let place = 0; place < places; place += 1) addDeliveries(moves, draft, place, place < system.roles.length);
  for (const happening of system.happenings(draft)) moves.push({ type: 'happen', happening });
  system.roles.forEach(({ name }, role) => {
    if (draft.fate.kills > 0 && system.victims.includes(name) && draft.local(role).status === 'alive') moves.push({ type: 'kill', role });
    if (draft.fate.timeouts > 0) addTimeouts(moves, draft, role);
  });
  return moves;
}

/** What is urgent for a process comes before its mailbox; what begins it, before everything else. */
function addDeliveries<Kind extends World<Kind>>(moves: Move<Kind>[], draft: Draft<Kind>, place: number, isRole: boolean): void {
  const local = isRole ? draft.local(place) : undefined;
  if (local?.status === 'alive' && local.urgent.length > 0) {
    moves.push({ type: 'goOn', role: place });
    return;
  }
  const mailbox = draft.mailbox(place);
  const open = local?.status === 'unborn' ? mailbox.filter(({ from }) => from === '@supervisor') : mailbox;
  for (const channel of open) moves.push({ type: 'deliver', place, channel });
}

function addTimeouts<Kind extends World<Kind>>(moves: Move<Kind>[], draft: Draft<Kind>, role: number): void {
  const local = draft.local(role);
  if (local.status !== 'alive' || local.urgent.length > 0) return;
  for (const name of Object.keys(local.timers)) moves.push({ type: 'timeout', role, name });
  for (const group of draft.ledger.groups) {
    if (group.owner === local.pid && group.isLimited) moves.push({ type: 'silence', role, group });
  }
}

function isUnderWay({ type }: Move<never>): boolean {
  return type === 'goOn' || type === 'deliver';
}

function make<Kind extends World<Kind>>(draft: Draft<Kind>, move: Move<Kind>): void {
  switch (move.type) {
    case 'goOn':
      return draft.goOn(move.role);
    case 'deliver':
      return draft.deliver(move.place, move.channel);
    case 'happen':
      return draft.happen(move.happening);
    case 'kill':
      return draft.kill(move.role);
    case 'timeout':
      return draft.timeout(move.role, move.name);
    case 'silence':
      return draft.silence(move.role, move.group);
  }
}
