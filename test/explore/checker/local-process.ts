/**
 * LocalProcess: one process as far as it is its own affair, a snapshot of its machine with its tables and what waits inside;
 * and what one signal makes of it. These are the rules of `src/otp/kernel/machine-process.ts`, as functions.
 *
 * A delivery is one transition, whole or not at all. What it does depends on the local state, the signal, and on the world if
 * a table looks at it: so it need be evaluated once for each three of them.
 */
import { initialTransition, transition, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import { crash } from '../../../src/otp/kernel/error-report.ts';
import { unhandled } from '../../../src/otp/kernel/machine-process.ts';
import { foundNoTransition, watchSelection } from '../../../src/otp/kernel/xstate-seam.ts';
import type { ExitReason, Message, Pid } from '../../../src/otp/process.ts';
import type { Alive, Dead, Local, Reach } from './local.ts';
import { Performance, type Action, type Output } from './performance.ts';
import type { Role, StartArgs } from './system.ts';

export interface Evaluated {
  readonly local: Alive | Dead;
  /** What it asked of others, in that order. */
  readonly outputs: readonly Output[];
}

export function localKey(local: Local): string {
  if (local.status !== 'alive') return JSON.stringify(local);
  const { pid, snapshot, tables, urgent, postponed, timers } = local;
  const tableKeys = Object.entries(tables).map(([name, table]) => [name, table.key()]);
  return JSON.stringify([pid, snapshot.value, snapshot.context, tableKeys, urgent, postponed, timers]);
}

export function begin<Kind>(role: Role<Kind>, pid: Pid, args: StartArgs, reach: Reach<Kind>): Evaluated {
  watchSelection(role.machine);
  const tables = role.tables(pid, reach());
  const begun = attempt(() => initialTransition(role.machine, { ...role.input(reach(), args), self: pid }));
  if ('error' in begun) return ended(pid, tables, crash(begun.error), false);
  const [snapshot, actions] = begun.value;
  return settle({ status: 'alive', pid, snapshot, tables, urgent: [], postponed: [], timers: {} }, undefined, actions, undefined, reach);
}

/** @param message what the process was told, or what an effect of its own inserted. */
export function receive<Kind>(local: Alive, message: Message, reach: Reach<Kind>): Evaluated {
  const { pid, tables, snapshot: before } = local;
  const gone = goneFrom(before, message);
  if (!('snapshot' in gone)) return close(pid, tables, gone.reason, reach);
  const { snapshot, actions } = gone;
  return settle({ ...local, snapshot }, before, actions, message, reach);
}

type Gone = { readonly snapshot: AnyMachineSnapshot; readonly actions: readonly Action[] } | { readonly reason: ExitReason };

/** A machine knows no table and no world: from one snapshot an event leads to the same one each time. */
const gone = new WeakMap<AnyMachineSnapshot, WeakMap<Message, Gone>>();

function goneFrom(before: AnyMachineSnapshot, message: Message): Gone {
  const fromThere = gone.get(before) ?? new WeakMap<Message, Gone>();
  gone.set(before, fromThere);
  const known = fromThere.get(message) ?? goFrom(before, message);
  fromThere.set(message, known);
  return known;
}

function goFrom(before: AnyMachineSnapshot, message: Message): Gone {
  const went = attempt(() => transition(before.machine as AnyStateMachine, before, message));
  const isUnhandled = foundNoTransition(message);
  if ('error' in went) return { reason: crash(went.error) };
  if (isUnhandled) return { reason: crash(unhandled(message, before)) };
  const [snapshot, actions] = went.value;
  return { snapshot, actions };
}

/** Ends a process from outside. */
export function end<Kind>({ pid, tables }: Alive, reason: ExitReason, reach: Reach<Kind>): Evaluated {
  return close(pid, tables, reason, reach);
}

function settle<Kind>(
  local: Alive,
  before: AnyMachineSnapshot | undefined,
  actions: readonly Action[],
  current: Message | undefined,
  reach: Reach<Kind>,
): Evaluated {
  const performance = new Performance(local, current, reach);
  const failed = attempt(() => performance.perform(actions));
  const { outputs, tables, timers } = performance;
  const reason = 'error' in failed ? crash(failed.error) : (performance.stopReason ?? endOf(local.snapshot));
  if (reason !== undefined) {
    performance.close();
    return { ...ended(local.pid, {}, reason, !('error' in failed)), outputs };
  }
  const isReleased = before !== undefined && !isSameState(before, local.snapshot);
  return { local: { ...local, tables, timers, ...performance.queues(isReleased) }, outputs };
}

function close<Kind>(pid: Pid, tables: Alive['tables'], reason: ExitReason, reach: Reach<Kind>): Evaluated {
  Performance.closeAll(tables, reach);
  return ended(pid, {}, reason, false);
}

function ended(pid: Pid, tables: Alive['tables'], reason: ExitReason, saidByMachine: boolean): Evaluated {
  for (const table of Object.values(tables)) table.close?.();
  return { local: { status: 'dead', pid, reason: withoutStack(reason), saidByMachine }, outputs: [] };
}

/** Where a claim broke is no part of a state. */
export function withoutStack(reason: ExitReason): ExitReason {
  if (typeof reason !== 'object' || !('error' in reason)) return reason;
  const { name, message } = reason.error;
  return { error: { name, message } };
}

function endOf({ status, output }: AnyMachineSnapshot): ExitReason | undefined {
  if (status !== 'done') return undefined;
  const told: { readonly reason?: ExitReason } | undefined = output;
  return told?.reason ?? 'normal';
}

function isSameState(before: AnyMachineSnapshot, after: AnyMachineSnapshot): boolean {
  if (before._nodes === after._nodes) return true;
  const nodes = new Set(before._nodes);
  return after._nodes.every((node) => nodes.has(node));
}

/** A crash is a value here: the process's end, and not the checker's. */
function attempt<Value>(act: () => Value): { readonly value: Value } | { readonly error: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}
