/**
 * Suspension: a process that is held still, to be looked at. What reaches it is kept in order and delivered when it is
 * resumed. It can still be ended: by `kill` always, by an exit if it does not trap. Its own supervisor's order to end
 * resumes it and is delivered first: no end may wait for somebody to call `resume`.
 */
import type { Entry, Signal } from './entry.ts';
import { hibernateAfterDelivery } from './hibernation.ts';

export function suspend(entry: Entry): void {
  entry.suspended ??= [];
}

/** What was held back came before what is urgent: that may be left from when it was resumed the last time. */
export function resume(entry: Entry): void {
  const held = entry.suspended ?? [];
  entry.suspended = undefined;
  putFirst(entry, held);
  entry.kernel.schedule(entry);
  hibernateAfterDelivery(entry);
}

/** Puts signals before all others that wait for `entry`, in their order. */
export function putFirst(entry: Entry, signals: readonly Signal[]): void {
  if (entry.suspended !== undefined) entry.suspended.unshift(...signals);
  else for (const signal of signals.toReversed()) entry.urgent.unshift(signal);
}

/** @returns whether the signal has to wait. */
export function holdBack(entry: Entry, signal: Signal): boolean {
  if (entry.suspended === undefined || endsIt(entry, signal)) return false;
  if (signal.kind === 'exit' && signal.source === entry.parent) {
    resume(entry);
    return false;
  }
  entry.suspended.push(signal);
  return true;
}

function endsIt({ trapExit }: Entry, signal: Signal): boolean {
  return signal.kind === 'exit' && (signal.reason === 'kill' || !trapExit);
}
