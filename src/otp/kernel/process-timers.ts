/**
 * The named timers of a process. One that was cancelled or started over is never delivered, not even when it had fired.
 *
 * As in gen_statem a change of state can cancel a timer, or the next event, or only the process itself (`until`). A timer
 * without delay does not wait for the clock: its time-out comes after what is already urgent for the process, and before
 * its mailbox.
 */
import { invariant } from '../../base/invariant.ts';
import type { Entry, ProcessTimer, Until } from './entry.ts';

/** A time-out that is asked for. */
export interface TimerRequest {
  /** One of a process has it at a time. */
  readonly name: string;
  /** `Infinity` never comes: it only cancels. */
  readonly delayMs: number;
  /** What cancels it: a change of state, or the next event. Default: nothing but `cancelTimer`. */
  readonly until?: Until;
  /** What its event brings. */
  readonly content?: unknown;
}

export function startTimer(entry: Entry, { name, delayMs, until, content }: TimerRequest): void {
  const { kernel } = entry;
  invariant(delayMs >= 0, `the delay of timer '${name}' is a number of milliseconds`);
  cancelTimer(entry, name);
  if (delayMs === Infinity) return;
  const timer: ProcessTimer = { name, until, content, heap: undefined };
  entry.timers ??= new Map();
  entry.timers.set(name, timer);
  if (until !== undefined) {
    entry.passing ??= new Set();
    entry.passing.add(timer);
  }
  const signal = { kind: 'timeout', source: entry, timer } as const;
  if (delayMs > 0) timer.heap = kernel.timers.set(delayMs, () => kernel.enqueue(entry, signal));
  else entry.urgent.push(signal);
}

/** Changes what a time-out will say, not when; one that is not running is over at once. */
export function updateTimer(entry: Entry, name: string, content: unknown): void {
  const timer = entry.timers?.get(name);
  if (timer === undefined) startTimer(entry, { name, delayMs: 0, content });
  else timer.content = content;
}

export function cancelTimer(entry: Entry, name: string): void {
  const timer = entry.timers?.get(name);
  if (timer === undefined) return;
  forget(entry, timer);
  if (timer.heap !== undefined) entry.kernel.timers.cancel(timer.heap);
}

/** Cancels the timers that were to last until now. */
export function cancelTimersUntil(entry: Entry, until: Until): void {
  for (const timer of entry.passing ?? []) if (timer.until === until) cancelTimer(entry, timer.name);
}

/** A fired timer reaches its process. */
export function receiveTimeout(entry: Entry, timer: ProcessTimer): void {
  const { name, content } = timer;
  if (entry.timers?.get(name) !== timer) return;
  forget(entry, timer);
  entry.behaviour.receive(entry, entry, { type: `timeout.${name}`, content });
}

/** Ends `entry` by force when it has not ended by then. Of two limits the earlier holds. */
export function limitLife(entry: Entry, delayMs: number, end: () => void): void {
  const { timers } = entry.kernel;
  const limit = timers.set(delayMs, end);
  const other = entry.overdue;
  if (other !== undefined && timers.isSet(other) && other.deadlineMs <= limit.deadlineMs) {
    timers.cancel(limit);
    return;
  }
  endLimit(entry);
  entry.overdue = limit;
}

export function endLimit(entry: Entry): void {
  if (entry.overdue !== undefined) entry.kernel.timers.cancel(entry.overdue);
  entry.overdue = undefined;
}

export function releaseTimers(entry: Entry): void {
  endLimit(entry);
  if (entry.timers === undefined) return;
  for (const { heap } of entry.timers.values()) if (heap !== undefined) entry.kernel.timers.cancel(heap);
}

function forget(entry: Entry, timer: ProcessTimer): void {
  entry.timers?.delete(timer.name);
  entry.passing?.delete(timer);
}
