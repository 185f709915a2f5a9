/**
 * Hibernation: a process that is only a row, its state value and its context, until a signal reaches it.
 *
 * Only at a quiescent point: nothing waits in its mailbox, nothing is postponed, no call is out, so that nothing can be
 * lost. Its pid, names, links, monitors, timers, tables and children stay what they are, and nobody can tell from outside
 * whether it hibernates. Waking builds the actor again from the row; that runs no action of the machine.
 */
import { createActor, type AnyMachineSnapshot } from 'xstate';
import { adopt, type Entry } from './entry.ts';
import { stopActor } from './xstate-seam.ts';

/** Called when the process has handled something: it may be what it waits for. */
export function restIfDue(entry: Entry): void {
  const { hibernateAfterMs } = entry.traits;
  if (entry.drowsy) hibernate(entry);
  else if (hibernateAfterMs !== undefined) watchRest(entry, hibernateAfterMs);
}

/** One timer as long as it is awake; it starts over when there was something to do meanwhile. */
function watchRest(entry: Entry, afterMs: number): void {
  const { kernel } = entry;
  entry.activeMs = kernel.clock.nowMs();
  entry.rest ??= kernel.timers.set(afterMs, () => onRest(entry, afterMs));
}

function onRest(entry: Entry, afterMs: number): void {
  const { kernel } = entry;
  const leftMs = entry.activeMs + afterMs - kernel.clock.nowMs();
  if (leftMs > 0 || !hibernate(entry)) entry.rest = kernel.timers.set(leftMs > 0 ? leftMs : afterMs, () => onRest(entry, afterMs));
}

/** @returns false when this is not the time. */
function hibernate(entry: Entry): boolean {
  const { actor } = entry;
  if (actor === undefined || !isQuiescent(entry)) return false;
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  if (holdsMore(snapshot)) return false;
  const { value, context, historyValue } = snapshot;
  if (Object.keys(historyValue).length > 0) entry.history = historyValue;
  if (entry.rest !== undefined) entry.kernel.timers.cancel(entry.rest);
  stopActor(actor);
  entry.value = value;
  entry.context = context;
  entry.fallAsleep();
  entry.kernel.tracer?.({ type: 'hibernate', process: entry.pid });
  return true;
}

/**
 * Something reached the process, and may have been nothing to it. One that hibernates already is rid of what it was given
 * to be awake with; one that was only waiting for this to be over hibernates now.
 */
export function dozeOff(entry: Entry): void {
  if (entry.drowsy && entry.alive) hibernate(entry);
  if (!entry.hibernates || !entry.isAwake) return;
  const { mailbox, urgent, suspended } = entry;
  if (mailbox.length + urgent.length === 0 && suspended === undefined) entry.fallAsleep();
}

function isQuiescent(entry: Entry): boolean {
  const { mailbox, urgent, postponed, calls, suspended } = entry;
  const isIdle = mailbox.length + urgent.length + postponed.length === 0;
  return isIdle && suspended === undefined && (calls === undefined || calls.size === 0);
}

/** Actors that the machine made itself, or delays that xstate waits for: both would end with the actor. */
function holdsMore({ children, _nodes }: AnyMachineSnapshot): boolean {
  return Object.keys(children).length > 0 || _nodes.some(({ after }) => after.length > 0);
}

/** Builds the actor of a process that hibernates; of any other nothing changes. */
export function rouse(entry: Entry): void {
  if (!entry.hibernates) return;
  const { kernel, traits, value, context, history } = entry;
  const { machine } = traits;
  if (machine === undefined) return;
  const snapshot = { status: 'active' as const, value, context: {}, historyValue: history, children: {}, output: undefined, error: undefined };
  const actor = createActor(machine, { id: entry.pid, parent: entry.parent?.actor ?? kernel.system.node, snapshot });
  // Not by xstate, which would look through all of it, and take what looks like a reference to an actor for one that is gone.
  Object.assign(actor.getSnapshot(), { context });
  entry.value = undefined;
  entry.context = undefined;
  adopt(actor, entry);
  actor.start();
  kernel.tracer?.({ type: 'wake', process: entry.pid });
}
