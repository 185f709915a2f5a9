/**
 * Hibernation: until a signal reaches it, a process is only its state value and its context, without actor or mailbox.
 *
 * A process hibernates at a quiescent point alone: nothing waits in its mailbox, nothing is postponed and no call is out,
 * so nothing can be lost. Its pid, names, links, monitors, timers, tables and children stay, so other processes cannot
 * tell whether it hibernates; its tables let go of what they can make again. Waking makes the actor again from state value
 * and context, and runs no action of the machine.
 */
import { createActor, type AnyMachineSnapshot } from 'xstate';
import { adopt, type Entry } from './entry.ts';
import { stopActor } from './xstate-seam.ts';

/** A process that has to stay awake for now is not asked again sooner, however short its rest. */
const RETRY_MS_MIN = 100;

/** Called when the process has handled an event. */
export function hibernateIfDue(entry: Entry): void {
  const { hibernateAfterMs } = entry.traits;
  if (entry.hibernatesSoon) hibernate(entry);
  else if (hibernateAfterMs !== undefined) watchIdleness(entry, hibernateAfterMs);
}

/** One timer per process will do: when it fires and there was something to do meanwhile, it is set again for what is left. */
function watchIdleness(entry: Entry, afterMs: number): void {
  const { kernel } = entry;
  entry.activeAtMs = kernel.clock.nowMs();
  entry.idleTimer ??= kernel.timers.set(afterMs, () => onIdle(entry, afterMs));
}

function onIdle(entry: Entry, afterMs: number): void {
  const { kernel } = entry;
  const leftMs = entry.activeAtMs + afterMs - kernel.clock.nowMs();
  if (leftMs <= 0 && hibernate(entry)) return;
  entry.idleTimer = kernel.timers.set(leftMs > 0 ? leftMs : Math.max(afterMs, RETRY_MS_MIN), () => onIdle(entry, afterMs));
}

/** @returns false when the process has to stay awake for now. */
function hibernate(entry: Entry): boolean {
  const { actor } = entry;
  if (actor === undefined || !isQuiescent(entry)) return false;
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  if (holdsMore(snapshot)) return false;
  const { value, context, historyValue } = snapshot;
  if (Object.keys(historyValue).length > 0) entry.history = historyValue;
  if (entry.idleTimer !== undefined) entry.kernel.timers.cancel(entry.idleTimer);
  stopActor(actor);
  entry.value = value;
  entry.context = context;
  entry.dropAwakeState();
  if (entry.tables !== undefined) for (const table of Object.values(entry.tables)) table.hibernate?.();
  entry.kernel.tracer?.({ type: 'hibernate', process: entry.pid });
  return true;
}

/**
 * Called when a signal has been delivered, also one that was no event for the process (a DOWN that was taken back, say). A
 * process that could not hibernate because of that signal does so now. One that hibernates drops the mailbox that the
 * signal has made.
 */
export function hibernateAfterDelivery(entry: Entry): void {
  if (entry.hibernatesSoon && entry.alive) hibernate(entry);
  if (!entry.hibernates || !entry.isAwake) return;
  const { mailbox, urgent, suspended } = entry;
  if (mailbox.length + urgent.length === 0 && suspended === undefined) entry.dropAwakeState();
}

function isQuiescent(entry: Entry): boolean {
  const { mailbox, urgent, postponed, calls, suspended } = entry;
  const isIdle = mailbox.length + urgent.length + postponed.length === 0;
  return isIdle && suspended === undefined && (calls === undefined || calls.size === 0);
}

/** The machine has made actors itself, or waits for delays of xstate's: both would end with the actor. */
function holdsMore({ children, _nodes }: AnyMachineSnapshot): boolean {
  return Object.keys(children).length > 0 || _nodes.some(({ after }) => after.length > 0);
}

/** Makes the actor of a process that hibernates; does nothing for any other. */
export function wake(entry: Entry): void {
  if (!entry.hibernates) return;
  const { kernel, traits, value, context, history } = entry;
  const { machine } = traits;
  if (machine === undefined) return;
  const state = { status: 'active' as const, value, context: {}, historyValue: history, children: {} };
  const snapshot = { ...state, output: undefined, error: undefined };
  const actor = createActor(machine, { id: entry.pid, parent: entry.parent?.actor ?? kernel.system.node, snapshot });
  // xstate would search the whole context, and replace what looks like a reference to an actor that is gone. So we set it.
  Object.assign(actor.getSnapshot(), { context });
  entry.value = undefined;
  entry.context = undefined;
  adopt(actor, entry);
  actor.start();
  kernel.tracer?.({ type: 'wake', process: entry.pid });
}
