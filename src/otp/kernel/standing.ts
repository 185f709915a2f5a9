/**
 * Standing: where a machine stands, as it is and uncopied: state value and context, or the input of one that has yet to begin. From
 * there the next event leads to the same transition each time, so whoever records events can have them taken again. What history states
 * remember is not in it.
 */
import type { AnyMachineSnapshot } from 'xstate';
import type { Entry } from './entry.ts';
import { isPortSpec } from '../process.ts';

/** Never to be changed. */
export type Standing =
  | { readonly value: unknown; readonly context: unknown }
  | { readonly input: Readonly<Record<string, unknown>> };

/** Wakes nobody. @returns undefined for a port. */
export function standingOf({ actor, hibernates, value, context, spec, pid }: Entry): Standing | undefined {
  if (actor !== undefined) return standingIn(actor.getSnapshot() as Partial<AnyMachineSnapshot>);
  if (hibernates) return { value, context };
  return spec === undefined || isPortSpec(spec) ? undefined : { input: { ...spec.input, self: pid } };
}

/** The actor of a port has no state value. */
function standingIn({ value, context }: Partial<AnyMachineSnapshot>): Standing | undefined {
  return value === undefined ? undefined : { value: value as unknown, context: context as unknown };
}
