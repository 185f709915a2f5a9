/** A machine alone, without a runtime: where events lead it, and what the last of them made it ask for. */
import { initialTransition, transition, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import type { Message } from '../../../src/otp/process.ts';

export interface Walk {
  readonly value: unknown;
  readonly context: unknown;
  /** Named effects with their parameters, in the order in which they would be performed. */
  readonly asked: readonly { readonly type: string; readonly params: unknown }[];
}

export function walk(machine: AnyStateMachine, input: object, ...events: readonly Message[]): Walk {
  let [snapshot, actions]: [AnyMachineSnapshot, readonly { type: string; params?: unknown }[]] = initialTransition(machine, input);
  for (const event of events) [snapshot, actions] = transition(machine, snapshot, event);
  return { value: snapshot.value, context: snapshot.context, asked: actions.map(({ type, params }) => ({ type, params })) };
}
