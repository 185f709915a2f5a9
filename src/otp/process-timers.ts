/** The named timers of a process. One that was cancelled or started over is never delivered, not even when it had fired. */
import type { Entry } from './entry.ts';
import type { HeapTimer } from './timer-heap.ts';

export function startTimer(entry: Entry, name: string, delayMs: number): void {
  const { kernel } = entry;
  cancelTimer(entry, name);
  const timer: HeapTimer = kernel.timers.set(delayMs, () => kernel.enqueue(entry, { kind: 'timeout', source: entry, name, timer }));
  entry.timers ??= new Map();
  entry.timers.set(name, timer);
}

export function cancelTimer(entry: Entry, name: string): void {
  const timer = entry.timers?.get(name);
  if (timer === undefined) return;
  entry.timers?.delete(name);
  entry.kernel.timers.cancel(timer);
}

/** A fired timer reaches its process. */
export function receiveTimeout(entry: Entry, name: string, timer: HeapTimer): void {
  if (entry.timers?.get(name) !== timer) return;
  entry.timers.delete(name);
  entry.behaviour.receive(entry, entry, { type: `timeout.${name}` });
}

export function releaseTimers(entry: Entry): void {
  for (const timer of entry.timers?.values() ?? []) entry.kernel.timers.cancel(timer);
  entry.timers = undefined;
  if (entry.overdue !== undefined) entry.kernel.timers.cancel(entry.overdue);
}
