/**
 * Machine graph: what a chart of a machine shows, from the machine itself, before anybody has said where it stands.
 *
 * What is drawn is what runs, so nothing is left out: each transition is a line between two states, or a line of text in
 * its state when it leads nowhere else. All events that lead from one state to the same other one share one line. What
 * holds in all states of a compound one begins at a place of its own inside it (`any state`), because a line from a box
 * to its own inside can neither be laid out nor be followed by an eye.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { fnvHash } from '../../base/fnv-hash.ts';

/** `cut` is one whose inside is drawn elsewhere, `away` one that stands elsewhere itself. */
export type StateKind = 'atomic' | 'compound' | 'parallel' | 'final' | 'history' | 'cut' | 'away';

/** One event with what it asks for and what it does. */
export interface Reaction {
  /** `always` for a transition without an event. */
  readonly event: string;
  readonly guard: string | null;
  readonly actions: readonly string[];
}

export interface GraphState {
  /** The way to it from the root, joined by dots; the root's is empty. */
  readonly id: string;
  readonly name: string;
  readonly kind: StateKind;
  readonly tags: readonly string[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** What happens without the state being left. */
  readonly inPlace: readonly Reaction[];
  /** What leaves the state and enters it again. */
  readonly again: readonly Reaction[];
  /** Ways out that are told in words, because the state at their end has too many lines already. */
  readonly told: readonly GraphLine[];
  readonly initial: string | null;
  readonly children: readonly GraphState[];
}

export interface GraphLine {
  readonly from: string;
  readonly to: string;
  /** True of a line from a compound state to what lies in it: it holds in each state there. */
  readonly isFromAny: boolean;
  readonly reactions: readonly Reaction[];
}

export interface MachineGraph {
  readonly machine: string;
  readonly root: GraphState;
  readonly lines: readonly GraphLine[];
}

export function graphOf(machine: AnyStateMachine): MachineGraph {
  return { machine: machine.id, root: stateOf(machine.root), lines: grouped(linesBelow(machine.root)) };
}

/** @returns a text that another graph does not have, but by chance. */
export function fingerprintOf(graph: MachineGraph): string {
  return fnvHash(JSON.stringify(graph)).toString(16);
}

/** @returns the id that the state has in its graph. */
export function idOf(node: AnyStateNode): string {
  return node.path.join('.');
}

function stateOf(node: AnyStateNode): GraphState {
  const own = transitionsOf(node);
  return {
    id: idOf(node),
    name: node.key,
    kind: node.type,
    tags: node.tags,
    entry: node.entry.map(nameOf),
    exit: node.exit.map(nameOf),
    inPlace: own.filter(({ target }) => target === undefined).map(reactionOf),
    again: own.filter(({ target }) => target?.includes(node)).map(reactionOf),
    told: [],
    initial: initialOf(node),
    children: Object.values(node.states).map(stateOf),
  };
}

function initialOf(node: AnyStateNode): string | null {
  const [first] = node.type === 'compound' ? node.initial.target : [];
  return first === undefined ? null : idOf(first);
}

function linesBelow(node: AnyStateNode): readonly GraphLine[] {
  const own = transitionsOf(node).flatMap((transition) =>
    (transition.target ?? []).filter((target) => target !== node).map((target) => lineOf(node, target, transition)),
  );
  return [...own, ...Object.values(node.states).flatMap(linesBelow)];
}

function lineOf(source: AnyStateNode, target: AnyStateNode, transition: AnyTransitionDefinition): GraphLine {
  return { from: idOf(source), to: idOf(target), isFromAny: lies(target, source), reactions: [reactionOf(transition)] };
}

function lies(node: AnyStateNode, within: AnyStateNode): boolean {
  return node.parent !== undefined && (node.parent === within || lies(node.parent, within));
}

/** @returns one line for each pair of states, with the events of all. */
export function grouped(lines: readonly GraphLine[]): readonly GraphLine[] {
  const pairs = new Map<string, GraphLine>();
  for (const line of lines) {
    const pair = `${line.from} ${line.to}`;
    const known = pairs.get(pair);
    pairs.set(pair, { ...line, reactions: [...(known?.reactions ?? []), ...line.reactions] });
  }
  return [...pairs.values()];
}

function transitionsOf(node: AnyStateNode): readonly AnyTransitionDefinition[] {
  return [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
}

function reactionOf({ eventType, guard, actions }: AnyTransitionDefinition): Reaction {
  return {
    event: SPOKEN[eventType] ?? eventType,
    guard: guard === undefined ? null : nameOf(guard),
    actions: actions.map(nameOf),
  };
}

const SPOKEN: Readonly<Record<string, string>> = { '': 'always', '*': 'anything else' };

/** The name by which an action or a guard is asked for; xstate's own, as `assign`, without what it prefixes. */
function nameOf(named: unknown): string {
  const name = typeof named === 'object' && named !== null && 'type' in named ? named.type : named;
  if (typeof name === 'function') return name.name;
  return typeof name === 'string' ? name.replace(/^xstate\./, '') : 'unnamed';
}
