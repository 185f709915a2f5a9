/**
 * Which transitions of a machine does no path take? Each transition of a copy of the config is marked with an action
 * of its own; @xstate/graph walks from state to state over the given events, and what it never saw is left over.
 */
import { getAdjacencyMap } from '@xstate/graph';
import { getInitialMicrosteps, getMicrosteps, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import type { Message } from '../../src/otp/process.ts';
import { withConfig, type ConfigNode } from '../support/actors/machine-config.ts';

export interface WalkedMachine {
  readonly machine: AnyStateMachine;
  /** One walk begins with each of them. */
  readonly inputs: readonly object[];
  /** Tried in every state that handles them. */
  readonly events: readonly Message[];
  /** Walks of their own: the states of one part of a machine need not be multiplied by those of another. */
  readonly also?: readonly Pick<WalkedMachine, 'inputs' | 'events'>[];
  /** States beyond this many are a mistake in the events. */
  readonly statesMax?: number;
}

export interface Coverage {
  readonly transitionCount: number;
  /** `state > event #index`, in the order of the config. */
  readonly untaken: readonly string[];
}

const MARK = 'noteTransitionTaken';
const STATES_MAX = 20_000;

export function coverageOf({ machine, inputs, events, also = [], statesMax = STATES_MAX }: WalkedMachine): Coverage {
  const keys: string[] = [];
  const marked = withConfig(machine, (config) => markTransitions(config, config.id as string, keys));
  const taken = new Set<string>();
  const areAllTaken = (): boolean => taken.size === keys.length;
  for (const walk of [{ inputs, events }, ...also]) {
    for (const input of walk.inputs) {
      for (const key of marksOf(getInitialMicrosteps(marked, input))) taken.add(key);
      getAdjacencyMap<AnyMachineSnapshot, Message, object>(marked, {
        input,
        events: (snapshot) => possible(marked, snapshot, walk.events, taken),
        stopWhen: areAllTaken,
        limit: statesMax,
      });
    }
  }
  return { transitionCount: keys.length, untaken: keys.filter((key) => !taken.has(key)) };
}

/** An event that no state handles, or that breaks a claim, crashes the process: no path goes on from there. Notes what is `taken`. */
function possible(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, events: readonly Message[], taken: Set<string>) {
  if (snapshot.status !== 'active') return [];
  return events.filter((event) => {
    if (machine.getTransitionData(snapshot, event).length === 0) return false;
    const marks = marksOnWay(machine, snapshot, event);
    for (const key of marks ?? []) taken.add(key);
    return marks !== undefined;
  });
}

function marksOnWay(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: Message): readonly string[] | undefined {
  try {
    return marksOf(getMicrosteps(machine, snapshot, event));
  } catch (error) {
    if (error instanceof Error && error.name === 'InvariantError') return undefined;
    throw error;
  }
}

function marksOf(microsteps: readonly (readonly [unknown, readonly { readonly type: string; readonly params?: unknown }[]])[]): string[] {
  const actions = microsteps.flatMap(([, performed]) => performed);
  return actions.filter(({ type }) => type === MARK).map(({ params }) => (params as { key: string }).key);
}

function markTransitions(node: ConfigNode, path: string, keys: string[]): void {
  for (const [event, transitions] of Object.entries(node.on ?? {})) {
    node.on = { ...node.on, [event]: marked(transitions, `${path} > ${event}`, keys) };
  }
  if (node.always !== undefined) node.always = marked(node.always, `${path} > always`, keys);
  for (const [name, child] of Object.entries(node.states ?? {})) markTransitions(child, `${path}.${name}`, keys);
}

function marked(transitions: unknown, path: string, keys: string[]): unknown {
  const list: unknown[] = Array.isArray(transitions) ? transitions : [transitions];
  return list.map((entry, index) => {
    const key = list.length === 1 ? path : `${path} #${index}`;
    keys.push(key);
    const transitionConfig = typeof entry === 'string' ? { target: entry } : (entry as { actions?: unknown });
    const actions = 'actions' in transitionConfig ? [transitionConfig.actions].flat() : [];
    return { ...transitionConfig, actions: [{ type: MARK, params: { key } }, ...actions] };
  });
}
