/**
 * Suspension: a process that is held still, to be looked at. What reaches it is kept in order and delivered when it goes
 * on. It can still be ended: by `kill` always, by an exit if it does not trap.
 */
import type { Entry, Signal } from './entry.ts';

export function suspend(entry: Entry): void {
  entry.suspended ??= [];
}

export function resume(entry: Entry): void {
  for (const signal of entry.suspended ?? []) entry.urgent.push(signal);
  entry.suspended = undefined;
  entry.kernel.wake(entry);
}

/** @returns whether the signal has to wait. */
export function holdBack(entry: Entry, signal: Signal): boolean {
  if (entry.suspended === undefined || endsIt(entry, signal)) return false;
  entry.suspended.push(signal);
  return true;
}

function endsIt({ trapExit }: Entry, signal: Signal): boolean {
  return signal.kind === 'exit' && (signal.reason === 'kill' || !trapExit);
}
