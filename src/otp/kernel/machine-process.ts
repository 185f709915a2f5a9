/**
 * MachineProcess: the behaviour of a process whose logic is a machine.
 *
 * One delivery is one transition, whole or not at all: its effects are collected while it runs and performed when it
 * has succeeded. A machine that throws, or has no transition for an event, performs none of them and ends with the
 * error as its reason; xstate's own way of failing (the error passed on to the parent, children left running, an
 * uncaught exception) never comes into play.
 */
import { createActor, type AnyActorRef, type AnyMachineSnapshot } from 'xstate';
import { invariant } from '../../base/invariant.ts';
import { planTransitions } from './charts/planned-machine.ts';
import { adopt, type Behaviour, type Entry, type Signal, type Source } from './entry.ts';
import { crash, inJson } from './error-report.ts';
import { hibernateIfDue, wake } from './hibernation.ts';
import { isExitReason, isPortSpec, type ExitReason, type MachineSpec, type Message } from '../process.ts';
import { cancelTimersUntil } from './process-timers.ts';
import { acknowledgeStart } from './starts.ts';
import { foundNoTransition, stopActor } from './xstate-seam.ts';

/** The state that the machine is in neither handles, nor postpones, nor refuses this event. */
export class UnhandledEventError extends Error {
  override readonly name = 'UnhandledEventError';
}

/** What somebody gave as an exit reason is none: those who are told of an end must not have to guess what it means. */
export class InvalidExitReasonError extends Error {
  override readonly name = 'InvalidExitReasonError';
}

export const machineBehaviour: Behaviour = { init, receive, stop, fail: stop, dispose, state };

function init(entry: Entry): void {
  const { kernel } = entry;
  const spec = machineSpecOf(entry);
  const { hibernateAfterMs = 0, mailboxMax } = entry.traits;
  invariant(hibernateAfterMs >= 0, 'hibernateAfterMs is a number of milliseconds');
  invariant(mailboxMax >= 1, 'a mailbox has room for a message');
  planTransitions(spec.machine);
  try {
    entry.tables = spec.tables?.(entry.pid);
  } catch (thrown) {
    kernel.end(entry, crash(thrown));
    return;
  }
  const parent = entry.parent?.actor ?? kernel.system.node;
  const actor = createActor(spec.machine, { id: entry.pid, parent, input: { ...spec.input, self: entry.pid } });
  adopt(actor, entry);
  actor.start();
  settle(entry, undefined, undefined);
}

function receive(entry: Entry, source: Source, message: Message): void {
  wake(entry);
  const { actor, kernel } = entry;
  if (actor === undefined) return;
  kernel.tracer?.({ type: 'deliver', from: source.pid, to: entry.pid, message });
  const before = snapshotOf(entry);
  entry.noteHandled();
  if (entry.timers !== undefined) cancelTimersUntil(entry, 'nextEvent');
  const signal: Signal = { kind: 'message', source, message };
  entry.current = signal;
  kernel.system.deliver(source.actor, actor, message);
  settle(entry, signal, before);
  entry.current = undefined; // It holds its sender, who may be long dead.
}

/** What a transition leaves behind: its effects, and perhaps an end. */
function settle(entry: Entry, signal: (Signal & { kind: 'message' }) | undefined, before: AnyMachineSnapshot | undefined): void {
  // Ended from within its own transition, by an overflow of its mailbox.
  if (!entry.alive) return;
  const snapshot = snapshotOf(entry);
  if (snapshot.status === 'error') {
    stopInner(snapshot);
    entry.kernel.end(entry, crash(snapshot.error));
    return;
  }
  // xstate ends an actor by the event `xstate.stop`, whatever its machine: then the process has to end too.
  if (signal !== undefined && (foundNoTransition(signal.message) || snapshot.status === 'stopped')) {
    stop(entry, crash(unhandled(signal.message, snapshot)));
    return;
  }
  if (entry.timers !== undefined && before !== undefined && !sameState(before, snapshot)) cancelTimersUntil(entry, 'stateChange');
  traceTransition(entry, signal?.message.type ?? 'init', snapshot, before);
  if (!performEffects(entry)) return;
  const end = endOf(entry, snapshot);
  noteStart(entry, snapshot, end);
  if (end !== undefined) stop(entry, end);
  else {
    orderUrgent(entry, before, snapshot);
    hibernateIfDue(entry);
  }
}

/** Ends actors that the machine made itself, against the rule: xstate leaves them running when their parent throws. */
function stopInner(snapshot: AnyMachineSnapshot): void {
  const children: Record<string, AnyActorRef | undefined> = snapshot.children;
  for (const child of Object.values(children)) if (child !== undefined) stopActor(child);
}

/** @returns false when one of them ended the process. */
function performEffects(entry: Entry): boolean {
  if (entry.effects.length === 0) return true;
  const effects = entry.effects;
  entry.effects = [];
  try {
    for (const { perform, params } of effects) {
      perform(entry, params as never);
      if (!entry.alive) return false;
    }
  } catch (thrown) {
    stop(entry, crash(thrown));
    return false;
  }
  return true;
}

/** The order of what is urgent: what effects inserted, then what was postponed if the state has changed, then what waited before. */
function orderUrgent(entry: Entry, before: AnyMachineSnapshot | undefined, after: AnyMachineSnapshot): void {
  if (entry.postponed.length > 0 && before !== undefined && !sameState(before, after)) {
    for (const signal of entry.postponed.reverse()) entry.urgent.unshift(signal);
    entry.postponed = [];
  }
  if (entry.inserted.length > 0) {
    for (const signal of entry.inserted.reverse()) entry.urgent.unshift(signal);
    entry.inserted = [];
  }
}

/** Comparing in one direction is enough: two different states never have nodes of which one set contains the other. */
function sameState(before: AnyMachineSnapshot, after: AnyMachineSnapshot): boolean {
  if (before._nodes === after._nodes) return true;
  const nodes = new Set(before._nodes);
  return after._nodes.every((node) => nodes.has(node));
}

/**
 * The start is over in the first state without the tag `starting`. A machine that ends at once as `normal` has started; in a
 * final state with the tag `ignore` it had nothing to do. A machine that ends for another reason has not started.
 */
function noteStart(entry: Entry, snapshot: AnyMachineSnapshot, end: ExitReason | undefined): void {
  if (entry.started || (end !== undefined && end !== 'normal')) return;
  if (snapshot.status === 'active' && snapshot.hasTag('starting')) return;
  entry.started = true;
  acknowledgeStart(entry, snapshot.status === 'done' && snapshot.hasTag('ignore') ? 'IGNORED' : 'STARTED');
}

function traceTransition(entry: Entry, event: string, snapshot: AnyMachineSnapshot, before: AnyMachineSnapshot | undefined): void {
  if (entry.kernel.tracer === undefined || (before !== undefined && sameState(before, snapshot))) return;
  const { machine, value: state } = snapshot;
  const from = before === undefined ? {} : { from: before.value as unknown };
  entry.kernel.tracer({ type: 'transition', process: entry.pid, machine: machine.id, event, ...from, state });
}

function stop(entry: Entry, reason: ExitReason): void {
  entry.kernel.end(entry, reason);
}

/** A process that was killed has an actor too: one that nobody stops stays in xstate's system, and in every inspector. */
function dispose(entry: Entry): void {
  if (entry.actor !== undefined) stopActor(entry.actor);
  if (entry.tables === undefined) return;
  for (const table of Object.values(entry.tables)) table.close?.();
  entry.tables = undefined;
}

function state(entry: Entry): unknown {
  if (entry.actor !== undefined) return snapshotOf(entry).value;
  return entry.hibernates ? entry.value : 'unborn';
}

/** @returns why the process ends with this transition, or undefined when it goes on. */
function endOf({ stopReason }: Entry, snapshot: AnyMachineSnapshot): ExitReason | undefined {
  if (stopReason === undefined && snapshot.status !== 'done') return undefined;
  const reason: unknown = stopReason === undefined ? reasonOf(snapshot.output) : stopReason;
  if (isExitReason(reason)) return reason;
  return crash(new InvalidExitReasonError(`machine '${snapshot.machine.id}' ended with ${inJson(reason)}, which is no exit reason`));
}

function reasonOf(output: unknown): unknown {
  return typeof output === 'object' && output !== null && 'reason' in output ? output.reason : 'normal';
}

export function unhandled(message: Message, snapshot: AnyMachineSnapshot): UnhandledEventError {
  const at = typeof snapshot.value === 'string' ? snapshot.value : JSON.stringify(snapshot.value);
  return new UnhandledEventError(`machine '${snapshot.machine.id}' in state '${at}' has no transition for event '${message.type}'`);
}

function snapshotOf(entry: Entry): AnyMachineSnapshot {
  return entry.actor?.getSnapshot() as AnyMachineSnapshot;
}

function machineSpecOf(entry: Entry): MachineSpec {
  const { spec } = entry;
  if (spec === undefined || isPortSpec(spec)) throw new TypeError(`${entry.pid} is not a machine`);
  return spec;
}
